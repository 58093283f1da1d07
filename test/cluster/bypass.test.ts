// Objects that no webhook and no schema has seen, put straight into storage: whatever is in them, proxies of everything else get
// the same bytes, what was good before stays in force, and each is told what is wrong with it.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { collectionFor } from '../../src/apis/collections.ts';
import { judge } from '../../src/galley/admission/judge.ts';
import { asRecord, recordsIn, textIn } from '../../src/kube/json.ts';
import { checkout } from '../../tools/paths.mjs';
import { type Manifest, virtualService } from '../feature/pilot/support/manifests.ts';
import { bankClient, ingress, ingressPod, REVIEWS, shop, shopClient } from '../feature/pilot/support/shop.ts';
import { Random } from '../support/random.ts';
import { apiServerOfFile } from './api-server-of-file.ts';
import { connectAs, eventually } from './kube-copy.ts';
import { Client } from './support/client.ts';
import { InProcess } from './support/in-process.ts';
import { manifestsIn, Objects } from './support/objects.ts';
import { spoil } from './support/spoil.ts';

const SEED = 20_240_623;
const server = apiServerOfFile();
const ends: (() => Promise<void> | void)[] = [];
let objects: Objects;

beforeAll(async () => {
  objects = new Objects(await connectAs(server().kubeconfig, { atEnd: (end) => void ends.push(end) }));
  const folder = join(checkout, 'crds/');
  const definitions = readdirSync(folder).flatMap((file) => manifestsIn(readFileSync(join(folder, file), 'utf8')));
  await objects.put(...definitions.map(withoutSchema));
  const waited = await server().kubectl(['wait', '--for=condition=Established', '--timeout=60s', 'crd', '--all']);
  expect(waited.status).toBe(0);
  await objects.put(...shop, ...ingress, marked('before'), ...samples);
});

afterAll(async () => {
  for (const end of ends) await end();
});

/** Takes any object, as the definitions of old releases do. */
function withoutSchema(definition: Manifest): Manifest {
  const spec = asRecord(definition['spec']);
  const openAPIV3Schema = { type: 'object', 'x-kubernetes-preserve-unknown-fields': true };
  const versions = recordsIn(spec, 'versions').map(({ additionalPrinterColumns: _, ...version }) => ({
    ...version,
    schema: { openAPIV3Schema },
  }));
  return { ...definition, spec: { ...spec, versions } };
}

function marked(text: string): Manifest {
  const http = [{ match: [{ uri: { prefix: `/${text}/` } }], route: [{ destination: { host: REVIEWS } }] }];
  return virtualService('shop/reviews', { hosts: [REVIEWS], http });
}

/** An object of every kind in every form, with all fields. */
const samples = samplesIn(new URL('objects/', import.meta.url));

function samplesIn(folder: URL): readonly Manifest[] {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.yaml'));
  return files
    .toSorted()
    .flatMap((file) => manifestsIn(readFileSync(new URL(file, folder), 'utf8')))
    .map((each) => renamed(each, textIn(asRecord(each['metadata']), 'name')));
}

function renamed(manifest: Manifest, name: string): Manifest {
  const { namespace: own, ...metadata } = asRecord(manifest['metadata']);
  const scope = collectionFor(textIn(manifest, 'apiVersion'), textIn(manifest, 'kind'))?.scope;
  const namespace = scope === 'cluster' ? {} : { namespace: own ?? 'samples' };
  return { ...manifest, metadata: { ...metadata, ...namespace, name } };
}

/** Whether the webhook would have let it in. */
function isAllowed(object: Manifest): boolean {
  const [group = '', version = ''] = textIn(object, 'apiVersion').split('/');
  const { namespace, name } = asRecord(object['metadata']);
  const request = {
    uid: '',
    kind: { group, version, kind: textIn(object, 'kind') },
    subResource: '',
    name: String(name),
    namespace: typeof namespace === 'string' ? namespace : '',
    operation: 'CREATE',
    object,
    oldObject: undefined,
    dryRun: false,
  };
  return judge(request, () => []).allowed;
}

function fuzz(count: number, isWanted: (object: Manifest) => boolean, make: () => Manifest): readonly Manifest[] {
  const made: Manifest[] = [];
  while (made.length < count) {
    const object = make();
    if (isWanted(object)) made.push(object);
  }
  return made;
}

test('300 spoilt objects hurt nobody, and each is told of', async () => {
  const random = new Random(SEED);
  const xebec = await InProcess.start({ kubeconfig: server().kubeconfig });
  await xebec.ready();
  const clients = [shopClient, bankClient, ingressPod].map((node, index) =>
    Client.connect(xebec.xdsPort, node, index === 1 ? 'sotw' : 'delta'),
  );
  for (const client of clients.slice(0, 2)) await client.has('/before/');
  await eventually('complete', () => clients.every(({ isComplete }) => isComplete));
  const before = clients.map(({ responses }) => responses);
  const contents = clients.map((client) => client.contents());

  let count = 0;
  const isBad = (object: Manifest): boolean => !isAllowed(object);
  const newcomers = fuzz(220, isBad, () => renamed(spoil(random.pick(samples), random), `spoilt-${count++}`));
  const changed = samples.map((sample) => fuzz(1, isBad, () => spoil(sample, random))).flat();
  const spoilt = [...newcomers, ...changed];
  expect(spoilt.length).toBeGreaterThanOrEqual(300);
  await objects.store(...spoilt);
  const refused = (): ReadonlySet<string> =>
    new Set(
      xebec.xebec.galley
        .diagnostics()
        .flatMap(({ level, object }) => (level === 'error' && object ? [keyOf(object.kind, object)] : [])),
    );
  const untold = (): readonly string[] => spoilt.map(keyOfManifest).filter((key) => !refused().has(key));
  await expect.poll(untold, { timeout: 60_000 }).toEqual([]);
  expect(clients.map((client) => client.contents())).toEqual(contents);
  expect(clients.map(({ responses }) => responses)).toEqual(before);

  let unwritten = spoilt;
  const lookAgain = async (): Promise<readonly string[]> => {
    const conditions = await Promise.all(unwritten.map((each) => objects.conditionsOf(each)));
    unwritten = unwritten.filter((_, index) => conditions[index]?.['Accepted'] !== 'False');
    return unwritten.map(keyOfManifest);
  };
  await expect.poll(lookAgain, { timeout: 90_000, interval: 1_000 }).toEqual([]);
  await objects.put(marked('afterwards'));
  for (const client of clients.slice(0, 2)) await client.has('/afterwards/');
  expect(xebec.errors()).toEqual([]);
  expect(clients.map(({ losses }) => losses)).toEqual([[], [], []]);
});

type Named = { readonly namespace: string; readonly name: string };

function keyOf(kind: string, { namespace, name }: Named): string {
  return `${kind} ${namespace}/${name}`;
}

function keyOfManifest(manifest: Manifest): string {
  const { namespace, name } = asRecord(manifest['metadata']);
  const place = { namespace: typeof namespace === 'string' ? namespace : '', name: String(name) };
  return keyOf(textIn(manifest, 'kind'), place);
}

test('odd objects that pass, and statuses that nobody would write, are no harm either', async () => {
  const random = new Random(SEED + 1);
  const xebec = await InProcess.start({ kubeconfig: server().kubeconfig });
  await xebec.ready();
  const client = Client.connect(xebec.xdsPort, shopClient);
  await objects.put(marked('before'));
  await client.has('/before/');
  const before = client.contents();
  let count = 0;
  const odd = fuzz(120, isAllowed, () => renamed(spoil(random.pick(samples), random), `odd-${count++}`));
  await objects.store(...odd);
  const statuses = [{ conditions: 'none' }, { conditions: [null, 7, {}] }, { observedGeneration: {} }, { '': [[]] }];
  for (const [index, status] of statuses.entries()) await objects.put({ ...marked(`status-${index}`), status });
  await client.has('/status-3/');
  await eventually('told', async () => (await objects.conditionsOf(marked('')))['Accepted'] === 'True');
  await objects.delete(...odd);
  await objects.put(marked('before'));
  await eventually('as before', () => client.isComplete && client.contents() === before);
  expect(xebec.errors()).toEqual([]);
});

test('an object as large as storage takes is served in whole, and delays nothing for good', async () => {
  const xebec = await InProcess.start({ kubeconfig: server().kubeconfig });
  await xebec.ready();
  const client = Client.connect(xebec.xdsPort, shopClient);
  await eventually('complete', () => client.isComplete);
  const route = [{ destination: { host: REVIEWS } }];
  const http = Array.from({ length: 8_000 }, (_, index) => ({
    match: [{ uri: { prefix: `/large-${index}/${'x'.repeat(60)}` } }],
    route,
  }));
  const large = virtualService('shop/large', { hosts: ['large.example.com'], http });
  expect(JSON.stringify(large).length).toBeGreaterThan(1_000_000);
  await objects.store(large);
  await client.has('/large-7999/');
  await objects.put(marked('beside'));
  await client.has('/beside/');
  await objects.delete(large);
  await eventually('gone', () => client.isComplete && !client.mentions('/large-7999/'));
  expect(client.mentions('/beside/')).toBe(true);
  expect(xebec.errors()).toEqual([]);
});
