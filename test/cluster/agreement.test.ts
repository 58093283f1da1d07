// What replicas have from one API server is the same, whatever they saw of how it came about; and what changes nothing moves nothing.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { asRecord } from '../../src/kube/json.ts';
import { checkout } from '../../tools/paths.mjs';
import {
  destinationRule,
  type Manifest,
  meshConfig,
  object,
  serviceEntry,
  virtualService,
  withMeta,
} from '../feature/pilot/support/manifests.ts';
import { bankClient, ingress, ingressPod, REVIEWS, shop, shopClient } from '../feature/pilot/support/shop.ts';
import { Random } from '../support/random.ts';
import { apiServerOfFile } from './api-server-of-file.ts';
import { connectAs, eventually } from './kube-copy.ts';
import { Client } from './support/client.ts';
import { InProcess } from './support/in-process.ts';
import { manifestsIn, Objects } from './support/objects.ts';

const server = apiServerOfFile();
const ends: (() => Promise<void> | void)[] = [];
const nodes = [shopClient, bankClient, ingressPod];
let objects: Objects;

beforeAll(async () => {
  await server().applyCrds();
  objects = new Objects(await connectAs(server().kubeconfig, { atEnd: (end) => void ends.push(end) }));
  await objects.put(...shop, ...ingress, marked('before'));
});

afterAll(async () => {
  for (const end of ends) await end();
});

function marked(text: string): Manifest {
  const http = [{ match: [{ uri: { prefix: `/${text}/` } }], route: [{ destination: { host: REVIEWS } }] }];
  return virtualService('shop/reviews', { hosts: [REVIEWS], http });
}

function samplesIn(folder: string): readonly Manifest[] {
  const path = join(checkout, 'samples/bookinfo', folder);
  const files = readdirSync(path).filter((file) => file.endsWith('.yaml'));
  return files.flatMap((file) => manifestsIn(readFileSync(join(path, file), 'utf8')));
}

/** Two of everything that only one can win, and one that nobody can have. */
const rivals: readonly Manifest[] = ['bank', 'shop'].flatMap((namespace) =>
  ['a', 'b'].flatMap((name) => [
    virtualService(`${namespace}/rival-${name}`, {
      hosts: ['rival.example.com'],
      http: [{ route: [{ destination: { host: REVIEWS } }], match: [{ uri: { prefix: `/${namespace}/${name}` } }] }],
    }),
    destinationRule(`${namespace}/rival-${name}`, {
      host: 'rival.example.com',
      subsets: [{ name, labels: { name } }],
      trafficPolicy: { connectionPool: { tcp: { maxConnections: name === 'a' ? 7 : 9 } } },
    }),
    serviceEntry(`${namespace}/rival-${name}`, {
      hosts: ['rival.example.com'],
      ports: [{ number: 80, name: 'http', protocol: 'HTTP' }],
      resolution: 'STATIC',
      endpoints: [{ address: name === 'a' ? '10.7.0.1' : '10.7.0.2' }],
    }),
  ]),
);

test('replicas that saw all changes, a few, or none of them have the same bytes', async () => {
  const random = new Random(20_240_601);
  const live = await InProcess.start({ kubeconfig: server().kubeconfig });
  const proxy = await server().flakyProxy();
  const user = server().userKubeconfig('late', ['system:masters'], proxy.url);
  const late = await InProcess.start({ kubeconfig: user, config: { replica: 'late' } });
  await Promise.all([live.ready(), late.ready()]);

  const changes = [...samplesIn('networking').map((each) => withMeta(each, placeOf(each))), ...rivals];
  for (let round = 0; round < 120; round += 1) {
    if (round % 30 === 10) proxy.refuse();
    if (round % 30 === 25) proxy.resume();
    const each = random.pick(changes);
    await (random.chance(0.3) ? objects.delete(each) : objects.put(each));
  }
  proxy.resume();
  const newest = await InProcess.start({ kubeconfig: server().kubeconfig, config: { replica: 'newest' } });
  await newest.ready();
  await objects.put(marked('end'));
  const all = [live, late, newest].map(({ xdsPort }) => nodes.map((each) => Client.connect(xdsPort, each)));
  for (const client of all.flatMap(([shopper, banker]) => [shopper, banker])) await client?.has('/end/');
  const contents = (): readonly string[] =>
    all.map((clients) => JSON.stringify(clients.map((each) => each.contents())));
  await eventually('agreed', () => new Set(contents()).size === 1 && all.flat().every(({ isComplete }) => isComplete));
  expect(all[0]?.[0]?.mentions('rival.example.com')).toBe(true);
  const versions = all.map((clients) => clients.map(versionsOf));
  expect(versions[1]).toEqual(versions[0]);
  expect(versions[2]).toEqual(versions[0]);
  await objects.delete(...changes);
});

function versionsOf({ envoy }: Client): Readonly<Record<string, string>> {
  const entries = Object.entries(envoy.store).flatMap(([kind, store]) =>
    [...store].map(([name, { version }]) => [`${kind} ${name}`, version] as const),
  );
  return Object.fromEntries(entries);
}

function placeOf({ metadata }: Manifest): Manifest {
  return { namespace: 'default', ...asRecord(metadata) };
}

test('what changes nothing is pushed to nobody', async () => {
  await objects.put(marked('quiet'), meshConfig('{}'));
  const xebec = await InProcess.start({ kubeconfig: server().kubeconfig });
  await xebec.ready();
  const clients = nodes.map((each, index) => Client.connect(xebec.xdsPort, each, index === 1 ? 'sotw' : 'delta'));
  for (const client of clients.slice(0, 2)) await client.has('/quiet/');
  await eventually('complete', () => clients.every(({ isComplete }) => isComplete));
  // Its status is written, which is a change of the object too.
  await eventually('judged', async () => (await objects.conditionsOf(marked('')))['Programmed'] === 'True');
  const before = clients.map(({ responses }) => responses);
  const events = (): Promise<number> => xebec.counted('xebec_kube_watch_events_total', 'type="MODIFIED"');
  const seen = await events();

  const touched = [...shop, ...ingress, marked('quiet'), meshConfig('{}')];
  for (const round of ['1', '2']) {
    await objects.put(...touched.map((each) => withMeta(each, { annotations: { 'example.com/round': round } })));
    // The same once more: the API server does not even count it as a change.
    await objects.put(...touched.map((each) => withMeta(each, { annotations: { 'example.com/round': round } })));
  }
  const conditions = [{ type: 'example.com/Checked', status: 'True', lastTransitionTime: '2024-06-01T00:00:00Z' }];
  const { status: _, ...reviews } = marked('quiet');
  await objects.put({ ...reviews, status: { conditions } });
  const ready = { type: 'Ready', status: 'True', lastHeartbeatTime: '2024-06-01T00:00:00Z' };
  const machine = { ...object('v1', 'Node', 'one', {}), metadata: { name: 'one' } };
  await objects.put(machine, { ...machine, status: { conditions: [ready] } });
  await eventually('all of it was seen', async () => (await events()) >= seen + 2 * touched.length);

  await objects.put(marked('loud'));
  for (const client of clients.slice(0, 2)) await client.has('/loud/');
  const after = clients.map(({ responses }, index) => responses - (before[index] ?? 0));
  // The routes of the two that have this rule, once.
  expect(after).toEqual([1, 1, 0]);
  expect(clients.map(({ losses }) => losses)).toEqual([[], [], []]);
  expect(xebec.errors()).toEqual([]);
});
