// Controllers as processes of their own, with the rights that the chart gives each: one reads and admits the configuration of a real
// API server, the other serves proxies from what it is handed.
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Manifest, meshConfig, virtualService } from '../feature/pilot/support/manifests.ts';
import { bankClient, ingress, ingressPod, REVIEWS, shop, shopClient } from '../feature/pilot/support/shop.ts';
import { apiServerOfFile } from './api-server-of-file.ts';
import { freePorts } from './free-ports.ts';
import { connectAs, eventually } from './kube-copy.ts';
import { renderChart } from './support/chart.ts';
import { Child } from './support/child.ts';
import { Client } from './support/client.ts';
import { Objects } from './support/objects.ts';

const server = apiServerOfFile();
const folder = mkdtempSync(join(tmpdir(), 'xebec-split-'));
const ends: (() => Promise<void> | void)[] = [() => rmSync(folder, { recursive: true, force: true })];
const nodes = [shopClient, bankClient, ingressPod];
let objects: Objects;

beforeAll(async () => {
  writeFileSync(join(folder, 'mesh.yaml'), '{}');
  await server().applyCrds();
  objects = new Objects(await connectAs(server().kubeconfig, { atEnd: (end) => void ends.push(end) }));
  await objects.put(...shop, ...ingress, marked('before'));
  const files = ['rbac.yaml', 'state.yaml'];
  await objects.put(
    ...(await renderChart({ release: 'whole', files })),
    ...(await renderChart({ release: 'galley', files, values: ['controllers={galley}'] })),
    ...(await renderChart({
      release: 'pilot',
      files: ['rbac.yaml'],
      values: ['controllers={pilot}', 'configSources={mcp://galley:9901}'],
    })),
  );
});

afterAll(async () => {
  for (const end of ends) await end();
});

function marked(text: string): Manifest {
  const http = [{ match: [{ uri: { prefix: `/${text}/` } }], route: [{ destination: { host: REVIEWS } }] }];
  const gateways = ['mesh', 'front'];
  return virtualService('shop/reviews', { hosts: [REVIEWS, 'shop.example.com'], gateways, http });
}

async function onKubernetes(release: 'whole' | 'galley' | 'pilot'): Promise<readonly string[]> {
  const token = await server().tokenFor(`istio-system/${release}-xebec`);
  const kubeconfig = `--kubeconfig=${server().tokenKubeconfig(token)}`;
  return ['--kubernetes', kubeconfig, `--service=${release}-xebec`, `--replica=${release}`];
}

type Ports = { readonly xds: number; readonly mcp: number };

/** What the mesh configuration of the Kubernetes cluster says of sources is for others. */
const ownMesh = `--mesh-config=${join(folder, 'mesh.yaml')}`;

async function startGalley({ xds, mcp }: Ports): Promise<Child> {
  const ports = [`--xds-plaintext=127.0.0.1:${xds}`, `--mcp=127.0.0.1:${mcp}`];
  const args = ['--controllers=galley', ownMesh, ...ports];
  return new Child([...args, ...(await onKubernetes('galley'))]);
}

async function connectTo(process: Child): Promise<readonly Client[]> {
  const port = await process.port('xdsPlaintext');
  return nodes.map((node, index) => Client.connect(port, node, index === 1 ? 'sotw' : 'delta'));
}

async function haveAll(clients: readonly Client[], text: string): Promise<void> {
  for (const client of clients) await client.has(`/${text}/`);
}

async function agree(one: readonly Client[], other: readonly Client[]): Promise<void> {
  const contents = (clients: readonly Client[]): readonly string[] => clients.map((client) => client.contents());
  await eventually('the same bytes', () => contents(one).join('\n') === contents(other).join('\n'));
}

type Way = 'xds' | 'mcp' | 'the mesh configuration';

/** How a pilot hears where its configuration comes from. Over xDS it needs no Kubernetes. */
async function pilotArgs(way: Way, { xds, mcp }: Ports): Promise<readonly string[]> {
  switch (way) {
    case 'xds':
      return [`--config-source=xds://127.0.0.1:${xds}`];
    case 'mcp':
      return [`--config-source=mcp://127.0.0.1:${mcp}`, ...(await onKubernetes('pilot'))];
    case 'the mesh configuration':
      await objects.put(meshConfig(`configSources: [{ address: 'mcp://127.0.0.1:${mcp}' }]`));
      return await onKubernetes('pilot');
  }
}

describe.each<Way>(['xds', 'mcp', 'the mesh configuration'])('a pilot fed by a galley, by %s', (way) => {
  test('serves what one process would, also while the galley is away, and follows it when it is back', async () => {
    await objects.put(marked('before'), meshConfig('{}'));
    const [xds = 0, mcp = 0] = await freePorts(2);
    const whole = new Child([ownMesh, ...(await onKubernetes('whole'))]);
    const first = await startGalley({ xds, mcp });
    const pilot = new Child(['--controllers=pilot', ...(await pilotArgs(way, { xds, mcp }))]);
    await Promise.all([whole, first, pilot].map((each) => each.ready()));
    const [own, fed] = [await connectTo(whole), await connectTo(pilot)];
    await haveAll([...own, ...fed], 'before');
    await agree(own, fed);

    first.signal('SIGKILL');
    await eventually('aware', async () => (await pilot.page('/debug/diagnosticsz')).text.includes('XEB1021'));
    const before = fed.map(({ responses }) => responses);
    await objects.put(marked('meanwhile'));
    await haveAll(own, 'meanwhile');
    const newcomers = await connectTo(pilot);
    await haveAll(newcomers, 'before');
    expect(await pilot.isReady()).toBe(true);
    expect(fed.map(({ responses }) => responses)).toEqual(before);
    for (const client of newcomers) await client.close();

    const second = await startGalley({ xds, mcp });
    await haveAll(fed, 'meanwhile');
    await agree(own, fed);
    await objects.put(marked('afterwards'));
    await haveAll([...own, ...fed], 'afterwards');
    await agree(own, fed);
    expect([...own, ...fed].flatMap(({ losses }) => losses)).toEqual([]);
    expect([whole, pilot, first, second].flatMap(({ errors }) => errors)).toEqual([]);
  });
});
