import type { Readable } from 'node:stream';

/** Messages that may wait unread before the peer is made to wait. */
const HIGH_WATER = 16;

/**
 * The messages of a call as an iterable that ends when the call does, however it does. Leaving the loop leaves the call alone:
 * a call must still be able to send its status. Before the first message is asked for nothing is read, so that the peer can send no
 * more than what flow control lets it.
 */
export class MessageQueue implements AsyncIterableIterator<Buffer> {
  readonly #call: Readable;
  readonly #waiting: Buffer[] = [];
  #hasBegun = false;
  #isOver = false;
  #wake: (() => void) | undefined;

  constructor(call: Readable) {
    this.#call = call;
    for (const event of ['end', 'close', 'cancelled', 'error']) call.on(event, () => this.finish());
  }

  /** Reads, though nobody has asked yet. */
  begin(): void {
    if (this.#hasBegun) return;
    this.#hasBegun = true;
    this.#call.on('data', (message: Buffer) => this.#take(message));
  }

  /** Nothing more is taken from the call. What waits can still be read. */
  finish(): void {
    this.#isOver = true;
    this.#wake?.();
  }

  async next(): Promise<IteratorResult<Buffer, undefined>> {
    this.begin();
    while (this.#waiting.length === 0 && !this.#isOver) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    const message = this.#waiting.shift();
    if (message === undefined) return { done: true, value: undefined };
    if (this.#waiting.length === 0 && this.#call.isPaused()) this.#call.resume();
    return { done: false, value: message };
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  #take(message: Buffer): void {
    if (this.#isOver) return;
    this.#waiting.push(message);
    if (this.#waiting.length >= HIGH_WATER) this.#call.pause();
    this.#wake?.();
  }
}
