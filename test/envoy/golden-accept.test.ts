import { mkdirSync, mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Proxy } from '../../src/model/proxy.ts';
import { offlineProxy, provenProxy } from '../../src/pilot/proxy/offline.ts';
import { type GoldenCase, loadCase } from '../golden/case.ts';
import { createAuthority } from '../support/certificates.ts';
import { startControlPlane, type TestControlPlane } from '../support/control-plane.ts';
import { TestEnvoy } from '../support/envoy.ts';
import { needNamespaces } from '../support/namespaces.ts';
import { takeAtTheirWord } from '../support/proven.ts';
import { createTestIssuer, writeIdentity } from '../support/test-issuer.ts';

const root = mkdtempSync('/tmp/xg-');
const certificates = join(root, 'certs');
const identity = join(root, 'identity');
const protocols = ['delta', 'sotw'] as const;

const names = readdirSync(new URL('../golden/cases/', import.meta.url))
  .map((file) => file.replace(/\.yaml$/, ''))
  // A gRPC client is no Envoy; proxyless.test.ts has a real one.
  .filter((name) => loadCase(name).metadata['GENERATOR'] !== 'grpc');

needNamespaces();

beforeAll(() => {
  mkdirSync(certificates);
  writeIdentity(identity, { namespace: 'shop', serviceAccount: 'web-v1' }, createTestIssuer());
  const authority = createAuthority();
  writeFileSync(join(certificates, 'ca.crt'), authority.certificate);
  for (const name of ['a', 'b', 'c']) {
    const { certificate, key } = authority.issue([`${name}.example.com`]);
    writeFileSync(join(certificates, `${name}.crt`), certificate);
    writeFileSync(join(certificates, `${name}.key`), key);
  }
});

afterAll(() => rmSync(root, { recursive: true, force: true }));

test.each(names)('Envoy accepts all of %s, delta and state of the world', async (name) => {
  const folder = join(root, name);
  mkdirSync(folder);
  const golden = loadCase(name);
  const plane = await startControlPlane(folder, golden.yaml.replaceAll('/certs/', `${certificates}/`));
  if (golden.isProven) takeAtTheirWord(plane.xebec.pilot);
  try {
    const proxy = await proxyOf(golden, plane);
    const envoys = protocols.map((protocol) => new TestEnvoy({ folder, proxy, protocol, xdsSocket: plane.xdsSocket }));
    try {
      await Promise.all(envoys.map((envoy) => envoy.waitUntilLive(20_000)));
      for (const envoy of envoys) await expectAccepted(envoy, plane, proxy);
    } finally {
      await Promise.all(envoys.map((envoy) => envoy.stop()));
    }
  } finally {
    await plane.stop();
  }
});

/** With certificates of its own, where the case is about a proxy that has some. */
async function proxyOf({ proxy, labels, metadata, isProven }: GoldenCase, { xebec }: TestControlPlane): Promise<Proxy> {
  await expect.poll(() => xebec.pilot.isReady, { timeout: 10_000, interval: 10 }).toBe(true);
  const mesh = xebec.pilot.mesh();
  if (mesh === undefined) throw new Error('there is no mesh');
  const parsed = offlineProxy(proxy, mesh, {
    ...metadata,
    ...(metadata['IDENTITY_FOLDER'] === undefined ? {} : { IDENTITY_FOLDER: identity }),
    ...(Object.keys(labels).length === 0 ? {} : { LABELS: labels }),
  });
  if (!parsed.ok) throw new Error(parsed.error);
  return isProven ? provenProxy(parsed.value) : parsed.value;
}

async function expectAccepted(envoy: TestEnvoy, { xebec }: TestControlPlane, proxy: Proxy): Promise<void> {
  const stats = await envoy.stats();
  const sum = (pattern: RegExp): number =>
    [...stats].reduce((total, [name, value]) => total + (pattern.test(name) ? value : 0), 0);
  expect(sum(/update_rejected$/)).toBe(0);
  expect(sum(/^(cluster_manager\.cds|listener_manager\.lds)\.update_success$/)).toBeGreaterThanOrEqual(2);
  expect(sum(/^server\.(static|dynamic)_unknown_fields$/)).toBe(0);
  expect(sum(/^server\.wip_protos$/)).toBe(0);
  expect(sum(/^runtime\.deprecated_feature_use$/)).toBe(0);
  expect(sum(/listener_create_failure$/)).toBe(0);
  expect(envoy.log.filter(isComplaint)).toEqual([]);
  // Who came is who the case is about, or something else was accepted.
  expect(new Set(xebec.pilot.proxies().map((one) => one.identityFolder))).toEqual(new Set([proxy.identityFolder]));
  const served = namesServed(xebec, proxy);
  // Envoy lists the assignments of static clusters with those it was sent.
  const endpoints: unknown = expect.arrayContaining([...served.endpoints]);
  expect(await namesInUse(envoy)).toEqual({ ...served, endpoints });
  const streams = xebec.xds.streams().flatMap(({ types }) => types);
  expect(streams.filter(({ lastError }) => lastError !== undefined)).toEqual([]);
  expect(streams.filter(({ isAwaitingAnswer, held }) => isAwaitingAnswer || held > 0)).toEqual([]);
}

/** Anything Envoy says at level warning; a name that nobody can resolve here is not about the configuration. */
function isComplaint(line: string): boolean {
  return /\[(warning|error|critical)\]/.test(line) && !/dns resolution for .* failed/i.test(line);
}

type Names = Readonly<Record<'clusters' | 'listeners' | 'routes' | 'endpoints', readonly string[]>>;

function namesServed(xebec: TestControlPlane['xebec'], proxy: Proxy): Names {
  const snapshot = xebec.pilot.snapshotFor(proxy);
  const of = (type: string): readonly string[] =>
    [...(snapshot.get(`type.googleapis.com/envoy.config.${type}`)?.resources.keys() ?? [])].sort();
  return {
    clusters: of('cluster.v3.Cluster'),
    listeners: of('listener.v3.Listener'),
    routes: of('route.v3.RouteConfiguration'),
    endpoints: of('endpoint.v3.ClusterLoadAssignment'),
  };
}

type Dump = { readonly configs: readonly Readonly<Record<string, readonly DumpedConfig[] | undefined>>[] };
type DumpedConfig = {
  readonly name?: string;
  readonly cluster?: { readonly name: string };
  readonly active_state?: object;
  readonly error_state?: object;
  readonly route_config?: { readonly name: string };
  readonly endpoint_config?: { readonly cluster_name: string };
};

async function namesInUse(envoy: TestEnvoy): Promise<Names> {
  const { configs } = JSON.parse(await envoy.get('/config_dump?include_eds')) as Dump;
  const all = (key: string): readonly DumpedConfig[] => configs.flatMap((config) => config[key] ?? []);
  const sorted = (list: readonly (string | undefined)[]): readonly string[] =>
    list.filter((name) => name !== undefined).sort();
  expect(all('dynamic_listeners').filter(({ error_state }) => error_state !== undefined)).toEqual([]);
  return {
    clusters: sorted(all('dynamic_active_clusters').map(({ cluster }) => cluster?.name)),
    listeners: sorted(all('dynamic_listeners').map(({ name }) => name)),
    routes: sorted(all('dynamic_route_configs').map(({ route_config }) => route_config?.name)),
    endpoints: sorted(all('dynamic_endpoint_configs').map(({ endpoint_config }) => endpoint_config?.cluster_name)),
  };
}
