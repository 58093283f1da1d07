import { Galley } from '../../../src/galley/galley.ts';
import { MemorySource } from '../../../src/galley/sources/memory-source.ts';
import { systemClock } from '../../../src/kit/system-clock.ts';
import type { ConfigSnapshot } from '../../../src/model/config-snapshot.ts';
import type { Proxy } from '../../../src/model/proxy.ts';
import { parseProxy } from '../../../src/pilot/proxy/node.ts';
import { silentLogger } from '../../../src/telemetry/logger.ts';
import type { Manifest } from '../../feature/pilot/support/manifests.ts';
import type { NodeText } from '../../feature/pilot/support/model-envoy.ts';
import { node } from '../../feature/pilot/support/process.ts';
import type { Edit } from './random-objects.ts';

/** One of each kind of proxy, and of those that differ in what they see. */
export const nodes: readonly NodeText[] = [
  node('a/x', '10.1.0.1', { labels: { app: 'x', version: 'v1' } }),
  node('a/other', '10.1.0.2', {
    labels: { app: 'x', version: 'v2' },
    metadata: { DNS_CAPTURE: 'true', IDENTITY_FOLDER: '/etc/certs' },
  }),
  { ...node('b/y', '10.1.0.3', { labels: { app: 'y', version: 'v1' } }), locality: { region: 'r1', zone: 'z2' } },
  node('b/none', '10.1.0.4', { labels: { app: 'y' }, metadata: { INTERCEPTION_MODE: 'NONE' } }),
  node('istio-system/ingress', '10.1.9.1', {
    type: 'router',
    labels: { app: 'ingress' },
    metadata: { IDENTITY_FOLDER: '/etc/certs' },
  }),
  node('a/grpc', '10.1.0.9', { metadata: { GENERATOR: 'grpc' } }),
];

export const proxies: readonly Proxy[] = nodes.map(({ id, metadata, locality }) => {
  const place = { region: '', zone: '', ...locality, subZone: '' };
  const rest = { cluster: '', userAgentName: '', userAgentVersion: '', clientFeatures: [] };
  const proxy = parseProxy({ id, metadata, locality: place, ...rest });
  if (!proxy.ok) throw new Error(proxy.error);
  return proxy.value;
});

/** A galley with its objects in memory; what one edit leads to is one snapshot. */
export class Admission {
  readonly #source = new MemorySource();
  readonly #galley: Galley;
  readonly #stop = new AbortController();
  readonly #objects = new Map<string, Manifest>();
  readonly #done: Promise<void>;

  private constructor(objects: readonly Manifest[]) {
    this.#galley = new Galley({
      sources: [this.#source],
      meshConfigFile: undefined,
      rootNamespace: 'istio-system',
      domain: 'cluster.local',
      clock: systemClock,
      log: silentLogger,
    });
    this.#put(objects);
    this.#source.apply(...objects);
    this.#done = this.#galley.run(this.#stop.signal);
  }

  static async of(objects: readonly Manifest[]): Promise<Admission> {
    const admission = new Admission(objects);
    while (!admission.#galley.synced || admission.#galley.snapshot() === undefined) await systemClock.yield();
    return admission;
  }

  get config(): ConfigSnapshot {
    const snapshot = this.#galley.snapshot();
    if (snapshot === undefined) throw new Error('nothing was published');
    return snapshot;
  }

  /** Everything that is there, as it was given, the oldest first. */
  get objects(): readonly Manifest[] {
    return [...this.#objects.values()];
  }

  async take(edit: Edit): Promise<void> {
    const taken = new AbortController();
    const ignore = this.#galley.onDiagnostics(() => taken.abort());
    if (this.#start(edit)) while (!taken.signal.aborted) await systemClock.yield();
    ignore();
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#done;
  }

  /** What is wrong with objects that are meant to be good. */
  errors(): readonly string[] {
    const errors = this.#galley.diagnostics().filter(({ level, code }) => level === 'error' && code.startsWith('XEB'));
    return errors.map(({ object, path, message }) => `${object?.kind} ${path.join('.')}: ${message}`);
  }

  #start(edit: Edit): boolean {
    if (edit.kind === 'apply') {
      this.#put(edit.objects);
      this.#source.apply(...edit.objects);
      return true;
    }
    const keys = [...this.#objects.keys()];
    const key = keys[edit.pick % Math.max(1, keys.length)];
    if (key === undefined) return false;
    this.#objects.delete(key);
    const [kind = '', namespace = '', name = ''] = key.split('/');
    this.#source.delete(kind, namespace, name);
    return true;
  }

  #put(objects: readonly Manifest[]): void {
    for (const manifest of objects) {
      const { namespace = '', name = '' } = manifest['metadata'] as Readonly<Record<string, string>>;
      this.#objects.set([manifest['kind'], namespace, name].join('/'), manifest);
    }
  }
}
