import type { MessageName } from '../../gen/codec.ts';
import { encodeMessage, typeUrlOf } from '../../gen/codec.ts';
import type { RouteConfiguration, VirtualHost } from '../../gen/types.ts';
import { memoByIdentity } from '../../kit/memo.ts';
import { type EncodedResource, encodeResource } from '../../xds/resource.ts';
import type { Built } from '../translate/built.ts';

/** Encodes a built resource once; the same `Built` gives the same `EncodedResource` ever after. */
export const encodeBuilt: (built: Built<MessageName>) => EncodedResource = memoByIdentity((built: Built<MessageName>) =>
  encodeResource({
    typeUrl: typeUrlOf(built.type),
    name: built.name,
    value:
      built.type === 'envoy.config.route.v3.RouteConfiguration'
        ? encodeRouteConfiguration(built.message as RouteConfiguration)
        : encodeMessage(built.type, built.message),
    needs: built.needs,
    origins: built.origins,
  }),
);

/** `RouteConfiguration.virtual_hosts` is field 2. */
const VIRTUAL_HOSTS_TAG = 0x12;

/**
 * A route configuration may hold a thousand virtual hosts of which one changed. Protobuf lets repeated fields be written one by
 * one, so each virtual host is encoded once and the configuration is put together from bytes.
 */
function encodeRouteConfiguration(message: RouteConfiguration): Uint8Array {
  const { virtualHosts = [], ...rest } = message;
  const head = encodeMessage('envoy.config.route.v3.RouteConfiguration', rest);
  return Buffer.concat([head, ...virtualHosts.map(encodeVirtualHostField)]);
}

const encodeVirtualHostField = memoByIdentity((virtualHost: VirtualHost): Uint8Array => {
  const value = encodeMessage('envoy.config.route.v3.VirtualHost', virtualHost);
  const head = [VIRTUAL_HOSTS_TAG, ...varint(value.length)];
  // It lives as long as the virtual host: as a slice of the pool it would keep everything that was encoded beside it.
  const field = Buffer.allocUnsafeSlow(head.length + value.length);
  field.set(head);
  field.set(value, head.length);
  return field;
});

function varint(value: number): readonly number[] {
  const bytes: number[] = [];
  let rest = value;
  while (rest > 127) {
    bytes.push((rest & 127) | 128);
    rest >>>= 7;
  }
  return [...bytes, rest];
}
