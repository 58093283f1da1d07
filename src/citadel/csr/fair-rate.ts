import type { Clock } from '../../kit/clock.ts';

export type FairRateLimits = {
  /** Over all keys. */
  readonly perSecond: number;
  /** How many may come at once after a quiet time. */
  readonly burst: number;
  /** How many may wait. */
  readonly waiting: number;
};

export type Turn = { readonly kind: 'go' } | { readonly kind: 'later'; readonly retryAfterMs: number };

const GO: Turn = { kind: 'go' };

/**
 * So many turns a second. When more are wanted, keys take turns in a circle, whoever wants how many: a key that floods waits for
 * itself. Where too many wait, the newest of the key with most is told when to come again.
 */
export class FairRate {
  readonly #limits: FairRateLimits;
  readonly #clock: Clock;
  /** Each queue has somebody in it. */
  readonly #waiting = new Map<string, ((turn: Turn) => void)[]>();
  #waitingCount = 0;
  #tokens: number;
  #filledAt: number;
  #isPumping = false;

  constructor(limits: FairRateLimits, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
    this.#tokens = limits.burst;
    this.#filledAt = clock.monotonic();
  }

  async turn(key: string): Promise<Turn> {
    this.#fill();
    if (this.#waitingCount === 0 && this.#tokens >= 1) {
      this.#tokens -= 1;
      return GO;
    }
    const queue = this.#waiting.get(key) ?? [];
    const later: Turn = {
      kind: 'later',
      retryAfterMs: ((this.#waitingCount + 1) * 1000) / this.#limits.perSecond,
    };
    if (this.#waitingCount >= this.#limits.waiting && !this.#makeRoom(queue.length, later)) return later;
    const turn = new Promise<Turn>((resolve) => queue.push(resolve));
    this.#waiting.set(key, queue);
    this.#waitingCount += 1;
    void this.#pump();
    return await turn;
  }

  /** Whoever comes may not push out a key of which no more would wait than of its own. */
  #makeRoom(own: number, later: Turn): boolean {
    let most: ((turn: Turn) => void)[] = [];
    for (const queue of this.#waiting.values()) if (queue.length > most.length) most = queue;
    if (most.length <= own + 1) return false;
    most.pop()?.(later);
    this.#waitingCount -= 1;
    return true;
  }

  /** Lives only while somebody waits. */
  async #pump(): Promise<void> {
    if (this.#isPumping) return;
    this.#isPumping = true;
    const forever = new AbortController().signal;
    while (this.#waitingCount > 0) {
      this.#fill();
      if (this.#tokens < 1)
        await this.#clock.sleep(Math.ceil(((1 - this.#tokens) * 1000) / this.#limits.perSecond), forever);
      else this.#serveNext();
    }
    this.#isPumping = false;
  }

  #serveNext(): void {
    const next = this.#waiting.entries().next().value;
    if (next === undefined) return;
    const [key, queue] = next;
    // To the end of the circle.
    this.#waiting.delete(key);
    const go = queue.shift();
    if (queue.length > 0) this.#waiting.set(key, queue);
    this.#waitingCount -= 1;
    this.#tokens -= 1;
    go?.(GO);
  }

  #fill(): void {
    const now = this.#clock.monotonic();
    const added = ((now - this.#filledAt) * this.#limits.perSecond) / 1000;
    this.#tokens = Math.min(this.#limits.burst, this.#tokens + added);
    this.#filledAt = now;
  }
}
