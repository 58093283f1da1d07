import type { AdsStream } from './ads-stream.ts';

type Turn = { readonly at: number; readonly waitMs: number };

const MAX_WAIT_MS = 60_000;

/** A refused secret often waits for a file to be mounted: it is offered again to the proxy that refused it, later and later. */
export class SecretRetries {
  readonly #firstWaitMs: number;
  readonly #turns = new WeakMap<AdsStream, Turn>();

  constructor(firstWaitMs: number) {
    this.#firstWaitMs = firstWaitMs;
  }

  /** To be called now and then. */
  offer(streams: Iterable<AdsStream>, now: number): void {
    for (const stream of streams) {
      const turn = this.#turns.get(stream) ?? { at: now, waitMs: this.#firstWaitMs };
      if (now < turn.at || stream.session?.offerRefusedSecrets() !== true) continue;
      this.#turns.set(stream, { at: now + turn.waitMs, waitMs: Math.min(MAX_WAIT_MS, 2 * turn.waitMs) });
      stream.wake();
    }
  }
}
