// Several replicas as processes of their own: one of them writes, all of them serve, whatever becomes of the others.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { asRecord, numberIn, textIn } from '../../src/kube/json.ts';
import { type Manifest, object, virtualService } from '../feature/pilot/support/manifests.ts';
import { node } from '../feature/pilot/support/process.ts';
import { bankClient, REVIEWS, shop, shopClient } from '../feature/pilot/support/shop.ts';
import { apiServerOfFile } from './api-server-of-file.ts';
import { connectAs, eventually } from './kube-copy.ts';
import { type AuditEntry, AuditLog } from './support/audit.ts';
import { renderChart } from './support/chart.ts';
import { Child } from './support/child.ts';
import { Client } from './support/client.ts';
import { Objects } from './support/objects.ts';

const audit = new AuditLog();
const server = apiServerOfFile({ flags: audit.flags });
const ends: (() => Promise<void> | void)[] = [];
const lease = object('coordination.k8s.io/v1', 'Lease', 'istio-system/xebec-leader', {});
let objects: Objects;

beforeAll(async () => {
  await server().applyCrds();
  objects = new Objects(await connectAs(server().kubeconfig, { atEnd: (end) => void ends.push(end) }));
  await objects.put(...shop, marked('before'));
  await objects.put(...(await renderChart({ release: 'xebec', files: ['rbac.yaml', 'state.yaml'] })));
});

afterAll(async () => {
  for (const end of ends) await end();
});

function marked(text: string): Manifest {
  const http = [{ match: [{ uri: { prefix: `/${text}/` } }], route: [{ destination: { host: REVIEWS } }] }];
  return virtualService('shop/reviews', { hosts: [REVIEWS], http });
}

/** A replica has a token of its own, by which the API server knows what it did. */
async function startReplica(name: string): Promise<Child> {
  const token = await server().tokenFor('istio-system/xebec');
  const replica = new Child(['--kubernetes', `--kubeconfig=${server().tokenKubeconfig(token)}`, `--replica=${name}`]);
  return await replica.ready();
}

async function leader(): Promise<string> {
  return textIn(asRecord((await objects.get(lease))['spec']), 'holderIdentity');
}

/** Whether the status is of the object as it is now. */
async function isJudged(): Promise<boolean> {
  const { metadata, status } = await objects.get(marked(''));
  return Number(asRecord(status)['observedGeneration']) === numberIn(asRecord(metadata), 'generation');
}

/** Changes the mesh, and waits until proxies have it and its owner is told. */
async function change(text: string, clients: readonly Client[]): Promise<void> {
  await objects.put(marked(text));
  for (const client of clients) await client.has(`/${text}/`);
  await eventually(`the status of ${text}`, isJudged);
}

test('one replica writes at a time, be the leader frozen, killed, or told to go; the others serve all the while', async () => {
  const first = await startReplica('one');
  await eventually('one leads', async () => (await leader()) === 'one');
  const second = await startReplica('two');
  const ofFirst = Client.connect(await first.port('xdsPlaintext'), shopClient, 'delta');
  const ofSecond = Client.connect(await second.port('xdsPlaintext'), bankClient, 'sotw');
  await change('both', [ofFirst, ofSecond]);

  first.signal('SIGSTOP');
  await eventually('two leads', async () => (await leader()) === 'two');
  await change('frozen', [ofSecond]);
  expect(ofFirst.mentions('/both/')).toBe(true);
  first.signal('SIGCONT');
  await ofFirst.has('/frozen/');
  await change('thawed', [ofFirst, ofSecond]);
  expect(await leader()).toBe('two');

  second.signal('SIGKILL');
  await eventually('one leads again', async () => (await leader()) === 'one');
  await change('killed', [ofFirst]);
  expect(ofSecond.mentions('/thawed/')).toBe(true);

  const third = await startReplica('three');
  const ofThird = Client.connect(await third.port('xdsPlaintext'), shopClient, 'sotw');
  first.signal('SIGTERM');
  expect(await first.ended()).toBe(0);
  await eventually('three leads', async () => (await leader()) === 'three');
  await change('gone', [ofThird]);

  expect([ofFirst, ofSecond, ofThird].map(({ losses }) => losses)).toEqual([[], [], []]);
  expect([first, second, third].map(({ errors }) => errors)).toEqual([[], [], []]);
  const writes = audit.read();
  expect(new Set(statusWrites(writes).map(({ writer }) => writer))).toEqual(new Set(['one', 'two', 'three']));
  expect(statusWrites(writes).filter(({ writer, holder }) => writer !== holder)).toEqual([]);
});

type StatusWrite = { readonly writer: string; readonly holder: string; readonly name: string };

/** Every status that was written, by whom, and who held the Lease last. One that is under way when the Lease is given back may come after. */
function statusWrites(entries: readonly AuditEntry[]): readonly StatusWrite[] {
  const isHeld = ({ resource, code, holder }: AuditEntry): boolean =>
    resource === 'coordination.k8s.io/leases' && code < 300 && holder !== '';
  const held = entries.filter(isHeld);
  const nameOf = new Map(held.map(({ credential, holder }) => [credential, holder]));
  return entries.flatMap(({ resource, code, credential, name }, index) => {
    if (!resource.endsWith('/status') || code >= 300) return [];
    const holder = entries.slice(0, index).findLast(isHeld)?.holder ?? '';
    return [{ writer: nameOf.get(credential) ?? credential, holder, name }];
  });
}

test('a replica that is told to go lets its proxies go to another, which has nothing to tell them', async () => {
  const [old, next] = [await startReplica('old'), await startReplica('next')];
  const ports = [await old.port('xdsPlaintext'), await next.port('xdsPlaintext')];
  const clients = Array.from({ length: 40 }, (_, index) =>
    Client.connect(ports, node(`shop/web-${index}`, `10.1.7.${index}`, { labels: { app: 'web' } })),
  );
  await objects.put(marked('all'));
  for (const client of clients) await client.has('/all/');
  const contents = clients.map((client) => client.contents());
  for (const client of clients) client.envoy.take();
  old.signal('SIGTERM');
  expect(await old.ended()).toBe(0);
  await eventually('with the other', async () => {
    const streams: unknown = JSON.parse((await next.page('/debug/syncz')).text);
    return Array.isArray(streams) && streams.length === clients.length;
  });
  await objects.put(marked('moved'));
  for (const client of clients) await client.has('/moved/');
  // Only the change: whoever comes with all he has is sent none of it.
  const received = clients.map(({ envoy }) => envoy.take().map(({ kind, names }) => `${kind} ${names.length}`));
  expect(new Set(received.flat())).toEqual(new Set(['route 1']));
  expect(clients.flatMap(({ losses }) => losses)).toEqual([]);
  expect(contents.every((each) => each !== '')).toBe(true);
  expect([...old.errors, ...next.errors]).toEqual([]);
});
