/** What holds a slot: a connection in some stage of its life, and how it is made to give way. */
type Holder = { readonly source: string; readonly evict: () => void };

/**
 * A limited number of slots, given out fairly by source: when all are taken, the source that holds most gives up its oldest, so
 * that who takes many keeps nobody out but itself.
 */
export class FairSlots {
  readonly #limit: number;
  readonly #bySource = new Map<string, Set<Holder>>();
  #taken = 0;

  constructor(limit: number) {
    this.#limit = limit;
  }

  get taken(): number {
    return this.#taken;
  }

  /** Takes a slot; the answer gives it back, and may be called more than once. Undefined when nobody else has to give way. */
  take(source: string, evict: () => void): (() => void) | undefined {
    if (this.#taken >= this.#limit && !this.#makeRoom(source)) return undefined;
    const holder: Holder = { source, evict };
    const holders = this.#bySource.get(source) ?? new Set();
    this.#bySource.set(source, holders.add(holder));
    this.#taken += 1;
    return () => this.#release(holder);
  }

  #release(holder: Holder): void {
    const holders = this.#bySource.get(holder.source);
    if (holders?.delete(holder) !== true) return;
    this.#taken -= 1;
    if (holders.size === 0) this.#bySource.delete(holder.source);
  }

  /** Whoever asks may not push out a source that holds no more than itself. */
  #makeRoom(source: string): boolean {
    const own = this.#bySource.get(source) ?? new Set();
    let most: ReadonlySet<Holder> = own;
    for (const holders of this.#bySource.values()) if (holders.size > most.size) most = holders;
    const [oldest] = most;
    if (oldest === undefined || (own.size === 0 && most.size === 1)) return false;
    this.#release(oldest);
    oldest.evict();
    return true;
  }
}
