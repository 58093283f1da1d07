import type { AdsStream } from './ads-stream.ts';
import type { EncodedResource } from './resource.ts';
import type { Verdicts } from './verdicts.ts';

type Turn = { readonly at: number; readonly waitMs: number };

const MAX_WAIT_MS = 3_600_000;

/**
 * One hostile or broken proxy must not decide for all: a resource that only one proxy rejected is tried with one other, later and
 * later. If that one accepts it, everybody gets it.
 */
export class SecondOpinions {
  readonly #verdicts: Verdicts;
  readonly #firstWaitMs: number;
  readonly #turns = new WeakMap<EncodedResource, Turn>();

  constructor(verdicts: Verdicts, firstWaitMs: number) {
    this.#verdicts = verdicts;
    this.#firstWaitMs = firstWaitMs;
  }

  /** To be called now and then. */
  ask(streams: Iterable<AdsStream>, now: number): void {
    for (const resource of this.#verdicts.rejected()) {
      const turn = this.#turns.get(resource);
      if (turn !== undefined && now < turn.at) continue;
      const isAsked = turn !== undefined && this.#askOne(streams, resource);
      const lastWaitMs = turn?.waitMs ?? this.#firstWaitMs;
      const waitMs = isAsked ? Math.min(MAX_WAIT_MS, 2 * lastWaitMs) : lastWaitMs;
      this.#turns.set(resource, { at: now + waitMs, waitMs });
    }
  }

  #askOne(streams: Iterable<AdsStream>, resource: EncodedResource): boolean {
    const accuser = this.#verdicts.accuserOf(resource);
    for (const stream of streams) {
      if (stream.proxy === accuser || stream.session?.tryAgain(resource) !== true) continue;
      stream.wake();
      return true;
    }
    return false;
  }
}
