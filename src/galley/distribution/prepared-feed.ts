import type { ConfigSnapshot } from '../../model/config-snapshot.ts';

/** Who publishes configuration. */
export interface SnapshotFeed {
  snapshot(): ConfigSnapshot | undefined;
  /** Calls back with each new snapshot; returns how to stop. */
  onChange(listener: () => void): () => void;
}

/**
 * The newest snapshot that can be distributed without anybody waiting: each is prepared, bit by bit, before it is published
 * here. Snapshots that come meanwhile replace each other. Nothing happens before the first consumer is there.
 */
export class PreparedFeed implements SnapshotFeed {
  readonly #feed: SnapshotFeed;
  readonly #prepare: (snapshot: ConfigSnapshot) => Promise<void>;
  readonly #listeners = new Set<() => void>();
  #snapshot: ConfigSnapshot | undefined;
  #isStarted = false;
  #preparing: Promise<void> | undefined;

  constructor(feed: SnapshotFeed, prepare: (snapshot: ConfigSnapshot) => Promise<void>) {
    this.#feed = feed;
    this.#prepare = prepare;
  }

  /** Resolves when what there is now, if there is anything, is prepared. */
  async start(): Promise<void> {
    if (!this.#isStarted) this.#feed.onChange(() => void this.#catchUp());
    this.#isStarted = true;
    await this.#catchUp();
  }

  snapshot(): ConfigSnapshot | undefined {
    return this.#snapshot;
  }

  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  #catchUp(): Promise<void> {
    if (this.#preparing === undefined && this.#feed.snapshot() === this.#snapshot) return Promise.resolve();
    this.#preparing ??= this.#prepareAll();
    return this.#preparing;
  }

  async #prepareAll(): Promise<void> {
    try {
      for (let next = this.#feed.snapshot(); next !== this.#snapshot && next; next = this.#feed.snapshot()) {
        await this.#prepare(next);
        this.#snapshot = next;
        for (const listener of this.#listeners) listener();
      }
    } finally {
      // At once after the last look: a snapshot that comes from now on finds nobody at work.
      this.#preparing = undefined;
    }
  }
}
