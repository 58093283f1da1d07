// A whole xebec, with the rights that the chart gives it, on a real API server that goes away in every way there is: proxies keep
// what they have, nobody is sent less than before, and what changed meanwhile arrives afterwards.
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { ManualClock } from '../../src/kit/manual-clock.ts';
import type { Manifest } from '../feature/pilot/support/manifests.ts';
import { shop, shopClient } from '../feature/pilot/support/shop.ts';
import { apiServerOfFile } from './api-server-of-file.ts';
import { connectAs, eventually } from './kube-copy.ts';
import { renderChart } from './support/chart.ts';
import { Client } from './support/client.ts';
import { InProcess, type InProcessInputs } from './support/in-process.ts';
import { haveAll, type Mesh, marked, responsesOf, startMesh } from './support/mesh-behind.ts';
import { Objects } from './support/objects.ts';

const server = apiServerOfFile();
const ends: (() => Promise<void> | void)[] = [];
let objects: Objects;
let token = '';

beforeAll(async () => {
  await server().applyCrds();
  objects = new Objects(await connectAs(server().kubeconfig, { atEnd: (end) => void ends.push(end) }));
  await objects.put(...shop, ...(await renderChart({ release: 'xebec', files: ['rbac.yaml', 'state.yaml'] })));
  token = await server().tokenFor('istio-system/xebec');
});

afterAll(async () => {
  for (const end of ends) await end();
});

beforeEach(async () => {
  await objects.put(marked('before'));
});

function start(more: Omit<InProcessInputs, 'kubeconfig'> = {}): Promise<Mesh> {
  return startMesh(server(), token, more);
}

/** Nobody lost anything, what changed meanwhile is there, what changes now arrives, and nothing was a fault of ours. */
async function expectRecovered({ xebec, clients }: Mesh): Promise<void> {
  await haveAll(clients, 'meanwhile');
  await objects.put(marked('afterwards'));
  await haveAll(clients, 'afterwards');
  expect(clients.map(({ losses }) => losses)).toEqual(clients.map(() => []));
  expect(xebec.errors()).toEqual([]);
}

/** Whoever comes while the API server is away gets what was known before, and whoever comes again has it already. */
async function expectServed({ xebec, clients }: Mesh): Promise<void> {
  const [known] = clients;
  const before = known?.contents();
  known?.cut();
  await eventually('connected again', () => xebec.xebec.xds.streams().length === 2 && (known?.streams ?? 0) > 1);
  const newcomer = Client.connect(xebec.xdsPort, shopClient, 'sotw');
  await newcomer.has('/before/');
  expect(known?.contents()).toBe(before);
  expect(newcomer.contents()).toBe(before);
  expect(xebec.xebec.isReady).toBe(true);
  await newcomer.close();
}

test('an API server that is restarted is missed by nobody', async () => {
  const mesh = await start();
  const before = responsesOf(mesh.clients);
  await server().down();
  await eventually('aware', () => mesh.xebec.codes().includes('XEB1019'));
  expect(responsesOf(mesh.clients)).toEqual(before);
  await expectServed(mesh);
  await server().up();
  await objects.put(marked('meanwhile'));
  await expectRecovered(mesh);
  await eventually('no trouble is told of', () => !mesh.xebec.codes().includes('XEB1019'));
});

test('connections that are cut again and again are resumed, without a list', async () => {
  const mesh = await start();
  // Whoever leads reads more than others.
  await eventually('it leads', async () => (await mesh.xebec.counted('xebec_kube_lists_total', 'serviceaccounts')) > 0);
  const lists = await mesh.xebec.counted('xebec_kube_lists_total');
  for (const round of ['1', '2', '3']) {
    const watches = await mesh.xebec.counted('xebec_kube_watches_total', 'virtualservices');
    mesh.proxy.cut();
    await objects.put(marked(round));
    await haveAll(mesh.clients, round);
    expect(await mesh.xebec.counted('xebec_kube_watches_total', 'virtualservices')).toBeGreaterThan(watches);
  }
  expect(await mesh.xebec.counted('xebec_kube_lists_total')).toBe(lists);
  await objects.put(marked('meanwhile'));
  await expectRecovered(mesh);
});

test('a watch that is silent without an end is given up, and begun again', async () => {
  const connectionClock = new ManualClock(Date.now());
  const mesh = await start({ connectionClock });
  const before = responsesOf(mesh.clients);
  const watchErrors = (): Promise<number> =>
    mesh.xebec.counted('xebec_kube_watch_errors_total', 'resource="virtualservices.networking.istio.io"');
  mesh.proxy.stall();
  await objects.put(marked('meanwhile'));
  expect(await watchErrors()).toBe(0);
  await connectionClock.advance(80_000);
  await eventually('given up', async () => (await watchErrors()) > 0);
  expect(responsesOf(mesh.clients)).toEqual(before);
  await expectServed(mesh);
  mesh.proxy.resume();
  await expectRecovered(mesh);
});

test('what was compacted away meanwhile is found by a new list, and only what is gone is taken back', async () => {
  const gone = marked('passing', 'bank/passing');
  const passing: Manifest = { ...gone, spec: { ...(gone['spec'] as Manifest), hosts: ['passing.example.com'] } };
  await objects.put(passing);
  const mesh = await start();
  await haveAll(mesh.clients, 'passing');
  const expired = (): Promise<number> => mesh.xebec.counted('xebec_kube_watch_errors_total', 'reason="expired"');
  const before = responsesOf(mesh.clients);
  mesh.proxy.refuse();
  for (let round = 0; round < 20; round += 1) await objects.put(marked(`round-${round}`));
  await objects.put(marked('meanwhile'));
  await objects.delete(passing);
  await server().compact();
  await server().restart();
  expect(responsesOf(mesh.clients)).toEqual(before);
  mesh.proxy.resume();
  await expectRecovered(mesh);
  expect(await expired()).toBeGreaterThan(0);
  await eventually('taken back', () => mesh.clients.every((client) => !client.mentions('/passing/')));
});

test('a replica that starts without an API server waits for it, and serves nothing before', async () => {
  const proxy = await server().flakyProxy();
  proxy.refuse();
  const xebec = await InProcess.start({ kubeconfig: server().tokenKubeconfig(token, proxy.url) });
  const client = Client.connect(xebec.xdsPort, shopClient);
  await eventually('aware', () => xebec.codes().includes('XEB1019'));
  expect(xebec.xebec.isReady).toBe(false);
  expect(xebec.xebec.galley.waitingFor().length).toBeGreaterThan(0);
  proxy.resume();
  await xebec.ready();
  await client.has('/before/');
  expect(client.losses).toEqual([]);
  expect(xebec.errors()).toEqual([]);
});

test('a replica that starts sends proxies of another nothing but what they lack', async () => {
  const mesh = await start();
  const [client] = mesh.clients;
  if (client === undefined) throw new Error('there are clients');
  await client.close();
  await objects.put(marked('meanwhile'));
  const kubeconfig = server().tokenKubeconfig(token);
  const other = await InProcess.start({ kubeconfig, config: { replica: 'xebec-1' } });
  const again = Client.resume(other.xdsPort, client.envoy);
  await again.has('/meanwhile/');
  expect(again.envoy.take().map(({ kind, names }) => [kind, names.length])).toEqual([['route', 1]]);
  expect(again.losses).toEqual([]);
  expect(other.errors()).toEqual([]);
});
