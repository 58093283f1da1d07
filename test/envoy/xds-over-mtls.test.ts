// Stock Envoys connect to the control plane by the identity in their files, and go on doing so while everything that proves it is
// replaced: the leaf, the key that signs, and the root.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, onTestFinished, test } from 'vitest';
import { identityFiles } from '../../src/citadel/identity-files.ts';
import { type Issuer, issueIdentity } from '../../src/citadel/issuer.ts';
import { servingNames } from '../../src/citadel/serving/serving-certificate.ts';
import { TestIssuers, testIssuer, testRoot } from '../../src/citadel/testing/issuers.ts';
import { replaceFiles } from '../../src/local/mesh/atomic-folder.ts';
import { Relay } from '../../src/local/relay.ts';
import { parseProxy } from '../../src/pilot/proxy/node.ts';
import { SecureMesh } from '../feature/citadel/support/secure-mesh.ts';
import { httpPort, pod, service } from '../feature/pilot/support/manifests.ts';
import { TestEnvoy } from '../support/envoy.ts';

/** Envoy runs as we do. */
const OWN = { uid: process.getuid?.() ?? 0, gid: process.getgid?.() ?? 0 };
/** Long enough to be connected, and then to get the next one. */
const SHORT_MS = 8_000;
/** How long before a certificate ends the next one is given. */
const OVERLAP_MS = 3_000;
const HOUR_MS = 3_600_000;
const ID = 'sidecar~10.1.0.1~web.shop~shop.svc.cluster.local';
const world = [
  service('shop/web', [httpPort]),
  service('shop/reviews', [httpPort]),
  pod('shop/web', '10.1.0.1', { app: 'web' }),
];

type Scene = {
  readonly mesh: SecureMesh;
  readonly issuers: TestIssuers;
  readonly folder: string;
  readonly xdsSocket: string;
};

async function start(): Promise<Scene> {
  const root = mkdtempSync(join(tmpdir(), 'xebec-xds-mtls-'));
  onTestFinished(() => rmSync(root, { recursive: true, force: true }));
  const folder = join(root, 'certs');
  mkdirSync(folder);
  const issuers = new TestIssuers(testIssuer(testRoot('first', Date.now())));
  const mesh = await SecureMesh.start(world, { issuer: issuers });
  const xdsSocket = join(root, 'xds.sock');
  const relay = new Relay({
    listen: { path: xdsSocket },
    target: () => ({ host: '127.0.0.1', port: mesh.process.xdsPort }),
  });
  await relay.open();
  onTestFinished(() => relay.close());
  return { mesh, issuers, folder, xdsSocket };
}

/** Gives the proxy what proves that it is of an account. */
async function give({ folder }: Scene, issuer: Issuer, lifetimeMs: number, serviceAccount = 'default'): Promise<void> {
  const identity = { namespace: 'shop', serviceAccount };
  const issued = issueIdentity(issuer, { identity, now: Date.now(), lifetimeMs });
  await replaceFiles(folder, identityFiles(issued, folder), OWN);
}

function startEnvoy({ folder, xdsSocket }: Scene): TestEnvoy {
  const proxy = parseProxy({
    id: ID,
    cluster: '',
    metadata: { NAMESPACE: 'shop', SERVICE_ACCOUNT: 'default' },
    locality: { region: '', zone: '', subZone: '' },
    userAgentName: '',
    userAgentVersion: '',
    clientFeatures: [],
  });
  if (!proxy.ok) throw new Error(proxy.error);
  const security = { kind: 'mutual-tls', folder, serverNames: servingNames('xebec', 'istio-system', []) } as const;
  const envoy = new TestEnvoy({
    folder: join(folder, '..'),
    proxy: proxy.value,
    protocol: 'delta',
    xdsSocket,
    security,
  });
  onTestFinished(() => envoy.stop());
  return envoy;
}

/** How often the proxy has connected so far. */
const connections = ({ mesh }: Scene): number =>
  mesh.process.log.filter((line) => line.includes('"proxy connected"')).length;

async function hasCluster(envoy: TestEnvoy, host: string): Promise<void> {
  await expect.poll(async () => await envoy.get('/clusters'), { timeout: 20_000 }).toContain(`outbound|80||${host}`);
}

test('a stock Envoy proves who it is, and goes on while leaf, signer and root are replaced', async () => {
  const scene = await start();
  const { mesh, issuers } = scene;
  const first = mesh.issuer;
  await give(scene, first, SHORT_MS);
  let endsAt = Date.now() + SHORT_MS;
  const envoy = startEnvoy(scene);
  await envoy.waitUntilLive(20_000);
  expect(mesh.process.xebec.pilot.proxies()).toMatchObject([
    { id: ID, identity: { trustDomain: 'cluster.local', namespace: 'shop', serviceAccount: 'default' } },
  ]);

  const next = testRoot('next', Date.now());
  const both = first.roots + next.certificate;
  const phases: readonly Issuer[] = [
    { ...first },
    // Everybody learns of the new root before anybody signs by it, and signs by it before the old one goes.
    { ...first, roots: both },
    testIssuer(next, { roots: both }),
    testIssuer(next),
  ];
  for (const [index, issuer] of phases.entries()) {
    const before = connections(scene);
    await sleep(Math.max(0, endsAt - OVERLAP_MS - Date.now()));
    issuers.use(issuer);
    await give(scene, issuer, index === phases.length - 1 ? HOUR_MS : SHORT_MS);
    endsAt = Date.now() + SHORT_MS;
    // The certificate that it connected with ends, and it comes again with that which it was given meanwhile.
    await mesh.process.until('connected again', () => connections(scene) > before);
    await mesh.process.apply(service(`shop/new-${index}`, [httpPort]));
    await hasCluster(envoy, `new-${index}.shop.svc.cluster.local`);
  }
  const refused = mesh.process.log.filter((line) => line.includes('refused'));
  expect(refused).toEqual([]);
}, 120_000);

test('a stock Envoy with the certificate of another account gets nothing', async () => {
  const scene = await start();
  await give(scene, scene.mesh.issuer, HOUR_MS, 'other');
  startEnvoy(scene);
  const { process: served } = scene.mesh;
  await served.until('refused', () => served.log.some((line) => line.includes('stream of a proxy refused')));
  expect(served.xebec.pilot.proxies()).toEqual([]);
  expect(served.log.join('')).toContain('spiffe://cluster.local/ns/shop/sa/other: it claims account');
}, 60_000);
