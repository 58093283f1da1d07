import { decodeMessage } from '../../src/gen/codec.ts';
import { TypeUrls } from '../../src/xds/type-urls.ts';
import type { Resource } from '../ads-client/library.ts';
import type { Figure, RowReport } from '../measure/report.ts';
import { percentile } from '../measure/stats.ts';
import { clusterOf, defaultPlan, destinationRuleFile, type MeshPlan } from '../mesh/mesh.ts';
import { DEBOUNCE } from '../server/xebec-process.ts';
import { type Change, type ChangeTimes, measureChanges } from './changes.ts';
import { withProfile } from './profile.ts';
import type { Row, RowContext } from './row.ts';
import { endScene, type SceneOptions, setScene } from './scene.ts';

type Case = SceneOptions & { readonly istioMs?: number };

const plan: MeshPlan = { ...defaultPlan, services: 100, destinationRules: true, pods: true };

/** One DestinationRule changes: every proxy is told of one cluster, and of its endpoints, for which Envoy waits. */
export const clusterChange: Row = {
  name: 'cluster-change',
  run: async (context) => {
    const cases: readonly Case[] = [
      { plan, proxies: 100, protocol: 'delta', istioMs: 250 },
      { plan, proxies: 1000, protocol: 'delta', istioMs: 832 },
      ...(context.full ? [{ plan: { ...plan, services: 1000 }, proxies: 1000, protocol: 'delta' } as const] : []),
    ];
    const figures: Figure[] = [];
    for (const each of cases) figures.push(...figuresOf(each, await measure(context, each)));
    return [reportOf(figures)];
  },
};

/** The `index`th edit of a service's DestinationRule. */
function clusterEdit(of: MeshPlan, index: number): Change {
  const service = (index * 7) % of.services;
  const cluster = clusterOf(of, service);
  const seconds = 10 + index;
  return {
    file: destinationRuleFile(of, service, `${seconds}s`),
    isIt: ({ typeUrl, resources }) => {
      const changed = resources.find(({ name }) => name === cluster);
      // To the service's own pods the rule says how they take connections.
      const areOthersOwn = resources.every(({ name }) => name === cluster || name.startsWith('inbound|'));
      return typeUrl === TypeUrls.cluster && areOthersOwn && changed !== undefined && timeoutOf(changed) === seconds;
    },
    follows: ({ typeUrl, resources: [first, ...others] }) =>
      typeUrl === TypeUrls.endpoint && first?.name === cluster && others.length === 0,
  };
}

const timeouts = new WeakMap<Resource, number>();

function timeoutOf(cluster: Resource): number {
  const known = timeouts.get(cluster);
  if (known !== undefined) return known;
  const { connectTimeout } = decodeMessage('envoy.config.cluster.v3.Cluster', cluster.value);
  const seconds = Number(connectTimeout?.seconds ?? 0);
  timeouts.set(cluster, seconds);
  return seconds;
}

async function measure(context: RowContext, each: Case): Promise<ChangeTimes> {
  const scene = await setScene(context, each);
  const edits = Array.from({ length: context.full ? 30 : 8 }, (_, index) => clusterEdit(each.plan, index));
  const name = `cluster-change-${each.plan.services}-${each.proxies}`;
  const times = await withProfile(context, scene.server, name, () =>
    measureChanges(scene, edits, { gapMs: context.full ? 900 : 300 }),
  );
  await endScene(scene);
  return times;
}

function figuresOf({ plan: { services }, proxies, protocol, istioMs }: Case, times: ChangeTimes): readonly Figure[] {
  const workload = `${services} services, ${proxies} proxies, ${protocol}`;
  const beside = istioMs === undefined ? [] : [{ to: 'Istio', value: istioMs }];
  return [
    {
      ...{ workload, what: 'responses beyond the cluster and its endpoints', value: times.surplus.length, unit: '' },
      goal: 0,
    },
    { workload, what: 'cluster, last byte p50', value: percentile(times.arrivedMs, 0.5), unit: 'ms', beside },
    { workload, what: 'cluster, last byte p99', value: percentile(times.arrivedMs, 0.99), unit: 'ms' },
    { workload, what: 'server CPU a change', value: times.cpuMs, unit: 'ms' },
    { workload, what: 'server waited for a CPU', value: times.waitedMs, unit: 'ms' },
    { workload, what: 'event loop longest block', value: times.loop.maxMs, unit: 'ms', goal: 50 },
  ];
}

function reportOf(figures: readonly Figure[]): RowReport {
  return {
    row: 4,
    title: 'DestinationRule change → ACK (beside row 4)',
    conditions: `A DestinationRule for each service; everything warm, every proxy a pod of the mesh, unscoped; one change at a time, so none waits for the debounce (${DEBOUNCE}); plaintext. Endpoints follow their cluster: without them Envoy keeps it warming.`,
    figures,
    notes: ['Istio’s figures are the latency of a cluster change with 100 services.'],
  };
}
