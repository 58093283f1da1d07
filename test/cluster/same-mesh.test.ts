import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { collectionFor } from '../../src/apis/collections.ts';
import { Xebec } from '../../src/app/assemble.ts';
import { loadOffline } from '../../src/app/offline.ts';
import { translateOffline } from '../../src/app/translate-offline.ts';
import { systemClock } from '../../src/kit/system-clock.ts';
import type { KubeObject, ObjectName, ResourceType } from '../../src/kube/api.ts';
import { connectKubeApi, type KubeConnection } from '../../src/kube/connect.ts';
import { offlineProxy } from '../../src/pilot/proxy/offline.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';
import { PromMetrics } from '../../src/telemetry/prom-metrics.ts';
import { processConfig } from '../../src/testing/process-config.ts';
import type { XdsSnapshot } from '../../src/xds/ports.ts';
import { type GoldenCase, loadCase } from '../golden/case.ts';

import { apiServerOfFile } from './api-server-of-file.ts';

const server = apiServerOfFile({
  flags: ['--disable-admission-plugins=ServiceAccount', '--service-cluster-ip-range=10.96.0.0/16,fd00::/108'],
});
const forever = new AbortController().signal;
/** Endpoints are for folders: a cluster has a controller that makes slices of them. */
const foldersOnly: readonly string[] = ['k8s-without-selector'];
const names = readdirSync(new URL('../golden/cases/', import.meta.url))
  .map((file) => file.replace('.yaml', ''))
  .filter((name) => !foldersOnly.includes(name));

type Manifest = KubeObject & {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string };
};

let kube: KubeConnection | undefined;
let xebec: Xebec;
let running: Promise<void>;
const stop = new AbortController();
/** What the case under way has applied. */
const applied: { readonly type: ResourceType; readonly name: ObjectName }[] = [];

beforeAll(async () => {
  await server().applyCrds();
  const metrics = new PromMetrics();
  const connected = await connectKubeApi({
    access: { kind: 'kubeconfig', path: server().kubeconfig },
    clock: systemClock,
    log: silentLogger,
    metrics,
    userAgent: 'same-mesh',
  });
  if (!connected.ok) throw new Error(connected.error);
  kube = connected.value;
  const config = processConfig({ source: undefined, kubernetes: true, debounceAfterMs: 5, debounceMaxMs: 100 });
  xebec = new Xebec({ config, kube, clock: systemClock, random: Math.random, log: silentLogger, metrics });
  await xebec.bind();
  running = xebec.run(stop.signal);
  await until('the first mesh', () => xebec.isReady);
});

afterAll(async () => {
  stop.abort();
  await running;
  await kube?.close();
});

afterEach(async () => {
  for (const { type, name } of applied.splice(0).reverse()) {
    if (type.plural !== 'namespaces') await server().call('DELETE', `${pathOf(type, name)}?gracePeriodSeconds=0`);
  }
});

test.each(names)('the same objects from a folder and from an API server give the same bytes: %s', async (name) => {
  const golden = loadCase(name);
  for (const manifest of parseAllDocuments(golden.yaml)
    .map((document) => document.toJS() as unknown)
    .filter(isManifest))
    await put(manifest);
  const folder = mkdtempSync(join(tmpdir(), 'xebec-same-'));
  try {
    await dump(folder);
    const fromFolder = await translateFolder(folder, golden);
    // The API server's word arrives when it does.
    await until(
      'the cluster gives what the folder gives',
      () => isEqual(translateCluster(golden), fromFolder),
      () => expect(translateCluster(golden)).toEqual(fromFolder),
    );
    expect(Object.keys(fromFolder).length).toBeGreaterThan(0);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

function api(): KubeConnection {
  if (kube === undefined) throw new Error('connected before the first test');
  return kube;
}

/** Version hashes are of the bytes. */
function versionsOf(snapshot: XdsSnapshot): Readonly<Record<string, string>> {
  const sets = [...snapshot.values()].flatMap(({ resources }) => [...resources.values()]);
  return Object.fromEntries(sets.map(({ typeUrl, name, version }) => [`${typeUrl} ${name}`, version]));
}

function isEqual(a: Readonly<Record<string, string>>, b: Readonly<Record<string, string>>): boolean {
  return Object.keys(a).length === Object.keys(b).length && Object.entries(a).every(([key, text]) => b[key] === text);
}

async function translateFolder(folder: string, golden: GoldenCase): Promise<Readonly<Record<string, string>>> {
  const options = { source: folder, meshConfig: undefined, domain: 'cluster.local', clock: systemClock };
  const loaded = await loadOffline({ ...options, signal: forever });
  if (loaded === undefined) throw new Error('interrupted');
  const { proxy, metadata, labels } = golden;
  const node = { ...metadata, LABELS: labels };
  const result = translateOffline({ config: loaded.config, proxy, domain: 'cluster.local', metadata: node });
  if (!result.ok) throw new Error(result.error);
  return versionsOf(result.value.snapshot);
}

/** From the process that has lived through all cases so far. */
function translateCluster({ proxy, metadata, labels }: GoldenCase): Readonly<Record<string, string>> {
  const mesh = xebec.pilot.mesh();
  const parsed = mesh && offlineProxy(proxy, mesh, { ...metadata, LABELS: labels });
  return parsed?.ok === true ? versionsOf(xebec.pilot.snapshotFor(parsed.value)) : {};
}

/** Everything there is, as kubectl would write it into one file. */
async function dump(folder: string): Promise<void> {
  const types = [...new Map(applied.map(({ type }) => [JSON.stringify(type), type])).values()];
  const builtIns: ResourceType[] = ['namespaces', 'services', 'configmaps'].map((plural) => ({
    group: '',
    version: 'v1',
    plural,
  }));
  const slices = { group: 'discovery.k8s.io', version: 'v1', plural: 'endpointslices' };
  const all = new Map([...types, ...builtIns, slices].map((type) => [JSON.stringify(type), type]));
  const items: KubeObject[] = [];
  for (const type of all.values()) {
    const listed = await api().list(type, { namespace: '', limit: 500 }, forever);
    if (!listed.ok) throw new Error(listed.error.message);
    const apiVersion = type.group === '' ? type.version : `${type.group}/${type.version}`;
    items.push(...listed.value.items.map((item) => ({ apiVersion, kind: kindOf(type), ...item })));
  }
  writeFileSync(join(folder, 'all.json'), JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
}

const kinds = new Map<string, string>([
  ['namespaces', 'Namespace'],
  ['services', 'Service'],
  ['configmaps', 'ConfigMap'],
  ['endpointslices', 'EndpointSlice'],
]);

function kindOf({ plural }: ResourceType): string {
  return kinds.get(plural) ?? '';
}

function isManifest(value: unknown): value is Manifest {
  return typeof value === 'object' && value !== null && 'kind' in value && 'metadata' in value;
}

/** Applies an object, and its status where it has one; what a real API server demands besides is filled in. */
async function put(manifest: Manifest): Promise<void> {
  const { apiVersion, kind, metadata } = manifest;
  const collection = collectionFor(apiVersion, kind);
  if (collection === undefined) throw new Error(`${apiVersion} ${kind} is of no collection`);
  const [, version = apiVersion] = apiVersion.split('/');
  const type = { group: collection.group, version, plural: collection.plural };
  kinds.set(type.plural, kind);
  const namespace = collection.scope === 'cluster' ? '' : (metadata.namespace ?? 'default');
  if (namespace !== '') await putNamespace(namespace);
  const object = complete({ ...manifest, metadata: { ...metadata, ...(namespace === '' ? {} : { namespace }) } });
  applied.push({ type, name: { namespace, name: metadata.name } });
  await apply(type, object);
  if ('status' in manifest) {
    const status = { apiVersion, kind, metadata: object['metadata'], status: object['status'] };
    await apply(type, status, 'status');
  }
}

async function putNamespace(name: string): Promise<void> {
  const type = { group: '', version: 'v1', plural: 'namespaces' };
  if ((await api().get(type, { namespace: '', name }, forever)).ok) return;
  await apply(type, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
}

async function apply(type: ResourceType, object: KubeObject, subresource?: 'status'): Promise<void> {
  const options = { fieldManager: 'test', force: true, ...(subresource === undefined ? {} : { subresource }) };
  const result = await api().apply(type, object, options, forever);
  if (!result.ok) throw new Error(`${JSON.stringify(object)}: ${result.error.message}`);
}

function complete(manifest: KubeObject): KubeObject {
  const spec = manifest['spec'] as { readonly containers?: readonly object[]; readonly clusterIPs?: readonly string[] };
  if (manifest['kind'] === 'Service' && spec.clusterIPs?.length === 2) {
    return { ...manifest, spec: { ...spec, ipFamilyPolicy: 'RequireDualStack' } };
  }
  if (manifest['kind'] !== 'Pod') return manifest;
  const containers = (spec.containers ?? [{ name: 'app' }]).map((container) => ({ image: 'app', ...container }));
  return { ...manifest, spec: { ...spec, containers } };
}

function pathOf({ group, version, plural }: ResourceType, { namespace, name }: ObjectName): string {
  const root = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
  return `${root}${namespace === '' ? '' : `/namespaces/${namespace}`}/${plural}/${name}`;
}

async function until(what: string, isTrue: () => boolean, explain?: () => void): Promise<void> {
  const deadline = performance.now() + 15_000;
  while (!isTrue()) {
    if (performance.now() > deadline) {
      explain?.();
      throw new Error(`never: ${what}`);
    }
    await sleep(10);
  }
}
