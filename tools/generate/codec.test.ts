import { describe, expect, test } from 'vitest';
import { anyOf, decodeMessage, encodeMessage, isMessageName, typeUrlOf } from '../../src/gen/codec.ts';
import { Cluster_DiscoveryType, type Messages } from '../../src/gen/types.ts';

const cluster: Messages['envoy.config.cluster.v3.Cluster'] = {
  name: 'outbound|80||a.b',
  type: Cluster_DiscoveryType.EDS,
  connectTimeout: { seconds: 10, nanos: 500 },
  outlierDetection: { consecutive_5xx: { value: 5 }, enforcingConsecutive_5xx: { value: 0 } },
  typedExtensionProtocolOptions: {
    b: anyOf('google.protobuf.Empty', {}),
    a: anyOf('google.protobuf.BoolValue', { value: true }),
  },
};

describe('codec', () => {
  test('what was encoded comes back, digits in names, oneofs and wrappers of zero included', () => {
    const bytes = encodeMessage('envoy.config.cluster.v3.Cluster', cluster);
    const decoded = decodeMessage('envoy.config.cluster.v3.Cluster', bytes);
    expect(decoded).toMatchObject({
      name: cluster.name,
      type: 3,
      connectTimeout: { seconds: 10, nanos: 500 },
      outlierDetection: { consecutive_5xx: { value: 5 }, enforcingConsecutive_5xx: {} },
    });
    expect(encodeMessage('envoy.config.cluster.v3.Cluster', decoded)).toEqual(bytes);
  });

  test('a decoded message has own properties only, and undefined for what is absent', () => {
    const decoded = decodeMessage(
      'envoy.config.route.v3.Route',
      encodeMessage('envoy.config.route.v3.Route', { name: 'r' }),
    );
    expect(Object.getPrototypeOf(decoded)).toBe(Object.prototype);
    expect(decoded).toEqual({ name: 'r' });
    expect(decoded.match).toBeUndefined();
  });

  test('maps and Structs of equal content give equal bytes in whatever order they were built', () => {
    const struct = (keys: readonly string[]): Messages['google.protobuf.Struct'] => ({
      fields: Object.fromEntries(keys.map((key) => [key, { structValue: { fields: { [key]: { numberValue: 1 } } } }])),
    });
    const metadata = (
      names: readonly string[],
      keys: readonly string[],
    ): Messages['envoy.config.core.v3.Metadata'] => ({
      filterMetadata: Object.fromEntries(names.map((name) => [name, struct(keys)])),
    });
    const encode = (...args: Parameters<typeof metadata>): Uint8Array =>
      encodeMessage('envoy.config.cluster.v3.Cluster', { metadata: metadata(...args) });
    expect(encode(['x', 'y', '10', '9'], ['b', 'a', '__proto__'])).toEqual(
      encode(['9', 'y', '10', 'x'], ['__proto__', 'a', 'b']),
    );
  });

  test('maps inside lists are sorted, and the input is left alone', () => {
    const routes = (order: readonly string[]): Messages['envoy.config.route.v3.VirtualHost'] => ({
      routes: [
        { name: 'plain' },
        { typedPerFilterConfig: Object.fromEntries(order.map((key) => [key, anyOf('google.protobuf.Empty', {})])) },
      ],
    });
    const backwards = routes(['b', 'a']);
    const bytes = encodeMessage('envoy.config.route.v3.VirtualHost', backwards);
    expect(bytes).toEqual(encodeMessage('envoy.config.route.v3.VirtualHost', routes(['a', 'b'])));
    expect(Object.keys(backwards.routes?.[1]?.typedPerFilterConfig ?? {})).toEqual(['b', 'a']);
  });

  test('64-bit integers: numbers while exact, else decimal strings', () => {
    const roundTrip = (value: number | string): unknown =>
      decodeMessage('google.protobuf.UInt64Value', encodeMessage('google.protobuf.UInt64Value', { value })).value;
    expect(roundTrip(5)).toBe(5);
    expect(roundTrip('18446744073709551615')).toBe('18446744073709551615');
  });

  test('a oneof member and a proto3 optional are written even when they hold the default', () => {
    expect(encodeMessage('google.protobuf.Value', { boolValue: false })).toHaveLength(2);
    const rule: Messages['envoy.extensions.filters.network.http_connection_manager.v3.HttpConnectionManager.SetCurrentClientCertDetails'] =
      {
        subject: { value: false },
      };
    expect(rule.subject).toEqual({ value: false });
  });

  test('packable lists are packed, as every other implementation writes them', () => {
    expect([...encodeMessage('envoy.config.route.v3.RetryPolicy', { retriableStatusCodes: [503, 504] })]).toEqual([
      0x3a, 4, 0xf7, 3, 0xf8, 3,
    ]);
  });

  test('names and type URLs', () => {
    expect(typeUrlOf('envoy.config.listener.v3.Listener')).toBe(
      'type.googleapis.com/envoy.config.listener.v3.Listener',
    );
    expect(isMessageName('envoy.config.listener.v3.Listener')).toBe(true);
    expect(isMessageName('envoy.config.listener.v3')).toBe(false);
    expect(isMessageName('no.Such')).toBe(false);
  });
});
