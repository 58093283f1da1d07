import { decodeMessage } from '../../src/gen/codec.ts';
import { TypeUrls } from '../../src/xds/type-urls.ts';
import type { Resource } from '../ads-client/library.ts';
import type { Figure, RowReport } from '../measure/report.ts';
import { percentile } from '../measure/stats.ts';
import { defaultPlan, describeScope, HTTP_PORT, hostOf, type MeshPlan, virtualServiceFile } from '../mesh/mesh.ts';
import { type BareTimes, measureBare } from '../server/bare-process.ts';
import { DEBOUNCE } from '../server/xebec-process.ts';
import { type Change, type ChangeTimes, measureChanges } from './changes.ts';
import { BARE_NOTE } from './endpoint-change.ts';
import { withProfile } from './profile.ts';
import type { Row, RowContext } from './row.ts';
import { endScene, type SceneOptions, setScene } from './scene.ts';

type Case = SceneOptions & { readonly istioMs?: number };

const small: MeshPlan = { ...defaultPlan, services: 100, virtualServices: true, pods: true };
const large: MeshPlan = { ...small, services: 1000 };
/** Every workload sees ten services, the changed one among them. */
const scoped: MeshPlan = { ...large, scopedTo: 10 };

/** The timeout of one VirtualService changes; every proxy is told of one route configuration and of nothing else. */
export const routeChange: Row = {
  name: 'route-change',
  run: async (context) => {
    const cases: readonly Case[] = [
      { plan: small, proxies: 100, protocol: 'delta', istioMs: 305 },
      { plan: small, proxies: 1000, protocol: 'delta', istioMs: 937 },
      { plan: large, proxies: 100, protocol: 'delta' },
      { plan: scoped, proxies: 1000, protocol: 'delta' },
      ...(context.full ? fullCases : []),
    ];
    const figures: Figure[] = [];
    for (const each of cases) {
      const times = await measure(context, each);
      figures.push(...figuresOf(each, times, await measureBare(times.bytes, each.proxies)));
    }
    return [reportOf(figures)];
  },
};

const fullCases: readonly Case[] = [
  // Each namespace has short names of its own, and so virtual hosts of its own.
  { plan: { ...large, namespaces: 50 }, proxies: 200, protocol: 'delta' },
  { plan: large, proxies: 1000, protocol: 'delta' },
  { plan: small, proxies: 1000, protocol: 'sotw' },
];

/** The `index`th edit of a service's VirtualService that every proxy sees. */
export function routeEdit(plan: MeshPlan, index: number): Change {
  const seen = plan.scopedTo === 0 ? plan.services : plan.scopedTo;
  const service = (index * 7) % seen;
  const seconds = 10 + index;
  return {
    file: virtualServiceFile(plan, service, `${seconds}s`),
    isIt: ({ typeUrl, resources: [first, ...others] }) =>
      typeUrl === TypeUrls.route &&
      others.length === 0 &&
      first !== undefined &&
      timeoutOf(first, hostOf(plan, service)) === seconds,
  };
}

type Timeouts = ReadonlyMap<string, number>;
const timeouts = new WeakMap<Resource, Timeouts>();

function timeoutOf(route: Resource, host: string): number {
  const known = timeouts.get(route) ?? readTimeouts(route);
  timeouts.set(route, known);
  return known.get(`${host}:${HTTP_PORT}`) ?? Number.NaN;
}

/** Of each virtual host, the timeout of its first route in seconds. */
function readTimeouts({ value }: Resource): Timeouts {
  const { virtualHosts = [] } = decodeMessage('envoy.config.route.v3.RouteConfiguration', value);
  return new Map(
    virtualHosts.map(({ name = '', routes: [first] = [] }) => {
      const action = first !== undefined && 'route' in first ? first.route : undefined;
      return [name, Number(action?.timeout?.seconds ?? 0)];
    }),
  );
}

async function measure(context: RowContext, each: Case): Promise<ChangeTimes> {
  const scene = await setScene(context, each);
  const edits = Array.from({ length: context.full ? 30 : 6 }, (_, index) => routeEdit(each.plan, index));
  const name = `route-change-${each.plan.services}-${each.proxies}-${each.protocol}`;
  const times = await withProfile(context, scene.server, name, () =>
    measureChanges(scene, edits, { gapMs: context.full ? 900 : 300 }),
  );
  await endScene(scene);
  return times;
}

function figuresOf({ plan, proxies, protocol, istioMs }: Case, times: ChangeTimes, bare: BareTimes): readonly Figure[] {
  const workload = `${plan.services} VirtualServices, ${proxies} proxies, ${describeScope(plan)}, ${protocol}`;
  const istio = istioMs === undefined ? [] : [{ to: 'Istio', value: istioMs }];
  const beside = [...istio, { to: 'bare', value: bare.p50Ms }];
  return [
    { workload, what: 'responses beyond the touched route', value: times.surplus.length, unit: '', goal: 0 },
    { workload, what: 'size of the response', value: times.bytes / 1024, unit: 'KiB' },
    { workload, what: 'last byte p50', value: percentile(times.arrivedMs, 0.5), unit: 'ms', beside },
    { workload, what: 'last byte p99', value: percentile(times.arrivedMs, 0.99), unit: 'ms' },
    { workload, what: 'ACK p50', value: percentile(times.confirmedMs, 0.5), unit: 'ms' },
    { workload, what: 'ACK p99', value: percentile(times.confirmedMs, 0.99), unit: 'ms' },
    {
      ...{ workload, what: 'server CPU a change', value: times.cpuMs, unit: 'ms' },
      beside: [{ to: 'bare', value: bare.cpuMs }],
    },
    { workload, what: 'server waited for a CPU', value: times.waitedMs, unit: 'ms' },
    { workload, what: 'event loop longest block', value: times.loop.maxMs, unit: 'ms', goal: 50 },
  ];
}

function reportOf(figures: readonly Figure[]): RowReport {
  return {
    row: 4,
    title: 'VirtualService change → ACK',
    conditions: `One VirtualService for each service; everything warm; one change at a time, so none waits for the debounce (${DEBOUNCE}); plaintext. A sidecar’s routes of one port are one resource: it is sent whole, and nothing else is.`,
    figures,
    notes: [
      BARE_NOTE,
      'Istio’s figures are the latency of a route change with 100 services; it sends 145 unchanged resources again.',
    ],
  };
}
