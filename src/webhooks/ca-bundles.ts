import { ChangeSignal } from '../kit/change-signal.ts';
import type { Clock } from '../kit/clock.ts';
import { type Runnable, runAll } from '../kit/run-group.ts';
import type { KubeApi, KubeError, Leadership, ResourceType } from '../kube/api.ts';
import { nameOf } from '../kube/json.ts';
import type { Reflect, ReflectionState } from '../kube/reflection.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import {
  bundlePatch,
  CA_BUNDLE_LABEL,
  type ConfigurationKind,
  carries,
  configurationTypes,
  type ManagedConfiguration,
  readConfiguration,
} from './managed-configuration.ts';
import { ServingMetrics } from './serving-metrics.ts';
import type { TrustBundle } from './trust-bundle.ts';

export type CaBundlesDeps = {
  readonly kube: Pick<KubeApi, 'patch'>;
  readonly reflect: Reflect;
  readonly leadership: Pick<Leadership, 'whileLeading'>;
  /** Which there are webhooks of; of others nothing has to be allowed. */
  readonly kinds: readonly ConfigurationKind[];
  /** Where xebec runs: configurations name it in their label `xebec.dev/ca-bundle`. */
  readonly namespace: string;
  readonly trust: TrustBundle;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
};

const RETRY_MS = 1_000;

/** One kind of configuration, as far as it is known. */
type Copy = { readonly type: ResourceType; readonly objects: Map<string, ManagedConfiguration>; isSynced: boolean };

/**
 * Gives every webhook configuration that asks for it (by its label) the authorities of the webhook, and gives them back when
 * somebody changes them. Touches nothing else of an object, and no object that does not ask. The leader does it.
 */
export class CaBundles implements Runnable {
  readonly name = 'webhook authorities';
  readonly #deps: CaBundlesDeps;
  readonly #metrics: ServingMetrics;
  /** What cannot be done, by what it is about; each told once. */
  readonly #troubles = new Map<string, string>();

  constructor(deps: CaBundlesDeps) {
    this.#deps = deps;
    this.#metrics = new ServingMetrics(deps.metrics);
  }

  async run(signal: AbortSignal): Promise<void> {
    await this.#deps.leadership.whileLeading((stop) => this.#lead(stop), signal);
  }

  async #lead(signal: AbortSignal): Promise<void> {
    const changes = new ChangeSignal();
    const copies = this.#deps.kinds.map(
      (kind): Copy => ({
        type: configurationTypes[kind],
        objects: new Map(),
        isSynced: false,
      }),
    );
    const stopListening = this.#deps.trust.onChange(() => changes.raise());
    changes.raise();
    try {
      await runAll(
        [
          ...copies.map((copy) => this.#reflect(copy, changes)),
          { name: 'reconciler of webhook authorities', run: (stop) => this.#reconcileAll(copies, changes, stop) },
        ],
        signal,
      );
    } finally {
      stopListening();
    }
  }

  #reflect(copy: Copy, changes: ChangeSignal): Runnable {
    const { reflect, namespace } = this.#deps;
    return reflect<ManagedConfiguration>({
      type: copy.type,
      namespace: '',
      selectors: { labelSelector: `${CA_BUNDLE_LABEL}=${namespace}` },
      project: readConfiguration,
      keyOf: (object) => nameOf(object).name,
      onChange: ({ upserts, deletes }) => {
        for (const object of upserts) copy.objects.set(object.name, object);
        for (const name of deletes) copy.objects.delete(name);
        changes.raise();
      },
      onSynced: () => {
        copy.isSynced = true;
        changes.raise();
      },
      onState: (state) => this.#judgeState(copy.type, state),
    });
  }

  async #reconcileAll(copies: readonly Copy[], changes: ChangeSignal, signal: AbortSignal): Promise<void> {
    const { trust, clock } = this.#deps;
    while (await changes.next(signal)) {
      const { pem } = trust;
      if (pem === undefined) continue;
      const bundle = Buffer.from(pem).toString('base64');
      let isRight = true;
      for (const copy of copies) isRight = (await this.#reconcile(copy, bundle, signal)) && isRight;
      trust.confirm(pem, isRight && copies.every(({ isSynced }) => isSynced));
      if (isRight) continue;
      await clock.sleep(RETRY_MS, signal);
      changes.raise();
    }
  }

  /** Whether all objects of a kind carry the bundle. */
  async #reconcile({ type, objects }: Copy, bundle: string, signal: AbortSignal): Promise<boolean> {
    const wrong = [...objects.values()].filter((object) => !carries(object, bundle));
    for (const object of wrong) {
      const name = { namespace: '', name: object.name };
      const patched = await this.#deps.kube.patch(type, name, bundlePatch(object, bundle), signal);
      if (patched.ok) {
        // What a watch tells is late; whoever reads here next must not find the object from before.
        objects.set(object.name, readConfiguration(patched.value));
        this.#metrics.configUpdated();
        this.#deps.log.info({ kind: type.plural, name: object.name }, 'webhook configuration given its authorities');
        this.#over(`${type.plural} ${object.name}`);
      } else {
        this.#patchFailed(type, object, patched.error);
      }
    }
    return [...objects.values()].every((object) => carries(object, bundle));
  }

  #patchFailed(type: ResourceType, { name }: ManagedConfiguration, { reason, message }: KubeError): void {
    this.#metrics.configFailed(reason);
    // Somebody was faster, or took it away: the watch tells what it is now.
    if (reason === 'conflict' || reason === 'invalid' || reason === 'not-found') return;
    const remedy = reason === 'forbidden' ? allow('patch', type) : 'nothing; it is tried again';
    this.#tell(`${type.plural} ${name}`, message, remedy);
  }

  #judgeState(type: ResourceType, state: ReflectionState): void {
    if (state.kind === 'synced' || state.kind === 'starting') this.#over(type.plural);
    else if (state.kind === 'forbidden') this.#tell(type.plural, state.message, allow('list and watch', type));
    else this.#tell(type.plural, state.message, 'nothing; it is tried again');
  }

  #tell(subject: string, reason: string, remedy: string): void {
    if (this.#troubles.get(subject) === reason) return;
    this.#troubles.set(subject, reason);
    this.#deps.log.warn({ subject, reason, remedy }, 'webhook authorities cannot be kept up to date');
  }

  #over(subject: string): void {
    if (this.#troubles.delete(subject))
      this.#deps.log.info({ subject }, 'webhook authorities can be kept up to date again');
  }
}

function allow(verbs: string, { group, plural }: ResourceType): string {
  return `allow the service account to ${verbs} ${plural}.${group}; until then, set caBundle by hand`;
}
