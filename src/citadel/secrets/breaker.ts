import type { Clock } from '../../kit/clock.ts';
import type { KubeError } from '../../kube/api.ts';
import { backoffMs } from '../../kube/backoff.ts';
import type { Logger } from '../../telemetry/logger.ts';

const times = { firstMs: 500, maxMs: 8_000 };

/** An API server that is away, or asked too often, is away for all: what fails for one is not tried for ten thousand. */
export class Breaker {
  readonly #clock: Clock;
  readonly #random: () => number;
  readonly #log: Logger;
  #failures = 0;
  #closedUntil = Number.NEGATIVE_INFINITY;

  constructor(clock: Clock, random: () => number, log: Logger) {
    this.#clock = clock;
    this.#random = random;
    this.#log = log;
  }

  /** How long nothing is to be asked; 0 is not at all. */
  get waitMs(): number {
    return Math.max(0, this.#closedUntil - this.#clock.monotonic());
  }

  answered(): void {
    if (this.#failures > 0) this.#log.info({}, 'the API server answers again');
    this.#failures = 0;
  }

  /** Whether that is an error of the API server as a whole. */
  failed({ reason, message, retryAfterMs }: KubeError): boolean {
    if (reason !== 'unreachable' && reason !== 'too-many-requests') {
      this.answered();
      return false;
    }
    if (this.waitMs > 0) return true;
    this.#failures += 1;
    const pause = Math.max(retryAfterMs ?? 0, backoffMs(this.#failures, times, this.#random));
    this.#closedUntil = this.#clock.monotonic() + pause;
    if (this.#failures === 1)
      this.#log.warn({ reason: message }, 'the API server does not take what is written; it is tried again');
    return true;
  }
}
