// Gateways' Secrets of a real API server: read where the chart lets xebec read them, and nowhere else, with whatever becomes of the right.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { asRecord, textIn } from '../../src/kube/json.ts';
import { gateway, type Manifest, object, pod } from '../feature/pilot/support/manifests.ts';
import { node } from '../feature/pilot/support/process.ts';
import type { Certificate } from '../support/certificates.ts';
import { Pki } from '../support/pki.ts';
import { takeAtTheirWord } from '../support/proven.ts';
import { apiServerOfFile } from './api-server-of-file.ts';
import { connectAs, eventually } from './kube-copy.ts';
import { AuditLog } from './support/audit.ts';
import { renderChart } from './support/chart.ts';
import { Client } from './support/client.ts';
import { InProcess } from './support/in-process.ts';
import { Objects } from './support/objects.ts';

const audit = new AuditLog();
const server = apiServerOfFile({ flags: audit.flags });
const ends: (() => Promise<void> | void)[] = [];
const pki = new Pki('authority');
let objects: Objects;
let rights: readonly Manifest[] = [];

const edge = node('edge/ingress', '10.1.9.1', { type: 'router', labels: { app: 'ingress' } });

function secret(name: string, { certificate, key }: Certificate, type = 'kubernetes.io/tls'): Manifest {
  const encode = (text: string): string => Buffer.from(text).toString('base64');
  return object('v1', 'Secret', name, { type, data: { 'tls.crt': encode(certificate), 'tls.key': encode(key) } });
}

beforeAll(async () => {
  await server().applyCrds();
  objects = new Objects(await connectAs(server().kubeconfig, { atEnd: (end) => void ends.push(end) }));
  rights = await renderChart({
    release: 'xebec',
    files: ['rbac.yaml', 'state.yaml'],
    values: ['controllers={galley,pilot}', 'secretNamespaces={edge}'],
  });
  const servers = ['a', 'b'].map((name) => ({
    port: { number: 443, name, protocol: 'HTTPS' },
    hosts: [`${name}.example.com`],
    tls: { mode: 'SIMPLE', credentialName: name },
  }));
  await objects.put(
    ...rights,
    pod('edge/ingress', '10.1.9.1', { app: 'ingress' }),
    gateway('shop/tls', { selector: { app: 'ingress' }, servers }),
    secret('elsewhere/a', pki.issue(['elsewhere.example.com'])),
    secret('edge/identity', pki.issue(['identity.example.com']), 'istio.io/key-and-cert'),
    object('v1', 'Secret', 'edge/password', { type: 'Opaque', data: { password: 'aHVudGVyMg==' } }),
  );
});

afterAll(async () => {
  for (const end of ends) await end();
});

async function start(): Promise<InProcess> {
  const token = await server().tokenFor('istio-system/xebec');
  const kubeconfig = server().tokenKubeconfig(token);
  const xebec = await InProcess.start({
    kubeconfig,
    config: { service: 'xebec', controllers: ['galley', 'pilot'], secretNamespaces: ['edge'] },
  });
  await xebec.ready();
  takeAtTheirWord(xebec.xebec.pilot);
  return xebec;
}

function hasPair(client: Client, name: string, { key }: Certificate): boolean {
  const stored = client.envoy.store.secret.get(`kubernetes://${name}`)?.value ?? new Uint8Array();
  return Buffer.from(stored)
    .toString('utf8')
    .includes(key.split('\n')[1] ?? key);
}

test('a Secret arrives, is renewed and goes, and the gateway with it', async () => {
  const xebec = await start();
  const client = Client.connect(xebec.xdsPort, edge);
  await eventually('connected', () => client.isComplete);
  expect([...client.envoy.subscribed('secret')]).toEqual([]);
  const first = pki.issue(['a.example.com']);
  await objects.put(secret('edge/a', first));
  await eventually('served', () => hasPair(client, 'a', first));
  const second = pki.issue(['a.example.com']);
  await objects.put(secret('edge/a', second));
  await eventually('renewed', () => hasPair(client, 'a', second));
  await objects.delete(secret('edge/a', second));
  await eventually('closed', () => !client.envoy.subscribed('secret').has('kubernetes://a'));
  expect(xebec.errors()).toEqual([]);
});

test('what no gateway serves with is not kept, be it readable', async () => {
  const xebec = await start();
  const pair = pki.issue(['a.example.com']);
  await objects.put(secret('edge/a', pair));
  await eventually('read', () => (xebec.xebec.galley.snapshot()?.objects.Secret.length ?? 0) > 0);
  const kept = xebec.xebec.galley.snapshot()?.objects.Secret.map(({ meta }) => `${meta.namespace}/${meta.name}`);
  expect(kept).toEqual(['edge/a']);
  await objects.delete(secret('edge/a', pair));
});

test('R27: without the right, everything else is served, it is said what to grant, and what was known stays', async () => {
  const pair = pki.issue(['b.example.com']);
  await objects.put(secret('edge/b', pair));
  const xebec = await start();
  const client = Client.connect(xebec.xdsPort, edge);
  await eventually('served', () => hasPair(client, 'b', pair));
  const role = rights.find((each) => each['kind'] === 'Role' && namespaceOf(each) === 'edge');
  if (role === undefined) throw new Error('the chart has a Role for Secrets');
  await objects.put({ ...role, rules: [] });
  const blind = await start();
  await eventually('aware', () => blind.codes().includes('XEB1018'));
  const [told] = blind.xebec.galley.diagnostics().filter(({ code }) => code === 'XEB1018');
  expect(told?.message).toContain('Secret in edge may not be read');
  expect(told?.message).toContain('grant list and watch on secrets');
  const other = Client.connect(blind.xdsPort, edge);
  await eventually('served without', () => other.isComplete && other.envoy.store.listener.size > 0);
  expect([...other.envoy.subscribed('secret')]).toEqual([]);
  expect(hasPair(client, 'b', pair)).toBe(true);
  await objects.put(role);
  await eventually('served after all', () => hasPair(other, 'b', pair));
  await eventually('nothing to tell of', () => !blind.codes().includes('XEB1018'));
  expect([client.losses, xebec.errors(), blind.errors()]).toEqual([[], [], []]);
});

test('S18: Secrets are listed and watched in namespaces that were named, and nowhere else', () => {
  const asked = audit
    .read()
    .filter(({ user, resource }) => user.endsWith(':istio-system:xebec') && resource === 'secrets');
  expect(new Set(asked.map(({ verb, namespace }) => `${verb} ${namespace}`))).toEqual(
    new Set(['list edge', 'watch edge']),
  );
});

function namespaceOf(manifest: Manifest): string {
  return textIn(asRecord(manifest['metadata']), 'namespace');
}
