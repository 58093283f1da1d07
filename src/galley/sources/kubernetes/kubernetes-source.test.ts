import { setImmediate } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { err, ok } from '../../../kit/result.ts';
import type { KubeObject, KubeResult } from '../../../kube/api.ts';
import type { Reflect, Reflection, ReflectionState } from '../../../kube/reflection.ts';
import type { Diagnostic } from '../../../model/diagnostic.ts';
import { KubernetesSource, type KubernetesSourceDeps } from './kubernetes-source.ts';

const STORE = 'virtualservices.networking.istio.io';

type Running = { readonly reflection: Reflection<unknown>; readonly stop: AbortSignal };

/** A cluster in which the test says what every reflector has to tell. */
class Cluster {
  readonly running = new Map<string, Running>();
  readonly keys = new Set<string>();
  readonly told: string[] = [];
  diagnostics: readonly Diagnostic[] = [];
  isSynced = false;
  definition: KubeResult | Promise<KubeResult> = err({
    reason: 'not-found',
    status: 404,
    message: 'not found',
    retryAfterMs: undefined,
  });
  readonly source: KubernetesSource;

  constructor({ kinds = 'istio', secretNamespaces = [] }: Partial<KubernetesSourceDeps> = {}) {
    const reflect: Reflect = <T>(reflection: Reflection<T>) => ({
      name: reflection.type.plural,
      run: async (stop) => {
        const { group, version, plural } = reflection.type;
        const place = plural === 'secrets' ? `@${reflection.namespace}` : '';
        const name = `${plural}.${version}.${group}${place}`;
        this.running.set(name, { reflection: reflection as Reflection<unknown>, stop });
        await new Promise((resolve) => stop.addEventListener('abort', resolve, { once: true }));
        if (this.running.get(name)?.stop === stop) this.running.delete(name);
      },
    });
    this.source = new KubernetesSource({
      api: { get: () => Promise.resolve(this.definition) },
      reflect,
      rootNamespace: 'istio-system',
      kinds,
      secretNamespaces,
    });
  }

  async start(): Promise<void> {
    const stop = new AbortController();
    const running = this.source.run(
      {
        apply: ({ upserts, deletes, diagnostics }) => {
          for (const { key, apiVersion } of upserts) {
            this.keys.add(key);
            this.told.push(`${key} ${apiVersion}`);
          }
          for (const key of deletes) this.keys.delete(key);
          if (diagnostics !== undefined) this.diagnostics = diagnostics;
        },
        synced: () => {
          this.isSynced = true;
        },
      },
      stop.signal,
    );
    onTestFinished(async () => {
      stop.abort();
      await running;
    });
    await settle();
  }

  at(name: string): Reflection<unknown> {
    const found = this.running.get(name)?.reflection;
    if (found === undefined) throw new Error(`nobody reads ${name}; read are ${[...this.running.keys()].join(' ')}`);
    return found;
  }

  async list(name: string, ...objects: readonly KubeObject[]): Promise<void> {
    const { project, onChange, onSynced, onState } = this.at(name);
    onChange({ upserts: objects.map(project).filter((each) => each !== undefined), deletes: [] });
    onState({ kind: 'synced' });
    onSynced();
    await settle();
  }

  async delete(name: string, ...objects: readonly KubeObject[]): Promise<void> {
    const { keyOf, onChange } = this.at(name);
    onChange({ upserts: [], deletes: objects.map(keyOf) });
    await settle();
  }

  async state(name: string, state: ReflectionState): Promise<void> {
    this.at(name).onState(state);
    await settle();
  }
}

async function settle(): Promise<void> {
  for (let turn = 0; turn < 5; turn++) await setImmediate();
}

const DEFINITIONS = 'customresourcedefinitions.v1.apiextensions.k8s.io';

function definition(name: string, versions: readonly string[], more: KubeObject = {}): KubeObject {
  return {
    metadata: { name, uid: 'one', ...more },
    spec: { versions: versions.map((version) => ({ name: version, served: true })) },
    status: { conditions: [{ type: 'Established', status: 'True' }] },
  };
}

function virtualService(name: string): KubeObject {
  return { metadata: { name, namespace: 'shop', managedFields: [] }, spec: { hosts: [name] } };
}

describe('a cluster as a source', () => {
  test('is synced when every kind that there is was listed, and kinds without a definition are named', async () => {
    const cluster = new Cluster();
    await cluster.start();
    expect(cluster.isSynced).toBe(false);
    await cluster.list(DEFINITIONS, definition(STORE, ['v1', 'v1beta1']));
    expect(cluster.isSynced).toBe(false);
    expect(cluster.source.waitingFor()).toEqual(['VirtualService']);
    await cluster.list('virtualservices.v1.networking.istio.io', virtualService('a'));
    expect(cluster.isSynced).toBe(true);
    expect([...cluster.keys]).toEqual(['VirtualService/shop/a']);
    expect(cluster.diagnostics.map(({ code }) => code)).toEqual(['XEB1016']);
    expect(cluster.diagnostics[0]?.message).toContain('the cluster has no DestinationRule, Gateway');
  });

  test('a definition that comes later is read, in the newest version that is served', async () => {
    const cluster = new Cluster();
    await cluster.start();
    await cluster.list(DEFINITIONS);
    expect(cluster.isSynced).toBe(true);
    await cluster.list(DEFINITIONS, definition(STORE, ['v1alpha3', 'v1beta1', 'v9']));
    await cluster.list('virtualservices.v1beta1.networking.istio.io', virtualService('a'));
    expect(cluster.told).toEqual(['VirtualService/shop/a networking.istio.io/v1beta1']);
  });

  test('another served version takes over, and only what is really gone goes', async () => {
    const cluster = new Cluster();
    await cluster.start();
    await cluster.list(DEFINITIONS, definition(STORE, ['v1alpha3']));
    await cluster.list('virtualservices.v1alpha3.networking.istio.io', virtualService('a'), virtualService('b'));
    await cluster.list(DEFINITIONS, definition(STORE, ['v1']));
    expect([...cluster.running.keys()]).not.toContain('virtualservices.v1alpha3.networking.istio.io');
    expect([...cluster.keys]).toEqual(['VirtualService/shop/a', 'VirtualService/shop/b']);
    await cluster.list('virtualservices.v1.networking.istio.io', virtualService('b'));
    expect([...cluster.keys]).toEqual(['VirtualService/shop/b']);
  });

  test('of versions that are not read it says so', async () => {
    const cluster = new Cluster();
    await cluster.start();
    await cluster.list(DEFINITIONS, definition(STORE, ['v9']));
    expect(cluster.diagnostics.find(({ code }) => code === 'XEB1017')?.message).toBe(
      'the cluster serves VirtualService in v9 only; read is networking.istio.io/v1, networking.istio.io/v1beta1, networking.istio.io/v1alpha3',
    );
  });

  test('objects that go with their definition stay in force until it is back', async () => {
    const cluster = new Cluster();
    await cluster.start();
    await cluster.list(DEFINITIONS, definition(STORE, ['v1']));
    const version = 'virtualservices.v1.networking.istio.io';
    await cluster.list(version, virtualService('a'), virtualService('b'));
    cluster.definition = ok(definition(STORE, ['v1'], { deletionTimestamp: '2026-01-01T00:00:00Z' }));
    await cluster.delete(version, virtualService('a'), virtualService('b'));
    cluster.at(DEFINITIONS).onChange({ upserts: [], deletes: [STORE] });
    await settle();
    expect([...cluster.keys]).toEqual(['VirtualService/shop/a', 'VirtualService/shop/b']);
    expect(cluster.diagnostics.find(({ code }) => code === 'XEB1020')?.message).toContain('2 objects');
    await cluster.list(DEFINITIONS, definition(STORE, ['v1'], { uid: 'two' }));
    await cluster.list(version, virtualService('b'));
    expect([...cluster.keys]).toEqual(['VirtualService/shop/b']);
    expect(cluster.diagnostics.some(({ code }) => code === 'XEB1020')).toBe(false);
  });

  test('what was told of a version that is not read any more says nothing of the next one', async () => {
    const cluster = new Cluster();
    await cluster.start();
    await cluster.list(DEFINITIONS, definition(STORE, ['v1beta1']));
    const version = 'virtualservices.v1beta1.networking.istio.io';
    await cluster.list(version, virtualService('a'), virtualService('b'));
    const asked = Promise.withResolvers<KubeResult>();
    cluster.definition = asked.promise;
    const { onSynced } = cluster.at(version);
    await cluster.delete(version, virtualService('a'));
    onSynced();
    await cluster.list(DEFINITIONS, definition(STORE, ['v1']));
    asked.resolve(ok(definition(STORE, ['v1'])));
    await settle();
    expect([...cluster.keys]).toEqual(['VirtualService/shop/a', 'VirtualService/shop/b']);
    await cluster.list('virtualservices.v1.networking.istio.io', virtualService('b'));
    expect([...cluster.keys]).toEqual(['VirtualService/shop/b']);
  });

  test('what somebody deleted goes, also where the definition cannot be asked for', async () => {
    const cluster = new Cluster();
    await cluster.start();
    await cluster.list(DEFINITIONS, definition(STORE, ['v1']));
    const version = 'virtualservices.v1.networking.istio.io';
    await cluster.list(version, virtualService('a'), virtualService('b'));
    cluster.definition = ok(definition(STORE, ['v1']));
    await cluster.delete(version, virtualService('a'));
    cluster.definition = err({ reason: 'unreachable', status: undefined, message: 'cut', retryAfterMs: undefined });
    await cluster.delete(version, virtualService('b'));
    expect([...cluster.keys]).toEqual([]);
  });

  test('a kind that may not be read keeps what it had, names the verb, and at the start is waited for', async () => {
    const cluster = new Cluster();
    await cluster.start();
    await cluster.list(DEFINITIONS, definition(STORE, ['v1']), definition('rules.config.istio.io', ['v1alpha2']));
    const version = 'virtualservices.v1.networking.istio.io';
    const forbidden: ReflectionState = { kind: 'forbidden', message: 'virtualservices is forbidden' };
    await cluster.state(version, forbidden);
    expect(cluster.isSynced).toBe(false);
    expect(cluster.source.waitingFor()).toContain('VirtualService (virtualservices is forbidden)');
    await cluster.list(version, virtualService('a'));
    await cluster.state(version, forbidden);
    expect([...cluster.keys]).toEqual(['VirtualService/shop/a']);
    expect(cluster.diagnostics.find(({ code }) => code === 'XEB1018')?.message).toContain(
      'grant list and watch on virtualservices.networking.istio.io',
    );
    await cluster.state(version, { kind: 'synced' });
    expect(cluster.diagnostics.some(({ code }) => code === 'XEB1018')).toBe(false);
  });

  test('what many kinds cannot be read for is told once', async () => {
    const cluster = new Cluster();
    await cluster.start();
    const away: ReflectionState = { kind: 'failing', message: 'no answer' };
    await cluster.state(DEFINITIONS, away);
    expect(cluster.source.waitingFor()).toEqual(['CustomResourceDefinitions (no answer)']);
    await cluster.list(DEFINITIONS, definition(STORE, ['v1']), definition('gateways.networking.istio.io', ['v1']));
    for (const plural of ['gateways', 'virtualservices']) await cluster.state(`${plural}.v1.networking.istio.io`, away);
    expect(cluster.source.waitingFor()).toEqual([
      expect.stringMatching(/^(Gateway|VirtualService), \w+ \(no answer\)$/),
    ]);
    const told = cluster.diagnostics.filter(({ code }) => code === 'XEB1019').map(({ message }) => message);
    expect(told).toEqual([
      expect.stringMatching(/^(Gateway|VirtualService), \w+ cannot be read: no answer; it is tried/),
    ]);
  });

  test('without a look at definitions the newest version of each kind is tried', async () => {
    const cluster = new Cluster();
    await cluster.start();
    await cluster.state(DEFINITIONS, { kind: 'forbidden', message: 'no' });
    for (const name of [...cluster.running.keys()].filter((each) => each.includes('istio.io')))
      await cluster.state(name, { kind: 'absent', message: '404' });
    expect(cluster.isSynced).toBe(true);
  });
});

describe('Secrets of a cluster', () => {
  const pair = { 'tls.crt': 'YQ==', 'tls.key': 'Yg==' };
  function secret(name: string, data: object): KubeObject {
    return { metadata: { name, namespace: 'edge' }, type: 'kubernetes.io/tls', data };
  }
  async function listOthers(cluster: Cluster): Promise<void> {
    for (const name of [...cluster.running.keys()]) if (!name.startsWith('secrets')) await cluster.list(name);
  }

  test('are read where they were asked for, without types that no gateway serves with', async () => {
    const cluster = new Cluster({ kinds: 'kubernetes', secretNamespaces: ['edge', 'shop', 'edge'] });
    await cluster.start();
    const read = [...cluster.running.keys()].filter((name) => name.startsWith('secrets'));
    expect(read).toEqual(['secrets.v1.@edge', 'secrets.v1.@shop']);
    const { fieldSelector } = cluster.at('secrets.v1.@edge').selectors;
    expect(fieldSelector?.split(',')).toEqual(
      expect.arrayContaining([
        'type!=kubernetes.io/service-account-token',
        'type!=helm.sh/release.v1',
        'type!=istio.io/key-and-cert',
      ]),
    );
    expect(cluster.at('configmaps.v1.').selectors).toEqual({ fieldSelector: 'metadata.name=istio' });
  });

  test('are read everywhere for *, and nowhere without namespaces', async () => {
    const everywhere = new Cluster({ kinds: 'kubernetes', secretNamespaces: ['edge', '*'] });
    await everywhere.start();
    expect([...everywhere.running.keys()].filter((name) => name.startsWith('secrets'))).toEqual(['secrets.v1.@']);
    const nowhere = new Cluster({ kinds: 'kubernetes', secretNamespaces: [] });
    await nowhere.start();
    expect([...nowhere.running.keys()].some((name) => name.startsWith('secrets'))).toBe(false);
  });

  test('that no gateway can serve with are not kept, nor are the keys that none needs, nor are pairs of the control plane', async () => {
    const cluster = new Cluster({ kinds: 'kubernetes', secretNamespaces: ['edge'] });
    await cluster.start();
    const { project } = cluster.at('secrets.v1.@edge');
    expect(project(secret('password', { password: 'YQ==' }))).toBeUndefined();
    expect(project(secret('cacerts', { 'ca-cert.pem': 'YQ==', 'ca-key.pem': 'YQ==' }))).toBeUndefined();
    for (const own of ['xebec-webhook-tls', 'cacerts', 'istio-ca-secret'])
      expect(project(secret(own, { ...pair, 'ca.crt': 'YQ==' }))).toBeUndefined();
    expect(project(secret('cacerts', { 'ca.crt': 'YQ==' }))).toBeDefined();
    expect(project(secret('shop', { ...pair, password: 'YQ==' }))).toMatchObject({
      body: { type: 'kubernetes.io/tls', data: pair },
    });
  });

  test('R27: which may not be read hurt nothing else, are named with their namespace, and are read when they may be', async () => {
    const cluster = new Cluster({ kinds: 'kubernetes', secretNamespaces: ['edge', 'shop'] });
    await cluster.start();
    await listOthers(cluster);
    expect(cluster.isSynced).toBe(false);
    await cluster.list('secrets.v1.@shop');
    await cluster.state('secrets.v1.@edge', { kind: 'forbidden', message: 'secrets is forbidden' });
    expect(cluster.isSynced).toBe(true);
    expect(cluster.diagnostics.map(({ code, message }) => `${code} ${message}`)).toEqual([
      'XEB1018 Secret in edge may not be read: secrets is forbidden; grant list and watch on secrets; what was read before stays in force',
    ]);
    await cluster.list('secrets.v1.@edge', secret('shop', pair));
    expect([...cluster.keys]).toEqual(['Secret/edge/shop']);
    expect(cluster.diagnostics).toEqual([]);
    await cluster.state('secrets.v1.@edge', { kind: 'forbidden', message: 'secrets is forbidden' });
    expect([...cluster.keys]).toEqual(['Secret/edge/shop']);
  });
});
