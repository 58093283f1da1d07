// Type tests: each @ts-expect-error below is a mistake that protobufjs would encode silently. tsc fails if one compiles.
import { expect, test } from 'vitest';
import { Cluster_LbPolicy, type Messages } from '../../src/gen/types.ts';

type Cluster = Messages['envoy.config.cluster.v3.Cluster'];
type RouteAction = Messages['envoy.config.route.v3.RouteAction'];

test('a second oneof member, a typo, an enum name, a bigint and a camel-cased Any do not compile', () => {
  const mistakes: readonly unknown[] = [
    // @ts-expect-error two members of one oneof
    { cluster: 'a', clusterHeader: 'b' } satisfies RouteAction,
    // @ts-expect-error two members of the second oneof of one message
    { cluster: 'a', hostRewriteLiteral: 'b', autoHostRewrite: { value: true } } satisfies RouteAction,
    // @ts-expect-error a key that does not exist
    { nmae: 'a' } satisfies Cluster,
    // @ts-expect-error protobufjs leaves names alone before digits
    { consecutive5xx: { value: 5 } } satisfies Messages['envoy.config.cluster.v3.OutlierDetection'],
    // @ts-expect-error an enum by name
    { lbPolicy: 'ROUND_ROBIN' } satisfies Cluster,
    // @ts-expect-error a number the enum does not have
    { lbPolicy: 99 } satisfies Cluster,
    // @ts-expect-error a bigint
    { seconds: 1n } satisfies Messages['google.protobuf.Duration'],
    // @ts-expect-error Any's keys are snake case
    { typeUrl: 'x', value: new Uint8Array() } satisfies Messages['google.protobuf.Any'],
    // @ts-expect-error not a message name
    {} satisfies Messages['envoy.config.cluster.v3.Clutser'],
  ];
  expect(mistakes).toHaveLength(9);
});

test('what must compile', () => {
  const maybe: string | undefined = mistakesAside();
  const action = { cluster: maybe, hostRewriteLiteral: 'b', timeout: { seconds: '5' } } satisfies RouteAction;
  const list: readonly Messages['google.protobuf.Value'][] = [{ listValue: { values: [{ nullValue: 0 }] } }, {}];
  const cluster = { lbPolicy: Cluster_LbPolicy.RING_HASH } satisfies Cluster;
  expect([action, list, cluster]).toHaveLength(3);
});

function mistakesAside(): string | undefined {
  return undefined;
}
