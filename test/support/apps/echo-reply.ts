import type { Echo } from './calls.ts';

/** What a request may ask of the server, by query (`?status=503`) or header (`x-echo-status: 503`). */
export type Wishes = {
  readonly status: number;
  readonly delayMs: number;
  readonly headers: readonly (readonly [string, string])[];
  readonly grpcStatus: number;
  /** `KEY:N`: the first N requests with this key fail. */
  readonly fail: string | undefined;
  /** Cuts the connection instead of answering. */
  readonly reset: boolean;
};

/** `usual` is the status of those who ask for none. */
export function readWishes({ query, headers }: Pick<Echo, 'query' | 'headers'>, usual: number): Wishes {
  const parameters = new URLSearchParams(query);
  const get = (name: string): string | undefined => parameters.get(name) ?? headers[`x-echo-${name}`];
  const header = get('header');
  return {
    status: Number(get('status') ?? usual),
    delayMs: Number(get('delay') ?? 0),
    headers: header === undefined ? [] : header.split(',').map(splitHeader),
    grpcStatus: Number(get('grpc-status') ?? 0),
    fail: get('fail'),
    reset: get('reset') !== undefined,
  };
}

function splitHeader(text: string): readonly [string, string] {
  const at = text.indexOf(':');
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + 1)];
}

/** Counts down the failures that requests asked for. */
export class Failures {
  readonly #left = new Map<string, number>();

  /** Whether this request is one of those that fail. */
  take(wish: string | undefined): boolean {
    if (wish === undefined) return false;
    const [key = '', count = '1'] = wish.split(':');
    const left = this.#left.get(key) ?? Number(count);
    this.#left.set(key, left - 1);
    return left > 0;
  }
}

const KEPT = 5_000;

/** The last requests, for those who want to see what arrived (mirrors, retries). */
export class RequestLog {
  #entries: Echo[] = [];

  add(entry: Echo): void {
    this.#entries.push(entry);
    if (this.#entries.length > KEPT * 2) this.#entries = this.#entries.slice(-KEPT);
  }

  get entries(): readonly Echo[] {
    return this.#entries;
  }
}
