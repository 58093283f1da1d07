import type { FileReading } from './file-reading.ts';

/** What a file may have become: a reading, or gone. */
export type Held = FileReading | 'gone';

export type SettleTimes = {
  /** What was lost is believed after this long without another loss. */
  readonly quietMs: number;
  /** However long losses go on, they are believed after this long. */
  readonly maxMs: number;
};

/**
 * Holds back what may be only a moment in the middle of an edit: a file that vanished (about to be replaced), is empty or cut
 * off (about to be written). Gains are told at once and do not come here.
 */
export class Settling {
  readonly #times: SettleTimes;
  readonly #held = new Map<string, Held>();
  #since = 0;
  #last = 0;

  constructor(times: SettleTimes) {
    this.#times = times;
  }

  hold(file: string, held: Held, now: number): void {
    if (this.#held.size === 0) this.#since = now;
    this.#last = now;
    this.#held.set(file, held);
  }

  get(file: string): Held | undefined {
    return this.#held.get(file);
  }

  release(file: string): void {
    this.#held.delete(file);
  }

  clear(): void {
    this.#held.clear();
  }

  /** How long until everything held is believed; undefined when nothing is held. */
  dueIn(now: number): number | undefined {
    if (this.#held.size === 0) return undefined;
    return Math.max(0, Math.min(this.#last + this.#times.quietMs, this.#since + this.#times.maxMs) - now);
  }

  /** Everything held, when it is due. */
  takeDue(now: number): readonly (readonly [string, Held])[] {
    if (this.dueIn(now) !== 0) return [];
    const due = [...this.#held];
    this.#held.clear();
    return due;
  }
}
