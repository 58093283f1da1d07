import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { TypeUrls } from '../../src/xds/type-urls.ts';
import type { AdsClient } from '../ads-client/ads-client.ts';
import { Fleet } from '../ads-client/fleet.ts';
import type { BenchCluster } from '../cluster/bench-cluster.ts';
import { meshNamespace, objects, planOf, sliceOf, virtualServiceAt } from '../cluster/cluster-objects.ts';
import type { Figure } from '../measure/report.ts';
import { median, percentile } from '../measure/stats.ts';
import { clusterOf, type MeshPlan } from '../mesh/mesh.ts';
import { sidecars } from '../mesh/proxies.ts';
import { DEBOUNCE, type XebecProcess } from '../server/xebec-process.ts';
import { checkContent, checkEqual, endpointCount } from './content.ts';
import { withProfile } from './profile.ts';
import type { Row } from './row.ts';
import { expectedInCluster, quiesce } from './scene.ts';

/** An update that is not everywhere after so long is missed. */
const PATIENCE_MS = 20_000;
const SERVICES = 100;
/** Every so many endpoint changes, one of a VirtualService. */
const ROUTE_EVERY = 10;

/** A mesh that never rests: memory stays where it is, and every change arrives at every proxy. */
export const churn: Row = {
  name: 'churn',
  run: async (context) => {
    const cluster = await context.cluster();
    const plan = planOf(SERVICES);
    await cluster.create([meshNamespace]);
    for (const kind of ['Service', 'EndpointSlice', 'VirtualService'] as const)
      await cluster.create(objects(kind, 0, SERVICES));
    const server = context.serve({ source: cluster.pod });
    await server.ready();
    const proxies = context.full ? 500 : 100;
    const fleet = new Fleet({
      address: await server.address(),
      protocol: 'delta',
      nodes: sidecars(plan, proxies),
    });
    await fleet.connect();
    const soak = await withProfile(context, server, 'churn', () =>
      runSoak({ cluster, plan, server, fleet }, context.full ? 1800 : 60),
    );
    for (const client of fleet.clients) checkContent(client, expectedInCluster(plan));
    for (const type of [TypeUrls.endpoint, TypeUrls.route]) checkEqual(fleet.clients, type);
    fleet.close();
    return [
      {
        row: 10,
        title: 'Churn soak, reading a Kubernetes API',
        conditions: `${SERVICES} services of ten endpoints, each with a VirtualService; ${proxies} proxies, delta, plaintext, debounce ${DEBOUNCE}. Each second an EndpointSlice loses or regains an endpoint; every ${ROUTE_EVERY} s a VirtualService changes. The short form takes a minute, the long one half an hour with 500 proxies.`,
        figures: figuresOf(`${proxies} proxies, ${soak.changes} changes`, soak),
        notes: [
          'A change is missed when some proxy does not have it after 20 s. At the end everything at every proxy is checked.',
        ],
      },
    ];
  },
};

type Soak = {
  readonly changes: number;
  readonly missed: number;
  readonly lost: number;
  readonly arrivedMs: readonly number[];
  /** After each tenth of the time. */
  readonly rssMiB: readonly number[];
  readonly heapBeforeMiB: number;
  readonly heapAfterMiB: number;
  readonly cpuMs: number;
};

type Stage = {
  readonly cluster: BenchCluster;
  readonly plan: MeshPlan;
  readonly server: XebecProcess;
  readonly fleet: Fleet;
};

async function runSoak(stage: Stage, seconds: number): Promise<Soak> {
  const { server, fleet } = stage;
  // A first pass over everything that will be touched: what is made once is made.
  for (let index = 0; index < ROUTE_EVERY; index += 1) await change(stage, index);
  await quiesce(server);
  const { heapMiB: heapBeforeMiB } = await server.usageAfterGc();
  const { cpuMs: cpuBefore } = server.usage();
  const arrivedMs: number[] = [];
  const rssMiB: number[] = [];
  let missed = 0;
  const begin = performance.now();
  for (let index = 0; index < seconds; index += 1) {
    const took = await change(stage, index + ROUTE_EVERY);
    if (took === undefined) missed += 1;
    else arrivedMs.push(took);
    if (index % Math.ceil(seconds / 10) === 0) rssMiB.push(server.usage().rssMiB);
    await sleep(Math.max(0, begin + (index + 1) * 1000 - performance.now()));
  }
  const { cpuMs } = server.usage();
  rssMiB.push(server.usage().rssMiB);
  await restore(stage);
  await quiesce(server);
  const { heapMiB: heapAfterMiB } = await server.usageAfterGc();
  const changes = arrivedMs.length + missed;
  return {
    changes,
    missed,
    lost: fleet.lost,
    arrivedMs,
    rssMiB,
    heapBeforeMiB,
    heapAfterMiB,
    cpuMs: cpuMs - cpuBefore,
  };
}

/** One change, until every proxy has it; undefined when some has not. */
async function change(stage: Stage, index: number): Promise<number | undefined> {
  return index % ROUTE_EVERY === ROUTE_EVERY - 1 ? changeRoute(stage, index) : changeEndpoints(stage, index);
}

async function changeEndpoints({ cluster, plan, fleet }: Stage, index: number): Promise<number | undefined> {
  const service = (Math.floor(index / 2) * 7) % plan.services;
  const name = clusterOf(plan, service);
  const known = endpointCount(fleet.clients[0]?.resources(TypeUrls.endpoint).get(name));
  const count = known === plan.endpointsPerService ? plan.endpointsPerService - 1 : plan.endpointsPerService;
  const start = performance.now();
  await cluster.replace(sliceOf(service, count));
  return arrival(fleet, start, (client) => endpointCount(client.resources(TypeUrls.endpoint).get(name)) === count);
}

async function changeRoute({ cluster, plan, fleet }: Stage, index: number): Promise<number | undefined> {
  const before = new Map(fleet.clients.map((client) => [client, routeVersion(client)]));
  const start = performance.now();
  await cluster.replace(virtualServiceAt(index % plan.services, `${10 + (index % 3000)}s`));
  return arrival(fleet, start, (client) => routeVersion(client) !== before.get(client));
}

/** All endpoints are back at the end. */
async function restore({ cluster, plan, fleet }: Stage): Promise<void> {
  for (let service = 0; service < plan.services; service += 1)
    await cluster.replace(sliceOf(service, plan.endpointsPerService));
  const isBack = (client: AdsClient): boolean =>
    Array.from({ length: plan.services }, (_, service) => clusterOf(plan, service)).every(
      (name) => endpointCount(client.resources(TypeUrls.endpoint).get(name)) === plan.endpointsPerService,
    );
  if ((await arrival(fleet, performance.now(), isBack)) === undefined) throw new Error('endpoints did not come back');
}

async function arrival(
  { clients }: Fleet,
  start: number,
  has: (client: AdsClient) => boolean,
): Promise<number | undefined> {
  while (performance.now() - start < PATIENCE_MS) {
    if (clients.every(has)) return performance.now() - start;
    await sleep(5);
  }
  return undefined;
}

function routeVersion(client: AdsClient): string {
  return client.resources(TypeUrls.route).get('80')?.version ?? '';
}

function figuresOf(workload: string, soak: Soak): readonly Figure[] {
  const half = Math.floor(soak.rssMiB.length / 2);
  return [
    { workload, what: 'missed updates', value: soak.missed, unit: '', goal: 0 },
    { workload, what: 'streams lost', value: soak.lost, unit: '', goal: 0 },
    { workload, what: 'write → at every proxy, p50', value: median(soak.arrivedMs), unit: 'ms' },
    { workload, what: 'write → at every proxy, p99', value: percentile(soak.arrivedMs, 0.99), unit: 'ms' },
    {
      ...{ workload, what: 'RSS, second half', value: median(soak.rssMiB.slice(half)), unit: 'MiB' },
      beside: [{ to: 'first half', value: median(soak.rssMiB.slice(0, half)) }],
    },
    {
      ...{ workload, what: 'heap, collected, at the end', value: soak.heapAfterMiB, unit: 'MiB' },
      beside: [{ to: 'at the beginning', value: soak.heapBeforeMiB }],
    },
    { workload, what: 'server CPU a change', value: soak.cpuMs / soak.changes, unit: 'ms' },
  ];
}
