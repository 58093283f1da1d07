import { describe, expect, test } from 'vitest';
import { type ObjectKey, objectKey } from '../../model/ids.ts';
import { LocalSource, type ObjectSink } from './local-source.ts';
import type { PodState, RawObject, RawUpdate } from './objects.ts';
import type { PodPlan } from './pod-plan.ts';

type Body = Readonly<Record<string, unknown>>;

function raw(kind: string, name: string, spec: Body): RawObject {
  return {
    key: objectKey(kind, 'default', name),
    apiVersion: 'v1',
    kind,
    meta: {
      namespace: 'default',
      name,
      labels: {},
      annotations: {},
      uid: undefined,
      resourceVersion: undefined,
      generation: undefined,
      createdAt: undefined,
      deletedAt: undefined,
    },
    body: { apiVersion: 'v1', kind, metadata: { name, namespace: 'default' }, spec },
    locate: undefined,
  };
}

const service = (spec: Body = {}): RawObject =>
  raw('Service', 'web', { selector: { app: 'web' }, ports: [{ name: 'http', port: 80, targetPort: 'main' }], ...spec });

type Wish = {
  readonly name?: string;
  readonly replicas?: number;
  readonly annotations?: Readonly<Record<string, string>>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly port?: number;
  readonly account?: string;
};

function deployment(wish: Wish = {}): RawObject {
  const { name = 'web', replicas = 1, annotations, labels, port = 8080, account = 'web-account' } = wish;
  return raw('Deployment', name, {
    replicas,
    selector: { matchLabels: { app: 'web' } },
    template: {
      metadata: {
        labels: { app: 'web', ...labels },
        annotations: { 'local.xebec.dev/command': '["node", "web.js"]', ...annotations },
      },
      spec: {
        serviceAccountName: account,
        containers: [{ name: 'web', image: 'web', ports: [{ name: 'main', containerPort: port }] }],
      },
    },
  });
}

/** A folder and a host of pods in memory, and what the control plane has been told in sum. */
class Bench {
  readonly objects = new Map<ObjectKey, RawObject>();
  readonly source: LocalSource;
  readonly #ready = new Set<string>();
  plans: readonly PodPlan[] = [];
  updates: RawUpdate[] = [];
  #apply: ((update: RawUpdate) => void) | undefined;

  constructor() {
    const bench = this;
    this.source = new LocalSource({
      folder: { name: 'memory', run: (sink) => this.#begin(sink) },
      pods: {
        setPlans: (plans) => {
          this.plans = plans;
        },
        get states(): readonly PodState[] {
          return bench.states;
        },
      },
      onChange: () => undefined,
    });
  }

  get states(): readonly PodState[] {
    return this.plans.map((plan, index) => ({
      plan,
      address: `10.244.0.${index + 2}`,
      ready: this.#ready.has(plan.name),
      terminating: false,
      createdAt: 0,
    }));
  }

  async start(...objects: readonly RawObject[]): Promise<this> {
    this.#initial = objects;
    await this.source.run(
      {
        apply: (update) => {
          this.updates.push(update);
          for (const key of update.deletes) this.objects.delete(key);
          for (const object of update.upserts) this.objects.set(object.key, object);
        },
        synced: () => undefined,
      },
      new AbortController().signal,
    );
    return this;
  }

  #initial: readonly RawObject[] = [];

  async #begin(sink: ObjectSink): Promise<void> {
    this.#apply = (update) => sink.apply(update);
    sink.apply({ upserts: this.#initial, deletes: [] });
    sink.synced();
  }

  edit(...objects: readonly RawObject[]): void {
    this.#apply?.({ upserts: objects, deletes: [] });
  }

  remove(...keys: readonly ObjectKey[]): void {
    this.#apply?.({ upserts: [], deletes: keys });
  }

  becomesReady(name: string): void {
    this.#ready.add(name);
    this.source.refresh();
  }

  body(kind: string, name: string, namespace = 'default'): Body | undefined {
    return this.objects.get(objectKey(kind, namespace, name))?.body;
  }

  kinds(): readonly string[] {
    return [...this.objects.values()].map(({ kind }) => kind).sort();
  }
}

describe('what local mode adds to a folder', () => {
  test('a service gets an address, its pods an EndpointSlice with the ports they really have', async () => {
    const bench = await new Bench().start(service(), deployment({ replicas: 2 }));
    expect(bench.kinds()).toEqual(['Deployment', 'EndpointSlice', 'Node', 'Pod', 'Pod', 'Service']);
    expect(bench.body('Service', 'web')).toMatchObject({ spec: { clusterIP: expect.stringMatching(/^10\.96\./) } });
    expect(bench.body('EndpointSlice', 'web-local')).toMatchObject({
      metadata: { labels: { 'kubernetes.io/service-name': 'web' } },
      ports: [{ name: 'http', port: 8080, protocol: 'TCP' }],
      endpoints: [
        { addresses: ['10.244.0.2'], conditions: { ready: false } },
        { addresses: ['10.244.0.3'], conditions: { ready: false } },
      ],
    });
    expect(bench.body('Pod', bench.plans[0]?.name ?? '')).toMatchObject({
      metadata: { labels: { app: 'web', 'pod-template-hash': bench.plans[0]?.templateHash } },
      spec: { serviceAccountName: 'web-account', nodeName: 'local' },
      status: { podIP: '10.244.0.2' },
    });
  });

  test('a pod that becomes ready moves its own object and its slice, nothing else', async () => {
    const bench = await new Bench().start(service(), deployment());
    bench.updates = [];
    bench.becomesReady(bench.plans[0]?.name ?? '');
    expect(bench.updates.map(({ upserts }) => upserts.map(({ kind }) => kind))).toEqual([['Pod', 'EndpointSlice']]);
    expect(bench.body('EndpointSlice', 'web-local')).toMatchObject({ endpoints: [{ conditions: { ready: true } }] });
    bench.source.refresh();
    expect(bench.updates).toHaveLength(1);
  });

  test('pods follow replicas, and go with their Deployment', async () => {
    const bench = await new Bench().start(service(), deployment());
    bench.edit(deployment({ replicas: 3 }));
    expect(bench.plans.map(({ name }) => name.at(-1))).toEqual(['0', '1', '2']);
    bench.remove(objectKey('Deployment', 'default', 'web'));
    expect(bench.plans).toEqual([]);
    expect(bench.kinds()).toEqual(['EndpointSlice', 'Node', 'Service']);
    expect(bench.body('EndpointSlice', 'web-local')).toMatchObject({ endpoints: [] });
  });

  test('a changed template makes other pods; a changed replica count does not', async () => {
    const bench = await new Bench().start(deployment());
    const [before] = bench.plans;
    bench.edit(deployment({ replicas: 2 }));
    expect(bench.plans[0]).toMatchObject({ name: before?.name });
    bench.edit(deployment({ replicas: 2, annotations: { 'example.com/restarted': '1' } }));
    expect(bench.plans[0]?.name).not.toBe(before?.name);
  });

  test('pods that resolve a named port differently get slices of their own', async () => {
    const bench = await new Bench().start(service(), deployment(), deployment({ name: 'web-2', port: 9090 }));
    const ports = ['web-local', 'web-local-2'].map((name) => bench.body('EndpointSlice', name)?.['ports']);
    expect(ports).toEqual([[expect.objectContaining({ port: 8080 })], [expect.objectContaining({ port: 9090 })]]);
  });

  test('headless, external and chosen addresses are left as they are', async () => {
    const bench = await new Bench().start(service({ clusterIP: 'None' }));
    expect(bench.body('Service', 'web')).toMatchObject({ spec: { clusterIP: 'None' } });
    bench.edit(service({ clusterIP: '10.96.7.7' }));
    expect(bench.body('Service', 'web')).toMatchObject({ spec: { clusterIP: '10.96.7.7' } });
    bench.edit(service({ type: 'ExternalName', externalName: 'example.com' }));
    expect(bench.body('Service', 'web')?.['spec']).not.toHaveProperty('clusterIP');
    expect(bench.body('EndpointSlice', 'web-local')).toBeUndefined();
  });

  test('a folder’s own node named local is the node', async () => {
    const own = { ...raw('Node', 'local', {}), key: objectKey('Node', '', 'local') };
    const bench = await new Bench().start(own);
    expect(bench.updates.flatMap(({ upserts }) => upserts).filter(({ kind }) => kind === 'Node')).toEqual([own]);
  });
});

describe('which pods a Deployment gets', () => {
  test.each([
    ['a sidecar by default', {}, 'sidecar', 1],
    ['none where injection is refused', { labels: { 'sidecar.istio.io/inject': 'false' } }, 'none', 1],
    ['Envoy alone for a gateway', { annotations: { 'inject.istio.io/templates': 'gateway' } }, 'router', 0],
  ])('%s', async (_name, wish: Wish, kind, containers) => {
    const bench = await new Bench().start(deployment(wish));
    expect(bench.plans).toHaveLength(1);
    expect(bench.plans[0]).toMatchObject({
      kind,
      capture: { mode: kind === 'sidecar' ? 'REDIRECT' : 'NONE', dns: true },
    });
    expect(bench.plans[0]?.containers).toHaveLength(containers);
  });

  test('who has Envoy can be spoken to by mutual TLS, unless somebody says otherwise', async () => {
    const tlsModeOf = async (wish: Wish): Promise<string | undefined> => {
      const bench = await new Bench().start(deployment(wish));
      return bench.plans[0]?.labels['security.istio.io/tlsMode'];
    };
    expect(await tlsModeOf({})).toBe('istio');
    expect(await tlsModeOf({ labels: { 'security.istio.io/tlsMode': 'disabled' } })).toBe('disabled');
    expect(await tlsModeOf({ labels: { 'sidecar.istio.io/inject': 'false' } })).toBeUndefined();
    expect(await tlsModeOf({ annotations: { 'inject.istio.io/templates': 'gateway' } })).toBeUndefined();
    expect(await tlsModeOf({ annotations: { 'sidecar.istio.io/interceptionMode': 'NONE' } })).toBeUndefined();
  });

  test('an account that nobody can be is told', async () => {
    const bench = await new Bench().start(deployment({ account: 'Web Account' }));
    expect(bench.plans).toEqual([]);
    expect(bench.source.diagnostics).toEqual([
      expect.objectContaining({
        path: ['spec', 'template', 'spec', 'serviceAccountName'],
        message: '"Web Account" is no name of a service account, such as reviews',
      }),
    ]);
  });

  test('a pod without Envoy is told the pods of a service, since nobody leads it there', async () => {
    const plain = deployment({ name: 'plain', labels: { app: 'plain', 'sidecar.istio.io/inject': 'false' } });
    const bench = await new Bench().start(service(), deployment(), plain);
    for (const { name } of bench.plans) bench.becomesReady(name);
    const addressOf = (deploymentName: string): string =>
      bench.states.find(({ plan }) => plan.deployment === deploymentName)?.address ?? '';
    const name = 'web.default.svc.cluster.local';
    expect(bench.source.resolve(name, addressOf('plain'))).toEqual([addressOf('web')]);
    expect(bench.source.resolve(name, addressOf('web'))).toEqual([expect.stringMatching(/^10\.96\./)]);
  });

  test.each([
    ['no command', { 'local.xebec.dev/command': '' }, 'is not a JSON list'],
    ['half a list', { 'local.xebec.dev/command': '["node"' }, 'is not a JSON list'],
    ['a list of other things', { 'local.xebec.dev/command': '["node", 1]' }, 'all texts'],
    ['a capture that needs more rights', { 'sidecar.istio.io/interceptionMode': 'TPROXY' }, 'REDIRECT only'],
    ['a port nobody has', { 'traffic.sidecar.istio.io/excludeInboundPorts': 'http' }, "'http' is not a port"],
  ])('%s: told with its place, and the pods stay as they were', async (_name, annotations, reason) => {
    const bench = await new Bench().start(deployment());
    const before = bench.plans;
    bench.edit(deployment({ annotations }));
    expect(bench.plans).toEqual(before);
    expect(bench.source.diagnostics).toEqual([
      expect.objectContaining({
        level: 'warning',
        object: { kind: 'Deployment', namespace: 'default', name: 'web' },
        message: expect.stringContaining(reason),
      }),
    ]);
    bench.edit(deployment());
    expect(bench.source.diagnostics).toEqual([]);
  });
});
