/** Cuts a stream of bytes into lines, wherever its chunks begin and end. Bytes, not text: a chunk may end within a character. */
export class LineSplitter {
  readonly #limit: number;
  #parts: Buffer[] = [];
  #size = 0;

  /** `limit`: the longest line, in bytes. */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Bytes of a line whose end has not come yet. */
  get pending(): number {
    return this.#size;
  }

  /** The lines that are complete with this chunk, empty ones left out; `undefined` when a line is too long. */
  push(chunk: Buffer): readonly string[] | undefined {
    const lines: string[] = [];
    let start = 0;
    for (let end = chunk.indexOf(0x0a); end !== -1; end = chunk.indexOf(0x0a, start)) {
      this.#keep(chunk.subarray(start, end));
      if (this.#size > this.#limit) return undefined;
      if (this.#size > 0) lines.push(this.#take());
      start = end + 1;
    }
    this.#keep(chunk.subarray(start));
    return this.#size > this.#limit ? undefined : lines;
  }

  #keep(part: Buffer): void {
    if (part.length === 0) return;
    this.#parts.push(part);
    this.#size += part.length;
  }

  #take(): string {
    const [only] = this.#parts;
    const line = this.#parts.length === 1 && only !== undefined ? only : Buffer.concat(this.#parts, this.#size);
    this.#parts = [];
    this.#size = 0;
    return line.toString('utf8');
  }
}
