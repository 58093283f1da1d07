import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Fleet } from '../ads-client/fleet.ts';
import type { Protocol } from '../ads-client/library.ts';
import { API_CLUSTER } from '../cluster/cluster-objects.ts';
import { buildMesh, clusterOf, type MeshPlan } from '../mesh/mesh.ts';
import { writeMesh } from '../mesh/mesh-folder.ts';
import { sidecars } from '../mesh/proxies.ts';
import type { ExpectedContent } from '../mesh/shapes.ts';
import type { XebecProcess } from '../server/xebec-process.ts';
import { checkContent } from './content.ts';
import type { RowContext } from './row.ts';

export type SceneOptions = {
  readonly plan: MeshPlan;
  readonly proxies: number;
  readonly protocol: Protocol;
  /** Over how long the proxies come. */
  readonly spreadMs?: number;
  /** More flags of the server. */
  readonly flags?: readonly string[];
};

/** A mesh, a server of it, and proxies that have everything. */
export type Scene = {
  readonly root: string;
  readonly plan: MeshPlan;
  readonly server: XebecProcess;
  readonly fleet: Fleet;
};

let serial = 0;

/** Writes a mesh to a folder of its own. */
export function prepareMesh({ work }: RowContext, plan: MeshPlan): string {
  serial += 1;
  const root = join(work, `mesh-${serial}`);
  mkdirSync(root);
  writeMesh(root, buildMesh(plan));
  return root;
}

export async function setScene(
  context: RowContext,
  { plan, proxies, protocol, spreadMs, flags = [] }: SceneOptions,
): Promise<Scene> {
  const root = prepareMesh(context, plan);
  const server = context.serve({ source: root, flags });
  await server.ready();
  const fleet = new Fleet({ address: await server.address(), protocol, nodes: sidecars(plan, proxies) });
  await fleet.connect(spreadMs === undefined ? {} : { spreadMs });
  checkFleet(fleet, plan);
  return { root, plan, server, fleet };
}

/** Proxies are few kinds many times: some of each end of the list speak for all. */
export function checkFleet({ clients }: Fleet, plan: MeshPlan): void {
  const expected = expectedOf(plan);
  for (const client of new Set([...clients.slice(0, 3), ...clients.slice(-3)])) checkContent(client, expected);
}

export function expectedOf(plan: MeshPlan): ExpectedContent {
  const seen = plan.scopedTo === 0 ? plan.services : Math.min(plan.scopedTo, plan.services);
  return {
    clusters: Array.from({ length: seen }, (_, index) => clusterOf(plan, index)),
    endpointsPerCluster: plan.endpointsPerService,
    virtualHosts: plan.protocol === 'http' ? seen : 0,
  };
}

/** The same on an API server, which is a service of its own. */
export function expectedInCluster(plan: MeshPlan): ExpectedContent {
  return { ...expectedOf(plan), besides: [API_CLUSTER] };
}

export async function endScene({ server, fleet }: Scene): Promise<void> {
  fleet.close();
  await server.stop();
}

/** Waits until the server has had nothing to do for a moment. */
export async function quiesce(server: XebecProcess): Promise<void> {
  for (let turn = 0; turn < 100; turn += 1) {
    const before = server.usage().cpuMs;
    await sleep(200);
    if (server.usage().cpuMs - before < 10) return;
  }
}
