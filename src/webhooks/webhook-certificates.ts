import type { Clock } from '../kit/clock.ts';
import type { Runnable } from '../kit/run-group.ts';
import type { KubeApi, KubeError, KubeObject, Leadership, ResourceType } from '../kube/api.ts';
import { asRecord } from '../kube/json.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { planRotation, type RotationStep } from './rotation.ts';
import { ServedPair, type UsePair } from './served-pair.ts';
import { ServingMetrics } from './serving-metrics.ts';
import { inspectPair, type ServingPair } from './serving-pair.ts';
import { readSecret, type StoredPairs, writeData } from './stored-pairs.ts';
import type { TrustBundle } from './trust-bundle.ts';

/** Makes a pair, and says which authority signed it. */
export type IssuePair = (request: {
  readonly dnsNames: readonly string[];
  readonly now: number;
  readonly lifetimeMs: number;
}) => ServingPair;

export type WebhookCertificatesDeps = {
  readonly kube: Pick<KubeApi, 'get' | 'create' | 'update'>;
  readonly leadership: Pick<Leadership, 'isLeader'>;
  /** Where xebec runs. */
  readonly namespace: string;
  /** By which the API server calls: `xebec.istio-system.svc`. */
  readonly dnsNames: readonly string[];
  readonly issue: IssuePair;
  readonly use: UsePair;
  readonly trust: TrustBundle;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly times?: Partial<CertificateTimes>;
};

export type CertificateTimes = {
  readonly lifetimeMs: number;
  /** How often the Secret is read. */
  readonly pollMs: number;
  /** How long after all configurations carry an authority every API server has heard of it. */
  readonly settleMs: number;
};

export const SECRET_NAME = 'xebec-webhook-tls';

const DAY_MS = 86_400_000;
const defaultTimes: CertificateTimes = { lifetimeMs: 90 * DAY_MS, pollMs: 10_000, settleMs: 30_000 };
/** Somebody else wrote meanwhile: what they wrote is read at once, but not in a tight circle. */
const SOON_MS = 500;

const secrets: ResourceType = { group: '', version: 'v1', plural: 'secrets' };

/** Whether the Secret should be read again soon: it is being written. */
type Outcome = 'settled' | 'soon';

/**
 * The webhook's serving pair, in a Secret that all replicas share. Whoever finds none makes it; the leader renews it in time,
 * and puts it right when somebody damaged it. The new authority is trusted everywhere before anybody serves by it. No key of an
 * authority is kept: each signs one pair.
 */
export class WebhookCertificates implements Runnable {
  readonly name = 'webhook certificates';
  readonly #deps: WebhookCertificatesDeps;
  readonly #times: CertificateTimes;
  readonly #metrics: ServingMetrics;
  readonly #pair: ServedPair<ServingPair>;

  constructor(deps: WebhookCertificatesDeps) {
    this.#deps = deps;
    this.#times = { ...defaultTimes, ...deps.times };
    this.#metrics = new ServingMetrics(deps.metrics);
    this.#pair = new ServedPair(deps.use, deps.log, this.#metrics);
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      const outcome = await this.#reconcile(signal);
      await this.#deps.clock.sleep(outcome === 'soon' ? SOON_MS : this.#times.pollMs, signal);
    }
  }

  async #reconcile(signal: AbortSignal): Promise<Outcome> {
    const { kube, namespace, leadership } = this.#deps;
    const answer = await kube.get(secrets, { namespace, name: SECRET_NAME }, signal);
    if (!answer.ok && answer.error.reason !== 'not-found') {
      this.#cannot('read', answer.error);
      return 'settled';
    }
    const secret = answer.ok ? answer.value : undefined;
    // An installer may have left an empty one, so that it takes it back.
    const stored = secret === undefined || secret['data'] === undefined ? undefined : readSecret(secret);
    if (stored !== undefined) this.#take(stored);
    // A Secret that says nothing is nobody's, and replicas that start together cannot wait for a leader.
    if (stored !== undefined && !leadership.isLeader) return 'settled';
    const step = this.#plan(stored);
    return step === undefined ? 'settled' : this.#write(step, secret, signal);
  }

  /** Serves with what the Secret says, if that can serve; what it says of authorities counts in any case. */
  #take(stored: StoredPairs): void {
    const { dnsNames, clock, trust } = this.#deps;
    const life = inspectPair(stored.current, { dnsNames, now: clock.now() });
    if (!life.ok) {
      this.#pair.fail('unusable', `Secret ${SECRET_NAME}: ${life.error}`, 'nothing; the leader repairs it');
      return;
    }
    if (trust.pem !== stored.bundle) this.#metrics.bundleLoaded();
    trust.publish(stored.bundle);
    this.#pair.serve(stored.current);
  }

  #plan(stored: StoredPairs | undefined): RotationStep | undefined {
    const { dnsNames, clock, issue, trust } = this.#deps;
    const { lifetimeMs, settleMs } = this.#times;
    const now = clock.now();
    return planRotation({
      stored,
      dnsNames,
      now,
      held: this.#pair.served,
      isTrusted: (bundle) => (trust.everywhereForMs(bundle) ?? -1) >= settleMs,
      issue: () => issue({ dnsNames, now, lifetimeMs }),
      lifetimeMs,
    });
  }

  async #write({ why, pairs }: RotationStep, secret: KubeObject | undefined, signal: AbortSignal): Promise<Outcome> {
    const { kube, namespace, log } = this.#deps;
    const written =
      secret === undefined
        ? await kube.create(secrets, newSecret(namespace, pairs), signal)
        : await kube.update(secrets, { ...secret, data: writeData(pairs) }, signal);
    if (written.ok) {
      log.info({ secret: SECRET_NAME, namespace, why }, 'webhook certificate stored');
      this.#take(readSecret(written.value));
      return 'settled';
    }
    const { reason } = written.error;
    if (reason === 'already-exists' || reason === 'conflict') return 'soon';
    this.#cannot(secret === undefined ? 'create' : 'update', written.error);
    return 'settled';
  }

  #cannot(verb: string, { reason, message }: KubeError): void {
    const { namespace } = this.#deps;
    const remedy =
      reason === 'forbidden'
        ? `allow the service account to ${verb === 'read' ? 'get' : verb} the Secret ${SECRET_NAME} in ${namespace}`
        : 'nothing; it is tried again';
    this.#pair.fail(verb === 'read' ? 'unreadable' : 'unstored', `cannot ${verb} the Secret: ${message}`, remedy);
  }
}

function newSecret(namespace: string, pairs: StoredPairs): KubeObject {
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    // Labels are the installer's: its next upgrade would fall out with ours.
    metadata: { name: SECRET_NAME, namespace },
    type: 'kubernetes.io/tls',
    data: asRecord(writeData(pairs)),
  };
}
