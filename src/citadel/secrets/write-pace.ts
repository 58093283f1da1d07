import type { Clock } from '../../kit/clock.ts';

/** So many repairs of one Secret are made at once; then somebody works against us. */
const AT_ONCE = 5;
const FIRST_MS = 1_000;
const MAX_MS = 60_000;

type Repairs = { readonly count: number; readonly at: number };

/** How often a Secret is put right: at once, but not in a circle with whoever changes it again. */
export class WritePace {
  readonly #clock: Clock;
  readonly #repairs = new Map<string, Repairs>();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** How long to wait before the next repair of this key; 0 is not at all. */
  waitMs(key: string): number {
    const known = this.#repairs.get(key);
    if (known === undefined) return 0;
    return Math.max(0, known.at + pauseAfter(known.count) - this.#clock.monotonic());
  }

  isContested(key: string): boolean {
    return (this.#repairs.get(key)?.count ?? 0) >= AT_ONCE;
  }

  repaired(key: string): void {
    const now = this.#clock.monotonic();
    const known = this.#repairs.get(key);
    const isRecent = known !== undefined && now - known.at < 2 * MAX_MS;
    this.#repairs.set(key, { count: isRecent ? known.count + 1 : 1, at: now });
  }

  /** The Secret is as it should be: what was long ago counts no more. */
  rested(key: string): void {
    const known = this.#repairs.get(key);
    if (known !== undefined && this.#clock.monotonic() - known.at >= 2 * MAX_MS) this.#repairs.delete(key);
  }

  forget(key: string): void {
    this.#repairs.delete(key);
  }
}

function pauseAfter(count: number): number {
  return count < AT_ONCE ? 0 : Math.min(MAX_MS, FIRST_MS * 2 ** (count - AT_ONCE));
}
