import { encodeMessage } from '../../gen/codec.ts';
import { type EncodedResource, encodeResource } from '../../xds/resource.ts';
import { ROUTE_URL } from '../translate/built.ts';

/** Envoy waits for ever for routes that nobody has, and its listener with it: an empty configuration answers 404 instead. */
export function emptyRouteConfiguration(typeUrl: string, name: string): EncodedResource | undefined {
  if (typeUrl !== ROUTE_URL) return undefined;
  const value = encodeMessage('envoy.config.route.v3.RouteConfiguration', { name });
  return encodeResource({ typeUrl, name, value, needs: [], origins: [] });
}
