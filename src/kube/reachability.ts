import type { Logger } from '../telemetry/logger.ts';

/** In a row: one call alone may have met the end of its connection. */
const FAILURES = 3;

/** Says once that the API server does not answer, and once that it does again: everybody who reads from it has the same to say. */
export class Reachability {
  readonly #log: Logger;
  readonly #server: string;
  #failures = 0;

  constructor(log: Logger, server: string) {
    this.#log = log.child({ component: 'kube' });
    this.#server = server;
  }

  /** Whatever the answer was. */
  answered(): void {
    if (this.#failures >= FAILURES) this.#log.info({ server: this.#server }, 'the Kubernetes API answers again');
    this.#failures = 0;
  }

  /** A call that nobody gave up got no answer. */
  unanswered(reason: string): void {
    this.#failures += 1;
    if (this.#failures !== FAILURES) return;
    this.#log.warn(
      { server: this.#server, reason },
      'the Kubernetes API does not answer; what is known of it stays, and it is tried again',
    );
  }
}
