import { setTimeout as sleep } from 'node:timers/promises';
import { AdsClient, type Arrival, type ClientNode } from './ads-client.ts';
import { Library, type Protocol } from './library.ts';

export type FleetOptions = {
  readonly address: string;
  readonly protocol: Protocol;
  readonly nodes: readonly ClientNode[];
};

type Listener = {
  readonly onArrival: (arrival: Arrival) => void;
  readonly onConfirmed: (arrival: Arrival, at: number) => void;
};

const PATIENCE_MS = 180_000;
const RETRY_MS = 5;

/** Many clients of one server, each on a connection of its own. */
export class Fleet {
  readonly clients: readonly AdsClient[];
  /** Streams that the server ended or refused. */
  lost = 0;
  #listener: Listener | undefined;
  #incomplete = 0;
  #allComplete: PromiseWithResolvers<void> | undefined;
  #isClosing = false;
  readonly #completedAt = new Map<AdsClient, number>();
  #address: string;

  constructor({ address, protocol, nodes }: FleetOptions) {
    this.#address = address;
    const library = new Library(protocol);
    const events = {
      onArrival: (arrival: Arrival) => this.#listener?.onArrival(arrival),
      onConfirmed: (arrival: Arrival, at: number) => this.#listener?.onConfirmed(arrival, at),
      onComplete: (client: AdsClient, at: number) => this.#onComplete(client, at),
      onLost: (client: AdsClient) => this.#onLost(client),
    };
    this.clients = nodes.map((node) => new AdsClient({ protocol, library, node, events }));
  }

  /**
   * Opens all streams, evenly over `spreadMs`, and waits until each client has everything; a stream that is lost is opened again. The
   * times are from a client's first attempt to its last byte.
   */
  async connect({ spreadMs = 0 }: { readonly spreadMs?: number } = {}): Promise<readonly number[]> {
    this.#completedAt.clear();
    this.#incomplete = this.clients.length;
    this.#allComplete = Promise.withResolvers<void>();
    const began = performance.now();
    const attempts: number[] = [];
    for (const [index, client] of this.clients.entries()) {
      const due = began + (spreadMs * index) / this.clients.length;
      if (due > performance.now()) await sleep(due - performance.now());
      attempts.push(performance.now());
      client.open(this.#address);
      // Many connections in one turn of the loop would be one long block of ours.
      if (index % 16 === 15) await sleep(0);
    }
    await within(
      this.#allComplete.promise,
      () => `${this.#incomplete} of ${this.clients.length} clients lack something`,
    );
    return this.clients.map((client, index) => (this.#completedAt.get(client) ?? Number.NaN) - (attempts[index] ?? 0));
  }

  /** Watches what arrives while `during` runs. */
  async watch<T>(listener: Listener, during: () => Promise<T>): Promise<T> {
    this.#listener = listener;
    try {
      return await during();
    } finally {
      this.#listener = undefined;
    }
  }

  /** Leaves, to connect to another server later, with what it has or as if restarted. */
  leave(next: { readonly address: string; readonly forget: boolean }): void {
    this.close();
    this.#isClosing = false;
    this.#address = next.address;
    if (next.forget) for (const client of this.clients) client.forget();
  }

  close(): void {
    this.#isClosing = true;
    for (const client of this.clients) client.close();
  }

  #onComplete(client: AdsClient, at: number): void {
    if (this.#completedAt.has(client)) return;
    this.#completedAt.set(client, at);
    this.#incomplete -= 1;
    if (this.#incomplete === 0) this.#allComplete?.resolve();
  }

  #onLost(client: AdsClient): void {
    if (this.#isClosing) return;
    this.lost += 1;
    void this.#openAgain(client);
  }

  async #openAgain(client: AdsClient): Promise<void> {
    await sleep(RETRY_MS);
    if (!this.#isClosing) client.open(this.#address);
  }
}

async function within(promise: Promise<void>, problem: () => string): Promise<void> {
  const stop = new AbortController();
  const timeout = sleep(PATIENCE_MS, undefined, { signal: stop.signal }).then(
    () => Promise.reject(new Error(`not done after ${PATIENCE_MS / 1000} s: ${problem()}`)),
    () => undefined,
  );
  try {
    await Promise.race([promise, timeout]);
  } finally {
    stop.abort();
  }
}
