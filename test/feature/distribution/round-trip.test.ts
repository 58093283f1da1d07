// What is distributed says the same as what was admitted: every object of every case, through protobuf and back.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import protobuf from 'protobufjs';
import 'protobufjs/ext/descriptor/index.js';
import { describe, expect, test } from 'vitest';
import type { Collection } from '../../../src/apis/collections.ts';
import { collections, type SpecByKind } from '../../../src/apis/collections.ts';
import { millisOf, parseDuration } from '../../../src/apis/duration.ts';
import { renderPath } from '../../../src/apis/issue.ts';
import { dumpSnapshot } from '../../../src/app/config-dump.ts';
import { Catalog } from '../../../src/galley/distribution/catalog.ts';
import { loadSpecCodec } from '../../../src/galley/distribution/encode-resource.ts';
import { istioBody } from '../../../src/galley/distribution/istio-body.ts';
import {
  type DistributedKind,
  distributedKinds,
  meshConfigSettings,
  meshNetworksSettings,
} from '../../../src/galley/distribution/kinds.ts';
import { incomingOf, incomingSettings } from '../../../src/galley/sources/remote/incoming.ts';
import type { SourceObject } from '../../../src/galley/sources/source.ts';
import { decodeMessage } from '../../../src/gen/codec.ts';
import { systemClock } from '../../../src/kit/system-clock.ts';
import type { ConfigSnapshot } from '../../../src/model/config-snapshot.ts';
import type { ConfigObject } from '../../../src/model/object.ts';
import { makePinoLogger } from '../../../src/telemetry/pino-logger.ts';
import { loadCase } from '../../golden/case.ts';
import { translateCase } from '../../golden/translate.ts';
import { loadYaml } from '../../support/load-yaml.ts';

const root = fileURLToPath(new URL('../../..', import.meta.url));
const cases = readdirSync(join(root, 'test/golden/cases')).map((file) => file.replace(/\.yaml$/, ''));
const codec = await loadSpecCodec();

const set = gunzipSync(readFileSync(join(root, 'src/gen/istio.bin.gz')));
const otherDecoder = (protobuf.Root as unknown as { fromDescriptor(set: Uint8Array): protobuf.Root }).fromDescriptor(
  set,
);

describe('objects of the golden cases', () => {
  test.each(cases)('%s', async (name) => {
    const golden = loadCase(name);
    const config = await loadYaml(golden.yaml, golden.despite);
    const { objects, log } = await travel(config);
    expect(log).toEqual([]);
    const arrived = await loadYaml(objects.map(({ body }) => JSON.stringify(body)).join('\n---\n'), golden.despite);
    const there = await dump(golden, arrived);
    expect(there).toEqual(await dump(golden, config));
  });
});

describe('sample objects of every kind', () => {
  const folder = join(root, 'test/cluster/objects');
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((file) => file.endsWith('.yaml'));
  test.each(files.sort())('%s', async (file) => {
    const config = await loadYaml(readFileSync(join(folder, file), 'utf8'), ['IST0101']);
    const { objects, log } = await travel(config);
    expect(log).toEqual([]);
    const byKey = new Map(objects.map((object) => [object.key, object]));
    for (const kind of distributedKinds) {
      for (const object of config.objects[kind.kind]) {
        const arrived = byKey.get(object.key);
        expect(arrived, object.key).toBeDefined();
        if (arrived !== undefined) expectSame(kind, object, arrived);
      }
    }
  });
});

async function dump(golden: ReturnType<typeof loadCase>, config: ConfigSnapshot): Promise<unknown> {
  return dumpSnapshot(translateCase(golden, config).resources, () => true);
}

type Arrived = { readonly objects: readonly SourceObject[]; readonly log: readonly string[] };

/** Everything of a snapshot, encoded and read again. */
async function travel(config: ConfigSnapshot): Promise<Arrived> {
  const log: string[] = [];
  const feed = { snapshot: () => config, onChange: () => () => undefined };
  const catalog = new Catalog({
    feed,
    domain: 'cluster.local',
    clock: systemClock,
    log: makePinoLogger('info', (line) => log.push(line)),
  });
  await catalog.load('whole mesh');
  const objects = distributedKinds.flatMap((kind) => {
    const read = incomingOf(kind, codec);
    return [...catalog.kind(kind.kind, config).resources.values()].map(({ bytes }) => {
      expectReadable(kind, bytes);
      return unwrap(read(bytes));
    });
  });
  const settings = incomingSettings('istio-system', codec);
  unwrap(settings.mesh(catalog.settings(meshConfigSettings, config)));
  const mesh = unwrap(settings.networks(catalog.settings(meshNetworksSettings, config)));
  const rest = config.objects.ConfigMap.filter(({ meta }) => meta.name !== 'istio');
  return { objects: [...objects, mesh, ...rest.map(withBody), ...config.objects.Secret.map(withBody)], log };
}

/** What is not distributed, as it would come from elsewhere. */
function withBody(object: ConfigObject): SourceObject {
  const { key, kind, meta, spec } = object;
  const { name, namespace, annotations } = meta;
  // What is encoded in a Secret is text once it is read.
  const texts = kind === 'Secret' ? { stringData: (spec as SpecByKind['Secret']).data } : (spec as object);
  const body = { apiVersion: 'v1', kind, metadata: { name, namespace, annotations }, ...texts };
  return { key, kind, meta, body, apiVersion: 'v1', locate: undefined };
}

function unwrap(read: ReturnType<ReturnType<typeof incomingOf>>): SourceObject {
  if (!read.ok) throw new Error(read.error);
  return read.value;
}

/** A decoder that shares nothing with ours but the description of the messages. */
function expectReadable(kind: DistributedKind, bytes: Uint8Array): void {
  const { body } = decodeMessage('istio.mcp.v1alpha1.Resource', bytes);
  const type = otherDecoder.lookupType(kind.message);
  const value = body?.value ?? new Uint8Array();
  const message = type.decode(value);
  expect(type.verify(message)).toBeNull();
  expect(codec.decode(kind.message, type.encode(message).finish())).toEqual(codec.decode(kind.message, value));
}

function expectSame(kind: DistributedKind, object: ConfigObject, arrived: SourceObject): void {
  const collection: Collection = collections[kind.kind];
  const { spec, issues } = collection.check(arrived.body, arrived.meta);
  const errors = issues.filter(({ level }) => level === 'error');
  expect(errors.map(({ path, message }) => `${renderPath(path)}: ${message}`)).toEqual([]);
  expect({ ...arrived.meta, resourceVersion: undefined }).toEqual({ ...object.meta, resourceVersion: undefined });
  expect(codec.encode(kind.message, spec)).toEqual(codec.encode(kind.message, istioBody(object)));
  const complete = codec.decode(kind.message, codec.encode(kind.message, spec), { zeros: true });
  expect(lostIn(istioBody(object), complete, 'spec')).toEqual([]);
}

/** What a spec says and its decoded message, zeros included, does not. */
function lostIn(spec: unknown, message: unknown, path: string): readonly string[] {
  if (Array.isArray(spec)) return spec.flatMap((item, at) => lostIn(item, memberOf(message, at), `${path}[${at}]`));
  if (typeof spec === 'object' && spec !== null) {
    return Object.entries(spec).flatMap(([key, value]) => lostIn(value, memberOf(message, key), `${path}.${key}`));
  }
  if (spec === message || String(spec) === message) return [];
  const isSameTime = typeof spec === 'string' && parseDuration(spec).ok && sameTime(spec, message);
  return isSameTime ? [] : [`${path}: ${JSON.stringify(spec)} became ${JSON.stringify(message)}`];
}

function memberOf(value: unknown, key: string | number): unknown {
  if (typeof value !== 'object' || value === null) return undefined;
  const members = value as Readonly<Record<string | number, unknown>>;
  // One field has two spellings in specs too; JSON has the second.
  return members[key === 'jwks_uri' ? 'jwksUri' : key];
}

function sameTime(a: string, b: unknown): boolean {
  return typeof b === 'string' && parseDuration(b).ok && millisOf(a) === millisOf(b);
}

test('the settings of the mesh arrive, zeros where the default is another too', async () => {
  const yaml = `
apiVersion: v1
kind: ConfigMap
metadata: {name: istio, namespace: istio-system}
data:
  mesh: |
    enableTracing: false
    disablePolicyChecks: false
    outboundTrafficPolicy: {mode: REGISTRY_ONLY}
    accessLogFile: /dev/stdout
    defaultConfig: {concurrency: 3, drainDuration: 1m}
  meshNetworks: |
    networks: {one: {endpoints: [{fromRegistry: a}], gateways: [{address: 1.1.1.1, port: 15443}]}}
`;
  const config = await loadYaml(yaml);
  const { objects } = await travel(config);
  const arrived = await loadYaml(objects.map(({ body }) => JSON.stringify(body)).join('\n---\n'));
  expect(arrived.networks).toEqual(config.networks);
  expect(arrived.mesh).toEqual({
    ...config.mesh,
    connectTimeout: '10s',
    defaultConfig: { ...config.mesh.defaultConfig, drainDuration: '60s' },
  });
  expect(arrived.mesh).toMatchObject({ enableTracing: false, outboundTrafficPolicy: { mode: 'REGISTRY_ONLY' } });
});

test('what identifies an object in its cluster arrives', async () => {
  const yaml = `
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: {name: a, namespace: b, uid: u-1, generation: 7, creationTimestamp: "2026-01-02T03:04:05Z", annotations: {k: v}}
spec: {servers: [{hosts: ["*"], port: {number: 80, name: http, protocol: HTTP}}]}
---
apiVersion: v1
kind: Pod
metadata: {name: p, namespace: b, uid: u-2, deletionTimestamp: "2026-01-02T03:04:05Z"}
spec: {serviceAccountName: s, containers: []}
status: {podIP: 10.0.0.1}
`;
  const config = await loadYaml(yaml);
  const { objects } = await travel(config);
  const arrived = new Map(objects.map(({ key, meta }) => [key, meta]));
  for (const object of [...config.objects.Gateway, ...config.objects.Pod])
    expect(arrived.get(object.key)).toEqual(object.meta);
});
