import type { Result } from '../kit/result.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { PairTrouble, ServingMetrics } from './serving-metrics.ts';
import type { ServingPair } from './serving-pair.ts';

type Pair = Pick<ServingPair, 'certificate' | 'key'>;

/** Gives a server another certificate; the error says why it cannot be used, and then the one from before serves on. */
export type UsePair = (pair: Pair) => Result<void, string>;

/** The pair that the webhook serves with now. A trouble is told once, and when it is over. */
export class ServedPair<P extends Pair> {
  readonly #use: UsePair;
  readonly #log: Logger;
  readonly #metrics: ServingMetrics;
  #served: P | undefined;
  #trouble: string | undefined;

  constructor(use: UsePair, log: Logger, metrics: ServingMetrics) {
    this.#use = use;
    this.#log = log;
    this.#metrics = metrics;
  }

  get served(): P | undefined {
    return this.#served;
  }

  serve(pair: P): void {
    const { certificate, key } = pair;
    if (this.#served?.certificate === certificate && this.#served.key === key) {
      this.#served = pair;
      this.#over();
      return;
    }
    const used = this.#use(pair);
    if (!used.ok) {
      this.fail('unusable', used.error, 'give a certificate and the key that belongs to it, as PEM');
      return;
    }
    this.#served = pair;
    this.#metrics.pairServed();
    this.#log.info({}, 'webhook serves with a new certificate');
    this.#over();
  }

  /** There is no pair to serve with, or none that is better than the one that serves. */
  fail(error: PairTrouble, reason: string, remedy: string): void {
    this.#metrics.pairFailed(error);
    if (this.#trouble === reason) return;
    this.#trouble = reason;
    this.#log.warn({ reason, remedy, isServing: this.#served !== undefined }, 'webhook certificate cannot be taken');
  }

  #over(): void {
    if (this.#trouble === undefined) return;
    this.#trouble = undefined;
    this.#log.info({}, 'webhook certificate is in order again');
  }
}
