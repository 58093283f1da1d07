import type { Clock } from '../../kit/clock.ts';
import { err, ok } from '../../kit/result.ts';
import type { KubeApi, KubeErrorReason, KubeObject, KubeResult } from '../api.ts';
import { asRecord, resourceVersionOf } from '../json.ts';

type Due = { readonly at: number; readonly owner: Process | undefined; readonly wake: () => void };

/** Time in which processes live, freeze and thaw: who thaws finds that all of it went by at once. */
export class World {
  now = 0;
  readonly #due = new Set<Due>();

  after(ms: number, owner: Process | undefined, wake: () => void): () => void {
    const due = { at: this.now + ms, owner, wake };
    this.#due.add(due);
    return () => this.#due.delete(due);
  }

  /** Lets time go on. `observe` is called after whatever happens. */
  async advance(ms: number, observe: () => void): Promise<void> {
    const end = this.now + ms;
    for (let next = this.#next(end); next !== undefined; next = this.#next(end)) {
      this.now = Math.max(this.now, next.at);
      this.#due.delete(next);
      next.wake();
      await new Promise((resolve) => setImmediate(resolve));
      observe();
    }
    this.now = end;
  }

  #next(end: number): Due | undefined {
    let first: Due | undefined;
    for (const due of this.#due)
      if (due.at <= end && due.owner?.isFrozen !== true && (first === undefined || due.at < first.at)) first = due;
    return first;
  }
}

/** A process of a world. Its clock is wrong by any amount, but ticks as others do. */
export class Process implements Clock {
  isFrozen = false;
  readonly world: World;
  readonly #skew: number;

  constructor(world: World, skew: number) {
    this.world = world;
    this.#skew = skew;
  }

  now(): number {
    return 1_700_000_000_000 + this.world.now + this.#skew;
  }

  monotonic(): number {
    return this.world.now + 1_000_000 + this.#skew;
  }

  sleep(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      if (signal.aborted) {
        resolve();
        return;
      }
      const finish = (): void => {
        cancel();
        signal.removeEventListener('abort', finish);
        resolve();
      };
      const cancel = this.world.after(ms, this, finish);
      signal.addEventListener('abort', finish, { once: true });
    });
  }

  yield(): Promise<void> {
    return new Promise((resolve) => setImmediate(resolve));
  }
}

/** The one object of a server, and the way to it from each process: slow, lossy, or cut. */
export class LeaseServer {
  readonly #world: World;
  readonly #random: () => number;
  lease: KubeObject | undefined;
  #version = 0;
  /** Of each thousand, how many requests or answers are lost. */
  lossPerMille = 0;
  isAway = false;

  constructor(world: World, random: () => number) {
    this.#world = world;
    this.#random = random;
  }

  /** What a process sees of it. `isCut` tells whether it is cut off now. */
  apiFor(process: Process, isCut: () => boolean): Pick<KubeApi, 'get' | 'create' | 'update'> {
    const call = (work: () => KubeResult, signal: AbortSignal): Promise<KubeResult> =>
      new Promise((resolve) => {
        const lost = (): void => resolve(refused('unreachable'));
        signal.addEventListener('abort', lost, { once: true });
        const isLost = (): boolean => isCut() || this.isAway || this.#random() * 1_000 < this.lossPerMille;
        this.#world.after(this.#latency(), undefined, () => {
          if (isLost()) return;
          const answer = work();
          if (!isLost()) this.#world.after(this.#latency(), process, () => resolve(answer));
        });
      });
    return {
      get: (_, __, signal) => call(() => (this.lease === undefined ? refused('not-found') : ok(this.lease)), signal),
      create: (_, object, signal) =>
        call(() => (this.lease === undefined ? this.#store(object) : refused('already-exists')), signal),
      update: (_, object, signal) => call(() => this.#update(object), signal),
    };
  }

  #update(object: KubeObject): KubeResult {
    if (this.lease === undefined) return refused('not-found');
    return resourceVersionOf(object) === resourceVersionOf(this.lease) ? this.#store(object) : refused('conflict');
  }

  #store(object: KubeObject): KubeResult {
    this.#version += 1;
    const metadata = { ...asRecord(object['metadata']), resourceVersion: String(this.#version) };
    this.lease = { ...object, metadata };
    return ok(this.lease);
  }

  /** Mostly some milliseconds, at times seconds. */
  #latency(): number {
    return this.#random() < 0.05 ? this.#random() * 8_000 : this.#random() * 20;
  }
}

function refused(reason: KubeErrorReason): KubeResult {
  return err({ reason, status: undefined, message: reason, retryAfterMs: undefined });
}
