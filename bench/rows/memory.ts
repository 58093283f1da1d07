import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { TypeUrls } from '../../src/xds/type-urls.ts';
import type { AdsClient } from '../ads-client/ads-client.ts';
import { Fleet } from '../ads-client/fleet.ts';
import type { Figure } from '../measure/report.ts';
import { defaultPlan, describeScope, type MeshPlan } from '../mesh/mesh.ts';
import { sidecars } from '../mesh/proxies.ts';
import { DEBOUNCE, type XebecProcess } from '../server/xebec-process.ts';
import type { Row, RowContext } from './row.ts';
import { checkFleet, prepareMesh, quiesce } from './scene.ts';

const PUSHES = 10;

/** Resident memory as the kernel counts it, with what mesh and proxies add to it. */
export const memory: Row = {
  name: 'memory',
  run: async (context) => {
    const figures = [
      ...(await measureIdle(context)),
      ...(await measureMesh(context, { ...base, services: 100 }, [100])),
      ...(await measureMesh(context, { ...base, services: 1000, scopedTo: 10 }, [1, 500, 1000])),
      ...(context.full ? await measureMesh(context, { ...base, services: 1000 }, [1, 500, 1000]) : []),
      ...(context.full ? await measureMesh(context, { ...base, services: 2000, scopedTo: 10 }, [1]) : []),
    ];
    return [
      {
        row: 3,
        title: 'Memory',
        conditions: `RSS from the kernel. Every proxy is a pod of the mesh; delta, plaintext, debounce ${DEBOUNCE}. “As it is”: after the work, without asking for anything. “Collected”: after a garbage collection through the inspector, which itself needs some MiB. A full push changes every cluster and sends all of them and their endpoints again.`,
        figures,
        notes: [],
      },
    ];
  },
};

const base: MeshPlan = { ...defaultPlan, pods: true };

async function measureIdle(context: RowContext): Promise<readonly Figure[]> {
  const server = context.serve({ source: prepareMesh(context, { ...base, services: 0 }) });
  await server.ready();
  await settle(server);
  const { rssMiB } = server.usage();
  await server.stop();
  return [{ workload: 'nothing', what: 'idle', value: rssMiB, unit: 'MiB', goal: 110 }];
}

type Steps = readonly number[];

async function measureMesh(context: RowContext, plan: MeshPlan, steps: Steps): Promise<readonly Figure[]> {
  const meshConfig = join(context.work, 'mesh-config.yaml');
  writeMeshConfig(meshConfig, 0);
  const server = context.serve({ source: prepareMesh(context, plan), meshConfig });
  await server.ready();
  await settle(server);
  const workload = `${plan.services} services, ${describeScope(plan)}`;
  const figures: Figure[] = [{ workload, what: 'no proxy', value: server.usage().rssMiB, unit: 'MiB' }];
  const nodes = sidecars(plan, Math.max(...steps));
  const fleets: Fleet[] = [];
  const collected: number[] = [];
  let have = 0;
  for (const proxies of steps) {
    const fleet = new Fleet({ address: await server.address(), protocol: 'delta', nodes: nodes.slice(have, proxies) });
    await fleet.connect();
    checkFleet(fleet, plan);
    fleets.push(fleet);
    have = proxies;
    await settle(server);
    figures.push(withLimits(plan, proxies, { ...{ workload, unit: 'MiB' }, value: server.usage().rssMiB }));
    // The inspector is opened only after everything that is measured without it.
    if (steps.length > 2) collected.push((await server.usageAfterGc()).rssMiB);
  }
  figures.push(...slopes({ workload, steps, collected }));
  figures.push(...(await measurePushes({ server, fleets, meshConfig, workload })));
  for (const fleet of fleets) fleet.close();
  await server.stop();
  return figures;
}

function withLimits(plan: MeshPlan, proxies: number, figure: Omit<Figure, 'what'>): Figure {
  const what = `${proxies} ${proxies === 1 ? 'proxy' : 'proxies'}, as it is`;
  if (plan.services === 1000 && proxies === 1)
    return { ...figure, what, beside: [{ to: 'Istio, unscoped', value: 148 }], goal: 148 };
  return { ...figure, what, ...(plan.services === 100 && proxies === 100 ? { goal: 192 } : {}) };
}

function slopes({
  workload,
  steps,
  collected,
}: {
  readonly workload: string;
  readonly steps: Steps;
  readonly collected: readonly number[];
}): readonly Figure[] {
  const [first, middle, last] = collected;
  const [, from, to] = steps;
  if (first === undefined || middle === undefined || last === undefined || from === undefined || to === undefined)
    return [];
  return [
    { workload, what: 'one proxy, collected', value: first, unit: 'MiB' },
    { workload, what: `${to} proxies, collected`, value: last, unit: 'MiB' },
    { workload, what: 'slope per proxy, collected', value: (last - middle) / (to - from), unit: 'MiB', goal: 0.25 },
  ];
}

type Pushed = {
  readonly server: XebecProcess;
  readonly fleets: readonly Fleet[];
  readonly meshConfig: string;
  readonly workload: string;
};

async function measurePushes({ server, fleets, meshConfig, workload }: Pushed): Promise<readonly Figure[]> {
  const clients = fleets.flatMap((fleet) => fleet.clients);
  for (let push = 1; push <= PUSHES; push += 1) {
    const before = clients.map(versionOf);
    writeMeshConfig(meshConfig, push);
    const isBehind = (client: AdsClient, index: number): boolean => versionOf(client) === before[index];
    for (let turn = 0; clients.some(isBehind); turn += 1) {
      if (turn > 1000) throw new Error(`push ${push} did not reach all proxies`);
      await sleep(50);
    }
    await quiesce(server);
  }
  await settle(server);
  const { rssMiB, peakMiB } = server.usage();
  const after = await server.usageAfterGc();
  const text = `${clients.length} proxies, after ${PUSHES} full pushes`;
  return [
    { workload, what: `${text}, as it is`, value: rssMiB, unit: 'MiB' },
    { workload, what: `${text}, at most`, value: peakMiB, unit: 'MiB' },
    { workload, what: `${text}, collected`, value: after.rssMiB, unit: 'MiB' },
  ];
}

/** The version of one cluster speaks for all: each changes with the mesh's settings. */
function versionOf(client: AdsClient): string {
  return client.resources(TypeUrls.cluster).values().next().value?.version ?? '';
}

function writeMeshConfig(file: string, push: number): void {
  writeFileSync(file, `connectTimeout: ${5 + push}s\n`);
}

async function settle(server: XebecProcess): Promise<void> {
  await quiesce(server);
  await sleep(1000);
}
