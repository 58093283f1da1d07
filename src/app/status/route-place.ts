import { decodeMessage } from '../../gen/codec.ts';
import type { Route, RouteConfiguration } from '../../gen/types.ts';
import { type ObjectKey, objectKey } from '../../model/ids.ts';
import type { EncodedResource } from '../../xds/resource.ts';
import { routePlaceIn } from './refusal-words.ts';

/** The VirtualServices behind the place that an error points at, and words that tell their rule from others. */
export type RoutePlace = { readonly owners: readonly ObjectKey[]; readonly words: readonly string[] };

const ROUTES = 'type.googleapis.com/envoy.config.route.v3.RouteConfiguration';
const VIRTUAL_SERVICE = /\/namespaces\/([^/]+)\/virtual-service\/([^/]+)$/;

export function findRoutePlace(error: string, resource: EncodedResource): RoutePlace | undefined {
  const place = resource.typeUrl === ROUTES ? routePlaceIn(error) : undefined;
  const host = place === undefined ? undefined : decode(resource)?.virtualHosts?.[place.virtualHost];
  if (place === undefined || host === undefined) return undefined;
  const all = host.routes ?? [];
  const only = place.route === undefined ? undefined : all[place.route];
  const routes = only === undefined ? all : [only];
  const owners = new Set(routes.flatMap(ownerOf));
  return { owners: [...owners], words: only === undefined ? [] : wordsOf(only) };
}

/** The rest of a frame from its `Any` on is a whole response. */
function decode({ frame, anyOffset }: EncodedResource): RouteConfiguration | undefined {
  const { resources } = decodeMessage('envoy.service.discovery.v3.DiscoveryResponse', frame.subarray(anyOffset));
  const [content] = resources ?? [];
  return content === undefined ? undefined : decodeMessage('envoy.config.route.v3.RouteConfiguration', content.value);
}

function ownerOf({ metadata }: Route): readonly ObjectKey[] {
  const config = metadata?.filterMetadata?.['istio']?.fields?.['config']?.stringValue ?? '';
  const [, namespace, name] = VIRTUAL_SERVICE.exec(config) ?? [];
  return namespace === undefined || name === undefined ? [] : [objectKey('VirtualService', namespace, name)];
}

/** What the route matches: texts that are in the rule too. */
function wordsOf({ match, name }: Route): readonly string[] {
  const texts = [match?.safeRegex?.regex, match?.path, match?.prefix, match?.pathSeparatedPrefix, name];
  return texts.filter((text) => text !== undefined && text !== '/' && text !== '').filter((text) => text !== undefined);
}
