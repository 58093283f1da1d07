import { onTestFailed, onTestFinished } from 'vitest';
import type { IssuerSource } from '../../../src/citadel/issuer.ts';
import { RootPublisher } from '../../../src/citadel/roots/root-publisher.ts';
import { SecretController } from '../../../src/citadel/secrets/secret-controller.ts';
import type { SecretRules } from '../../../src/citadel/secrets/secret-keeper.ts';
import { runAll } from '../../../src/kit/run-group.ts';
import { systemClock } from '../../../src/kit/system-clock.ts';
import type { KubeApi } from '../../../src/kube/api.ts';
import { LeaseElector } from '../../../src/kube/elector.ts';
import { ApiEventRecorder } from '../../../src/kube/events.ts';
import { Reflector } from '../../../src/kube/reflector.ts';
import { makePinoLogger } from '../../../src/telemetry/pino-logger.ts';
import { PromMetrics } from '../../../src/telemetry/prom-metrics.ts';
import { connectAs } from '../kube-copy.ts';

const HOUR_MS = 3_600_000;

export const rules: SecretRules = {
  ownNamespace: 'istio-system',
  listened: [],
  enabledByDefault: true,
  graceRatio: 0.5,
  minGraceMs: 600_000,
  lifetimeMs: 24 * HOUR_MS,
};

type ReplicaInputs = {
  readonly name: string;
  readonly kubeconfig: string;
  readonly issuers: IssuerSource;
  readonly rules?: Partial<SecretRules>;
  /** What stands between it and the API. */
  readonly through?: (api: KubeApi) => KubeApi;
};

/** The part of a xebec that gives identities, with an election of its own, until the end of the test. */
export class IssuingReplica {
  readonly name: string;
  readonly elector: LeaseElector;
  readonly log: string[] = [];
  /** What it wrote and the API server took: `create shop/istio.web`. */
  readonly writes: string[] = [];
  readonly #stop = new AbortController();
  #running: Promise<void> = Promise.resolve();

  private constructor(api: KubeApi, { name, issuers, rules: own = {}, through = (same) => same }: ReplicaInputs) {
    this.name = name;
    const log = makePinoLogger('debug', (line) => this.log.push(line));
    const metrics = new PromMetrics();
    const deps = { api, clock: systemClock, random: Math.random, log, metrics };
    this.elector = new LeaseElector(deps, {
      lease: { namespace: 'istio-system', name: 'xebec-leader' },
      identity: name,
      times: { leaseMs: 3_000, renewMs: 2_000, retryMs: 300 },
    });
    const events = new ApiEventRecorder(deps, { controller: 'xebec.dev/xebec', instance: name });
    const common = {
      kube: this.#watched(through(api)),
      reflect: <T>(reflection: ConstructorParameters<typeof Reflector<T>>[1]) => new Reflector(deps, reflection),
      leadership: this.elector,
      issuers,
      rules: { ...rules, ...own },
      clock: systemClock,
      random: Math.random,
      log,
      metrics,
    };
    const parts = [this.elector, events, new SecretController({ ...common, events }), new RootPublisher(common)];
    this.#running = runAll(parts, this.#stop.signal);
  }

  static async start(inputs: ReplicaInputs): Promise<IssuingReplica> {
    const replica = new IssuingReplica(await connectAs(inputs.kubeconfig), inputs);
    onTestFailed(() => console.error(replica.log.slice(-30).join('')));
    onTestFinished(() => replica.stop());
    return replica;
  }

  /** Faults of its own, of which nobody else is told. */
  errors(): readonly string[] {
    return this.log.filter((line) => line.includes('"level":50'));
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  #watched(api: KubeApi): Pick<KubeApi, 'get' | 'create' | 'update' | 'apply' | 'delete'> {
    const note = (verb: string, { namespace, name }: { readonly namespace: string; readonly name: string }): void =>
      void this.writes.push(`${verb} ${namespace}/${name}`);
    const placeOf = (object: { readonly [field: string]: unknown }): { namespace: string; name: string } =>
      object['metadata'] as { namespace: string; name: string };
    return {
      get: (type, name, signal) => api.get(type, name, signal),
      create: async (type, object, signal) => {
        const result = await api.create(type, object, signal);
        if (result.ok) note('create', placeOf(object));
        return result;
      },
      update: async (type, object, signal) => {
        const result = await api.update(type, object, signal);
        if (result.ok) note('update', placeOf(object));
        return result;
      },
      apply: async (type, object, options, signal) => {
        const result = await api.apply(type, object, options, signal);
        if (result.ok) note('apply', placeOf(object));
        return result;
      },
      delete: async (type, name, signal, only) => {
        const result = await api.delete(type, name, signal, only);
        if (result.ok) note('delete', name);
        return result;
      },
    };
  }
}
