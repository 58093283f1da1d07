import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, afterEach, beforeAll, expect, test } from 'vitest';
import { collectionFor } from '../../src/apis/collections.ts';
import { Xebec } from '../../src/app/assemble.ts';
import { loadOffline } from '../../src/app/offline.ts';
import { translateOffline } from '../../src/app/translate-offline.ts';
import { systemClock } from '../../src/kit/system-clock.ts';
import type { KubeObject } from '../../src/kube/api.ts';
import { connectKubeApi, type KubeConnection } from '../../src/kube/connect.ts';
import { offlineProxy, provenProxy } from '../../src/pilot/proxy/offline.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';
import { PromMetrics } from '../../src/telemetry/prom-metrics.ts';
import { processConfig } from '../../src/testing/process-config.ts';
import type { XdsSnapshot } from '../../src/xds/ports.ts';
import type { Manifest } from '../feature/pilot/support/manifests.ts';
import { type GoldenCase, loadCase } from '../golden/case.ts';
import { apiServerOfFile } from './api-server-of-file.ts';
import { manifestsIn, Objects } from './support/objects.ts';

const server = apiServerOfFile({
  flags: ['--disable-admission-plugins=ServiceAccount', '--service-cluster-ip-range=10.96.0.0/16,fd00::/108'],
});
const forever = new AbortController().signal;
/** Endpoints are for folders: a cluster has a controller that makes slices of them. */
const foldersOnly: readonly string[] = ['k8s-without-selector'];
const names = readdirSync(new URL('../golden/cases/', import.meta.url))
  .map((file) => file.replace('.yaml', ''))
  .filter((name) => !foldersOnly.includes(name));

let kube: KubeConnection | undefined;
let xebec: Xebec;
let running: Promise<void>;
const stop = new AbortController();
/** What the case under way has applied. */
const applied: Manifest[] = [];

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
  const config = processConfig({
    source: undefined,
    kubernetes: true,
    secretNamespaces: ['*'],
    debounceAfterMs: 5,
    debounceMaxMs: 100,
  });
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
  const kept = ['Namespace'];
  const gone = applied.splice(0).filter(({ kind }) => !kept.includes(String(kind)));
  await new Objects(api()).delete(...gone.reverse());
});

test.each(names)('the same objects from a folder and from an API server give the same bytes: %s', async (name) => {
  const golden = loadCase(name);
  applied.push(...manifestsIn(golden.yaml));
  await new Objects(api()).put(...applied);
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
  return parsed?.ok === true ? versionsOf(xebec.pilot.snapshotFor(provenProxy(parsed.value))) : {};
}

/** Everything there is, as kubectl would write it into one file. */
async function dump(folder: string): Promise<void> {
  const kinds = new Map(builtIns);
  for (const { apiVersion, kind } of applied)
    kinds.set(`${String(kind)}.${String(apiVersion)}`, collectionOf(apiVersion, kind));
  const items: KubeObject[] = [];
  for (const { kind, apiVersion, plural } of kinds.values()) {
    const [version = '', group = ''] = apiVersion.split('/').toReversed();
    const listed = await api().list({ group, version, plural }, { namespace: '', limit: 500 }, forever);
    if (!listed.ok) throw new Error(listed.error.message);
    items.push(...listed.value.items.map((item) => ({ apiVersion, kind, ...item })));
  }
  writeFileSync(join(folder, 'all.json'), JSON.stringify({ apiVersion: 'v1', kind: 'List', items }));
}

type Listed = { readonly kind: string; readonly apiVersion: string; readonly plural: string };

/** What there is also where no case applied it. */
const builtIns: readonly (readonly [string, Listed])[] = [
  ['v1', 'Namespace'],
  ['v1', 'Service'],
  ['v1', 'ConfigMap'],
  ['discovery.k8s.io/v1', 'EndpointSlice'],
].map(([apiVersion, kind]) => [`${kind}.${apiVersion}`, collectionOf(apiVersion, kind)]);

function collectionOf(apiVersion: unknown, kind: unknown): Listed {
  const collection = collectionFor(String(apiVersion), String(kind));
  if (collection === undefined) throw new Error(`${String(apiVersion)} ${String(kind)} is of no collection`);
  return { kind: collection.kind, apiVersion: String(apiVersion), plural: collection.plural };
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
