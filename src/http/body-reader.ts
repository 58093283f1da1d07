import type { IncomingMessage } from 'node:http';
import { err, ok, type Result } from '../kit/result.ts';

export type BodyLimits = {
  /** Of one body. */
  readonly bytes: number;
  /** Bodies that are read at a time. */
  readonly reads: number;
  /** Of all bodies that are being read. */
  readonly totalBytes: number;
};

/** `too-large`: more than a body may have. `cut`: so slow that it had to make room. `gone`: the sender went away. */
export type BodyError = 'too-large' | 'cut' | 'gone';

type Reading = { bytes: number; readonly cut: () => void };

/**
 * Reads the bodies of requests into memory, which is bounded: a body that would be one too many, or too much, ends the reading
 * that has gone on for longest. Who is honest sends a body at once.
 */
export class BodyReader {
  readonly #limits: BodyLimits;
  /** The oldest first. */
  readonly #readings = new Set<Reading>();
  #totalBytes = 0;

  constructor(limits: BodyLimits) {
    this.#limits = limits;
  }

  read(request: IncomingMessage): Promise<Result<Buffer, BodyError>> {
    if (Number(request.headers['content-length'] ?? 0) > this.#limits.bytes) return Promise.resolve(err('too-large'));
    return new Promise((resolve) => {
      const chunks: Buffer[] = [];
      const finish = (result: Result<Buffer, BodyError>): void => {
        if (!this.#readings.delete(reading)) return;
        this.#totalBytes -= reading.bytes;
        request.off('data', onData);
        chunks.length = 0;
        resolve(result);
      };
      const reading: Reading = { bytes: 0, cut: () => finish(err('cut')) };
      const onData = (chunk: Buffer): void => {
        chunks.push(chunk);
        reading.bytes += chunk.length;
        this.#totalBytes += chunk.length;
        if (reading.bytes > this.#limits.bytes) finish(err('too-large'));
        else if (this.#totalBytes > this.#limits.totalBytes) this.#cutOldest();
      };
      if (this.#readings.size >= this.#limits.reads) this.#cutOldest();
      this.#readings.add(reading);
      request.on('data', onData);
      request.once('end', () => finish(ok(Buffer.concat(chunks))));
      request.once('error', () => finish(err('gone')));
      request.once('close', () => finish(err('gone')));
    });
  }

  #cutOldest(): void {
    const [oldest] = this.#readings;
    oldest?.cut();
  }
}
