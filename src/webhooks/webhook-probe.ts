import type { Clock } from '../kit/clock.ts';
import type { Runnable } from '../kit/run-group.ts';

export type WebhookProbeDeps = {
  /** Calls the webhook as anybody would, and rejects when nothing answers. */
  readonly call: (signal: AbortSignal) => Promise<void>;
  readonly clock: Clock;
};

const UNTIL_READY_MS = 250;
const ONCE_READY_MS = 10_000;
/** The port of a process that is busy answers late, and is none that is dead. */
const FAILURES = 3;

/** Knows whether the webhook's port really accepts, because it tries: a listening socket alone has no certificate to show. */
export class WebhookProbe implements Runnable {
  readonly name = 'webhook probe';
  readonly #deps: WebhookProbeDeps;
  #isReady = false;

  constructor(deps: WebhookProbeDeps) {
    this.#deps = deps;
  }

  get isReady(): boolean {
    return this.#isReady;
  }

  async run(signal: AbortSignal): Promise<void> {
    let failures = 0;
    while (!signal.aborted) {
      const isAnswered = await this.#deps.call(signal).then(
        () => true,
        () => false,
      );
      failures = isAnswered ? 0 : failures + 1;
      if (isAnswered) this.#isReady = true;
      else if (failures >= FAILURES) this.#isReady = false;
      await this.#deps.clock.sleep(this.#isReady && isAnswered ? ONCE_READY_MS : UNTIL_READY_MS, signal);
    }
  }
}
