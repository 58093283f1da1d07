// Every certificate of a mesh is replaced under traffic: leaves, the intermediate, and the root, whoever keeps it. No request fails,
// no handshake does, and no Envoy is started again.
import { randomBytes, X509Certificate } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { createAuthority, type KeyPair } from '../../src/citadel/x509/authority.ts';
import { replaceFiles } from '../../src/local/mesh/atomic-folder.ts';
import { identityOf, identitySeen, type PodIdentityPair } from '../support/identities.ts';
import { createIntermediate } from '../support/intermediate.ts';
import { type TestMesh, useMesh } from '../support/mesh.ts';
import { statusesOf } from '../support/outcomes.ts';
import { client, echo, gateway, service } from '../support/workloads.ts';

const DEPLOYMENTS = ['caller', 'web-v1', 'ingress'] as const;
const HOUR_MS = 3_600_000;
const PATIENCE_MS = 60_000;
const TIMES = { XEBEC_WORKLOAD_CERT_TTL: '8s', XEBEC_ROOT_ANNOUNCE: '3s' };

/** Two pods and a gateway. Connections between Envoys are short, so that there are many handshakes. */
function giveTwoPods(mesh: TestMesh): void {
  mesh.given(
    client('caller'),
    echo('web', 'v1', ['http:8080', 'h2c:8081', 'tcp:9000']),
    service('web', ['http:8080', 'grpc:8081', 'tcp:9000'], { selector: { app: 'web' } }),
    ...gateway('ingress', ['http:80>8000']),
    `
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: web, namespace: default }
spec:
  selector: { istio: ingress }
  servers: [{ port: { number: 80, name: http, protocol: HTTP }, hosts: ['*'] }]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: web, namespace: default }
spec:
  hosts: ['web.example.com']
  gateways: [web]
  http: [{ route: [{ destination: { host: web, port: { number: 8080 } } }] }]
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: web, namespace: default }
spec:
  host: web
  trafficPolicy: { connectionPool: { http: { maxRequestsPerConnection: 10 } } }
---
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: { name: default, namespace: istio-system }
spec: { mtls: { mode: STRICT } }
`,
  );
}

/** About 500 requests a second between the pods, of all kinds, and as many as come through the gateway beside them. */
async function underLoad(mesh: TestMesh, act: () => Promise<void>): Promise<void> {
  const batches = [{ url: 'http://web:8080/' }, { url: 'grpc://web:8081', body: 'x' }, { url: 'tcp://web:9000' }];
  await mesh.startLoad('caller', { id: 'load', batches, workers: 15, pauseMs: 15 });
  const began = performance.now();
  const stop = new AbortController();
  const through = callGateway(mesh, stop.signal);
  try {
    await act();
  } finally {
    stop.abort();
  }
  const gatewayResults = await through;
  const { requests, results, examples } = await mesh.stopLoad('caller', 'load');
  const seconds = (performance.now() - began) / 1000;
  console.log(`${requests} requests between pods in ${seconds.toFixed(0)} s, and through the gateway:`, gatewayResults);
  expect({ results, examples }).toEqual({ results: { 200: expect.any(Number), 0: expect.any(Number) }, examples: [] });
  expect(requests).toBeGreaterThan(1_000);
  expect(Object.keys(gatewayResults)).toEqual(['200']);
}

async function callGateway(mesh: TestMesh, signal: AbortSignal): Promise<Readonly<Record<string, number>>> {
  const total: Record<string, number> = {};
  while (!signal.aborted) {
    const outcomes = await mesh.ingressCalls('http://web.example.com/', { count: 20, concurrency: 2 });
    for (const [status, count] of Object.entries(statusesOf(outcomes))) total[status] = (total[status] ?? 0) + count;
  }
  return total;
}

async function identities(mesh: TestMesh): Promise<readonly PodIdentityPair[]> {
  return Promise.all(DEPLOYMENTS.map((deployment) => identityOf(mesh, deployment)));
}

function leafOf({ certificate }: PodIdentityPair): X509Certificate {
  return new X509Certificate(certificate);
}

async function serials(mesh: TestMesh): Promise<readonly string[]> {
  return (await identities(mesh)).map((identity) => leafOf(identity).serialNumber);
}

/** What signed the leaves of all pods. */
async function signers(mesh: TestMesh): Promise<readonly string[]> {
  return [...new Set((await identities(mesh)).map((identity) => leafOf(identity).issuer))];
}

/** The roots that some pod trusts. */
async function trusted(mesh: TestMesh): Promise<readonly string[]> {
  const each = (await identities(mesh)).flatMap(({ roots }) => roots.match(/-----BEGIN[^]*?-----END [^\n]*\n/g) ?? []);
  return [...new Set(each)];
}

async function isUsed(mesh: TestMesh, root: string): Promise<boolean> {
  const { publicKey } = new X509Certificate(root);
  return (await identities(mesh)).some((identity) => leafOf(identity).verify(publicKey));
}

async function expectNoTrouble(mesh: TestMesh): Promise<void> {
  for (const deployment of DEPLOYMENTS) {
    expect((await mesh.pod(deployment)).restarts).toBe(0);
    expect(await mesh.stat(deployment, /ssl\.(?:fail_verify_error|fail_verify_san|fail_verify_no_cert)$/)).toBe(0);
    expect(await mesh.stat(deployment, /ssl\.connection_error$/)).toBe(0);
  }
  expect(await mesh.stat('web-v1', /^listener\.0\.0\.0\.0_15006\.ssl\.handshake$/)).toBeGreaterThan(100);
  // Envoy took the new files, and the control plane is still heard.
  const { certificate } = await identityOf(mesh, 'web-v1');
  const serial = new X509Certificate(certificate).serialNumber.toLowerCase();
  await mesh.waitUntil('Envoy has what the files say', async () =>
    (await mesh.envoyAdmin('web-v1', '/certs')).includes(serial),
  );
  await mesh.apply('late', service('late', ['http:8080'], { selector: { app: 'web' } }));
  // Whose certificate ran out while it was connected is asked to connect again, and may hear of this a moment later.
  const heard = 'spiffe://cluster.local/ns/default/sa/caller';
  const call = async (): Promise<boolean> => identitySeen(await mesh.call('caller', 'http://late:8080/')) === heard;
  await mesh.waitUntil('a new service is there', call);
}

describe('a root that xebec keeps', () => {
  const mesh = useMesh({ publish: [80], environment: { ...TIMES, XEBEC_CA_CERT_TTL: '60s' } });
  giveTwoPods(mesh);

  test('leaves and root are replaced and no request fails', async () => {
    const [first = ''] = await trusted(mesh);
    const before = await serials(mesh);
    await underLoad(mesh, async () => {
      await mesh.waitUntil('new leaves', async () => isDisjoint(before, await serials(mesh)), PATIENCE_MS);
      await mesh.waitUntil('another root signs', async () => !(await isUsed(mesh, first)), PATIENCE_MS);
    });
    await expectNoTrouble(mesh);
  });
});

describe('an authority that somebody plugs in', () => {
  const folder = mkdtempSync(join(tmpdir(), 'xebec-plugged-'));
  const [rootA, rootB] = [newRoot('root A'), newRoot('root B')];
  // It is there before the mesh is.
  beforeAll(() => plug(rootA, 'intermediate A1', [rootA]));
  afterAll(() => rmSync(folder, { recursive: true, force: true }));
  const mesh = useMesh({ publish: [80], environment: { ...TIMES, XEBEC_CA_CERTS_FOLDER: folder } });
  giveTwoPods(mesh);

  async function plug(root: KeyPair, name: string, trusted: readonly KeyPair[]): Promise<void> {
    const signer = createIntermediate(root, name);
    const owner = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
    const files = {
      'ca-cert.pem': signer.certificate,
      'ca-key.pem': signer.key,
      'cert-chain.pem': signer.certificate,
      'root-cert.pem': trusted.map(({ certificate }) => certificate).join(''),
    };
    await replaceFiles(folder, files, owner);
  }

  async function signedBy(name: string): Promise<void> {
    await mesh.waitUntil(
      `all pods are signed by ${name}`,
      async () => JSON.stringify(await signers(mesh)) === JSON.stringify([`CN=${name}`]),
      PATIENCE_MS,
    );
  }

  test('its intermediate and its root are replaced and no request fails', async () => {
    await signedBy('intermediate A1');
    await underLoad(mesh, async () => {
      await plug(rootA, 'intermediate A2', [rootA]);
      await signedBy('intermediate A2');
      await plug(rootB, 'intermediate B1', [rootA, rootB]);
      await signedBy('intermediate B1');
      await plug(rootB, 'intermediate B2', [rootB]);
      await signedBy('intermediate B2');
      await mesh.waitUntil(
        'nobody trusts the first root',
        async () => !(await trusted(mesh)).includes(rootA.certificate),
        PATIENCE_MS,
      );
      const last = await serials(mesh);
      await mesh.waitUntil('new leaves', async () => isDisjoint(last, await serials(mesh)), PATIENCE_MS);
    });
    await expectNoTrouble(mesh);
  });
});

function isDisjoint(a: readonly string[], b: readonly string[]): boolean {
  return a.every((text) => !b.includes(text));
}

function newRoot(name: string): KeyPair {
  const now = Date.now();
  const commonName = `${name} ${randomBytes(4).toString('hex')}`;
  return createAuthority({ subject: { commonName }, validity: { notBefore: now - HOUR_MS, notAfter: now + HOUR_MS } });
}
