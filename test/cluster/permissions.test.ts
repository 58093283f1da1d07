// What a xebec may do, and which kinds there are, changes under it: proxies keep what they have, and it recovers by itself.
import { readFileSync } from 'node:fs';
import { afterAll, beforeAll, beforeEach, expect, test } from 'vitest';
import { collectionFor } from '../../src/apis/collections.ts';
import { asRecord, recordsIn, textIn } from '../../src/kube/json.ts';
import { type Manifest, virtualService } from '../feature/pilot/support/manifests.ts';
import { REVIEWS, shop, shopClient } from '../feature/pilot/support/shop.ts';
import { apiServerOfFile } from './api-server-of-file.ts';
import { connectAs, eventually } from './kube-copy.ts';
import { AuditLog } from './support/audit.ts';
import { renderChart } from './support/chart.ts';
import { Client } from './support/client.ts';
import { InProcess } from './support/in-process.ts';
import { haveAll, type Mesh, marked, responsesOf, startMesh } from './support/mesh-behind.ts';
import { manifestsIn, Objects } from './support/objects.ts';

const audit = new AuditLog();
const server = apiServerOfFile({ flags: audit.flags });
const ends: (() => Promise<void> | void)[] = [];
let objects: Objects;
let rights: readonly Manifest[] = [];
/** Rights that a test takes away are of another installation. */
let otherRights: readonly Manifest[] = [];

beforeAll(async () => {
  await server().applyCrds();
  objects = new Objects(await connectAs(server().kubeconfig, { atEnd: (end) => void ends.push(end) }));
  rights = await renderChart({ release: 'xebec', files: ['rbac.yaml', 'state.yaml'] });
  otherRights = await renderChart({ release: 'other', files: ['rbac.yaml', 'state.yaml'] });
  const webhook = await renderChart({ release: 'xebec', files: ['webhook.yaml'] });
  // The API server reaches no Service here: what it would say is of no interest, only who keeps the authorities.
  const ignored = webhook.map((each) => withoutRules(each));
  await objects.put(...shop, ...rights, ...otherRights, ...ignored);
});

afterAll(async () => {
  for (const end of ends) await end();
});

beforeEach(async () => {
  await objects.put(marked('before'));
});

function withoutRules(configuration: Manifest): Manifest {
  const webhooks = recordsIn(configuration, 'webhooks').map(({ rules: _, ...rest }) => rest);
  return { ...configuration, webhooks };
}

async function start(account = 'xebec'): Promise<Mesh> {
  const token = await server().tokenFor(`istio-system/${account}`);
  return startMesh(server(), token, { config: { service: account, webhook: { host: '127.0.0.1', port: 0 } } });
}

async function expectRecovered({ xebec, clients }: Mesh): Promise<void> {
  await objects.put(marked('afterwards'));
  await haveAll(clients, 'afterwards');
  expect(clients.map(({ losses }) => losses)).toEqual(clients.map(() => []));
  expect(xebec.errors()).toEqual([]);
}

async function kubectl(...args: readonly string[]): Promise<string> {
  const { status, stdout, stderr } = await server().kubectl(args);
  if (status !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`);
  return stdout;
}

/** A role without the rule that lets it list a group. */
function without(role: Manifest, group: string): Manifest {
  const rules = recordsIn(role, 'rules').flatMap((rule) => {
    const apiGroups = (rule['apiGroups'] as readonly string[]).filter((each) => each !== group);
    const isRead = (rule['verbs'] as readonly string[]).includes('list');
    return isRead ? [{ ...rule, apiGroups }] : [rule];
  });
  return { ...role, rules };
}

function clusterRole(manifests: readonly Manifest[]): Manifest {
  const role = manifests.find(({ kind }) => kind === 'ClusterRole');
  if (role === undefined) throw new Error('the chart has a ClusterRole');
  return role;
}

test('a right that is taken away and given back costs nobody what he has', async () => {
  const mesh = await start('other-xebec');
  const before = responsesOf(mesh.clients);
  await objects.put(without(clusterRole(otherRights), 'networking.istio.io'));
  // A watch that runs goes on, whatever became of the right to it.
  mesh.proxy.cut();
  await eventually('aware', () => mesh.xebec.codes().includes('XEB1018'));
  await objects.put(marked('meanwhile'));
  expect(mesh.xebec.xebec.isReady).toBe(true);
  expect(responsesOf(mesh.clients)).toEqual(before);
  await objects.put(clusterRole(otherRights));
  await haveAll(mesh.clients, 'meanwhile');
  await expectRecovered(mesh);
  await eventually('nothing to tell of', () => !mesh.xebec.codes().includes('XEB1018'));
});

test('a replica that may not read what routes are made of does not start to serve; one without telemetry does', async () => {
  const token = await server().tokenFor('istio-system/other-xebec');
  const kubeconfig = server().tokenKubeconfig(token);
  await objects.put(without(clusterRole(otherRights), 'networking.istio.io'));
  const blind = await InProcess.start({ kubeconfig });
  const client = Client.connect(blind.xdsPort, shopClient);
  await eventually('aware', () => blind.codes().includes('XEB1018'));
  await eventually('named', () => blind.xebec.galley.waitingFor().some((what) => what.includes('VirtualService')));
  expect(blind.xebec.isReady).toBe(false);
  await objects.put(without(clusterRole(otherRights), 'telemetry.istio.io'));
  await blind.ready();
  await client.has('/before/');
  const dim = await InProcess.start({ kubeconfig });
  await dim.ready();
  const told = dim.xebec.galley.diagnostics().filter(({ code }) => code === 'XEB1018');
  expect(told.map(({ message }) => message)).toEqual([expect.stringContaining('telemetries.telemetry.istio.io')]);
  await objects.put(clusterRole(otherRights));
  await eventually('nothing to tell of', () => !dim.codes().includes('XEB1018'));
  expect([client.losses, blind.errors(), dim.errors()]).toEqual([[], [], []]);
});

test('a definition that is deleted takes nothing from proxies, and read is what comes with the next', async () => {
  const mesh = await start();
  const name = 'virtualservices.networking.istio.io';
  const definition = asRecord(JSON.parse(await kubectl('get', 'crd', name, '-o', 'json')));
  const before = responsesOf(mesh.clients);
  await kubectl('delete', 'crd', name);
  await eventually('aware', () => mesh.xebec.codes().includes('XEB1020'));
  expect(responsesOf(mesh.clients)).toEqual(before);
  const { metadata: _, status: __, ...rest } = definition;
  await objects.put({ ...rest, metadata: { name } });
  await kubectl('wait', '--for=condition=Established', '--timeout=60s', `crd/${name}`);
  await eventually('served', async () => (await server().kubectl(['get', 'virtualservices', '-A'])).status === 0);
  await objects.put(marked('meanwhile'));
  await haveAll(mesh.clients, 'meanwhile');
  await expectRecovered(mesh);
});

test.each([
  { gone: ['v1'], left: 'v1beta1' },
  { gone: ['v1', 'v1beta1'], left: 'v1alpha3' },
])('objects are read in $left when $gone are served no more', async ({ gone, left }) => {
  const mesh = await start();
  const before = responsesOf(mesh.clients);
  await serveVirtualServices((version) => !gone.includes(version));
  const inPlace = async (): Promise<boolean> => {
    const versions = await server().call('GET', '/apis/networking.istio.io/v1/virtualservices');
    return versions.status === 404;
  };
  await eventually('no longer served', inPlace);
  const lists = await mesh.xebec.counted('xebec_kube_lists_total', 'virtualservices');
  await eventually(
    'read anew',
    async () => (await mesh.xebec.counted('xebec_kube_lists_total', 'virtualservices')) >= lists,
  );
  expect(responsesOf(mesh.clients)).toEqual(before);
  await objects.put({ ...marked('meanwhile'), apiVersion: `networking.istio.io/${left}` });
  await haveAll(mesh.clients, 'meanwhile');
  await serveVirtualServices(() => true);
  await eventually('served again', async () => !(await inPlace()));
  await expectRecovered(mesh);
});

async function serveVirtualServices(isServed: (version: string) => boolean): Promise<void> {
  const name = 'virtualservices.networking.istio.io';
  const spec = asRecord(asRecord(JSON.parse(await kubectl('get', 'crd', name, '-o', 'json')))['spec']);
  const steps = recordsIn(spec, 'versions').map((version, index) => ({
    op: 'replace',
    path: `/spec/versions/${index}/served`,
    value: isServed(String(version['name'])),
  }));
  await kubectl('patch', 'crd', name, '--type=json', '-p', JSON.stringify(steps));
}

test('the authorities of the webhook are put back, also when the API server was away', async () => {
  const mesh = await start();
  const name = String(asRecord(clusterRole(rights)['metadata'])['name']);
  const bundle = async (): Promise<string> => {
    const text = await kubectl('get', 'validatingwebhookconfiguration', name, '-o', 'json');
    const [webhook] = recordsIn(asRecord(JSON.parse(text)), 'webhooks');
    return textIn(asRecord(webhook?.['clientConfig']), 'caBundle');
  };
  await eventually('filled', async () => (await bundle()) !== '');
  const filled = await bundle();
  const spoil = { op: 'replace', path: '/webhooks/0/clientConfig/caBundle', value: '' };
  const spoilIt = (): Promise<string> =>
    kubectl('patch', 'validatingwebhookconfiguration', name, '--type=json', '-p', JSON.stringify([spoil]));
  await spoilIt();
  await eventually('put back', async () => (await bundle()) === filled);
  mesh.proxy.refuse();
  await spoilIt();
  await eventually('aware', () => mesh.xebec.codes().includes('XEB1019'));
  expect(await bundle()).toBe('');
  mesh.proxy.resume();
  await eventually('put back', async () => (await bundle()) === filled);
  await expectRecovered(mesh);
});

test('the rights of the chart are what is used, no less and no more', async () => {
  const mesh = await start();
  // Whoever finds gone what only he writes makes it again.
  await kubectl('delete', 'secret', 'xebec-webhook-tls', '-n', 'istio-system');
  await kubectl('delete', 'lease', 'xebec-leader', '-n', 'istio-system');
  const used = (): readonly string[] => {
    const calls = audit.read().filter(({ user }) => user === 'system:serviceaccount:istio-system:xebec');
    return [...new Set(calls.map(({ verb, resource }) => `${verb} ${resource}`))];
  };
  const samples = sampleFiles.map(sampleIn);
  await objects.put(dangling, ...samples);
  await eventually('an Event', () => used().includes('create events.k8s.io/events'));
  // It is looked whether the definition went with it.
  await objects.delete(dangling);
  await spoilIdentities();
  const granted = grantsOf(rights);
  const unused = (): readonly Grant[] =>
    granted.filter((grant) => !isLate(grant) && !used().some((use) => isCovered(use, grant)));
  await expect.poll(unused, { timeout: 60_000 }).toEqual([]);
  expect(used().filter((use) => !granted.some((grant) => isCovered(use, grant)))).toEqual([]);
  const denied = audit.read().filter(({ user, code }) => user.endsWith(':xebec') && code === 403);
  expect(denied).toEqual([]);
  expect(mesh.xebec.errors()).toEqual([]);
  await objects.delete(...samples);
});

/** An Event tells of it. */
const dangling = virtualService('shop/dangling', {
  hosts: ['dangling.example.com'],
  gateways: ['missing'],
  http: [{ route: [{ destination: { host: REVIEWS } }] }],
});

/** With an object of each group, whose status is written. */
const sampleFiles = [
  'mixer/rules',
  'observability/extensions',
  'observability/telemetry',
  'security/authentication-policies',
  'security/authorization-policies',
  'security/rbac',
];

function sampleIn(file: string): Manifest {
  const [first] = manifestsIn(readFileSync(new URL(`objects/${file}.yaml`, import.meta.url), 'utf8'));
  const scope = collectionFor(textIn(asRecord(first), 'apiVersion'), textIn(asRecord(first), 'kind'))?.scope;
  const namespace = scope === 'cluster' ? {} : { namespace: 'samples' };
  return { ...first, metadata: { ...asRecord(first?.['metadata']), ...namespace } };
}

/** Has Citadel put right, make anew and remove what it writes. */
async function spoilIdentities(): Promise<void> {
  const merge = ['--type=merge', '-p'];
  const roots = async (namespace: string): Promise<string> =>
    (await server().kubectl(['get', 'configmap', 'istio-ca-root-cert', '-n', namespace, '-o', 'jsonpath={.data}']))
      .stdout;
  for (const namespace of ['shop', 'istio-system']) {
    await eventually(`roots in ${namespace}`, async () => (await roots(namespace)).includes('BEGIN'));
    const map = ['configmap', 'istio-ca-root-cert', '-n', namespace];
    await kubectl('patch', ...map, ...merge, '{"data":{"root-cert.pem":"nonsense"}}');
    await eventually('put right', async () => (await roots(namespace)).includes('BEGIN'));
    await kubectl('patch', ...map, ...merge, '{"immutable":true,"data":{"root-cert.pem":"nonsense"}}');
    await eventually('made anew', async () => (await roots(namespace)).includes('BEGIN'));
  }
  const hasSecret = async (): Promise<boolean> =>
    (await server().kubectl(['get', 'secret', 'istio.short-lived', '-n', 'shop'])).status === 0;
  await kubectl('create', 'serviceaccount', 'short-lived', '-n', 'shop');
  await eventually('an identity', hasSecret);
  await kubectl('patch', 'secret', 'istio.short-lived', '-n', 'shop', ...merge, '{"data":{"key.pem":""}}');
  await kubectl('delete', 'serviceaccount', 'short-lived', '-n', 'shop');
  await eventually('none', async () => !(await hasSecret()));
}

/** An Event is written again ten minutes after the first time, which is not waited for here; nobody calls by a token. */
function isLate({ verb, resource }: Grant): boolean {
  if (resource === 'authentication.k8s.io/tokenreviews') return true;
  return verb === 'patch' && resource === 'events.k8s.io/events';
}

type Grant = { readonly verb: string; readonly resource: string };

function grantsOf(manifests: readonly Manifest[]): readonly Grant[] {
  const rules = manifests.flatMap((manifest) => recordsIn(manifest, 'rules'));
  const texts = (value: unknown): readonly string[] => (Array.isArray(value) ? value.map(String) : []);
  return rules.flatMap(({ apiGroups, resources, verbs }) =>
    texts(apiGroups).flatMap((group) =>
      texts(resources).flatMap((plural) =>
        texts(verbs).map((verb) => ({ verb, resource: group === '' ? plural : `${group}/${plural}` })),
      ),
    ),
  );
}

/** Whether a call, `list networking.istio.io/gateways`, is what a rule allows. */
function isCovered(use: string, { verb, resource }: Grant): boolean {
  const pattern = resource.replaceAll('.', String.raw`\.`).replace('*', '[^/]+');
  return new RegExp(`^${verb} ${pattern}$`).test(use);
}
