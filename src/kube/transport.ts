import type { Dispatcher } from 'undici';
import request from 'undici/lib/api/api-request.js';
import Pool from 'undici/lib/dispatcher/pool.js';
import type { Clock } from '../kit/clock.ts';
import { err, ok, type Result } from '../kit/result.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { KubeError, KubeResult } from './api.ts';
import type { Access, Credentials, TlsMaterial } from './credentials.ts';
import { refusedError, unreachableError, wordsOf } from './errors.ts';
import { parseJson } from './json.ts';
import { Reachability } from './reachability.ts';
import type { TransportLimits } from './transport-limits.ts';
import { startWatchdog, type Watchdog } from './watchdog.ts';

export type Call = {
  readonly method: 'GET' | 'POST' | 'PUT' | 'PATCH' | 'DELETE';
  readonly path: string;
  readonly body?: string;
  readonly contentType?: string;
};

export type StreamTimes = { readonly silenceMs: number; readonly onOpen: (() => void) | undefined };

type Pools = { readonly tls: TlsMaterial; readonly calls: Pool; readonly watches: Pool };

/** The API server closes what was idle for 90 s; we come first, or a call could meet the closing. */
const IDLE_MS = 30_000;
/** A peer that is gone without a word is found out after this and ten more seconds. */
const KEEP_ALIVE_MS = 20_000;
const CONNECT_MS = 10_000;
/** Of an answer that refuses. */
const REFUSAL_BYTES = 256 * 1024;

type Inputs = {
  /** `https://10.96.0.1:443`, with a path before `/api` if there is one. */
  readonly server: string;
  readonly credentials: Credentials;
  readonly clock: Clock;
  readonly log: Logger;
  readonly userAgent: string;
  readonly limits: TransportLimits;
};

/**
 * HTTP to one API server. HTTP/1.1 on purpose: a watch is a connection of its own, so that one that is stuck is alone, and calls
 * share a few. When the CA or the client certificate changes, new calls take new connections and running ones end in peace.
 */
export class Transport {
  readonly #inputs: Inputs;
  readonly #origin: string;
  readonly #prefix: string;
  readonly #reachability: Reachability;
  #pools: Pools | undefined;
  readonly #retired = new Set<Pool>();
  #isClosed = false;

  constructor(inputs: Inputs) {
    this.#inputs = inputs;
    const { origin, pathname } = new URL(inputs.server);
    this.#origin = origin;
    this.#prefix = pathname.replace(/\/+$/, '');
    this.#reachability = new Reachability(inputs.log, origin);
  }

  /** The text of an answer that is a success. */
  async send(call: Call, signal: AbortSignal): Promise<KubeResult<string>> {
    const { clock, limits } = this.#inputs;
    const watchdog = startWatchdog(clock, limits.callMs, signal);
    try {
      const opened = await this.#open(call, 'calls', watchdog.signal);
      if (!opened.ok) return opened;
      const text = await readText(opened.value.body, limits.bodyBytes);
      return text === undefined ? err(tooLarge(limits.bodyBytes)) : ok(text);
    } catch (error) {
      return err(this.#unanswered(error, watchdog, `within ${limits.callMs / 1_000} s`));
    } finally {
      watchdog.stop();
    }
  }

  /** The chunks of an answer without an end. An error is the last thing that is yielded. */
  async *stream(path: string, times: StreamTimes, signal: AbortSignal): AsyncGenerator<Result<Buffer, KubeError>> {
    const { clock, limits } = this.#inputs;
    const opening = startWatchdog(clock, limits.callMs, signal);
    let watchdog = opening;
    try {
      // The request lives by its own signal: the one of its opening must not end it later.
      const life = new AbortController();
      opening.signal.addEventListener('abort', () => life.abort(), { once: true });
      const opened = await this.#open({ method: 'GET', path }, 'watches', life.signal);
      if (!opened.ok) {
        yield opened;
        return;
      }
      opening.stop();
      watchdog = startWatchdog(clock, times.silenceMs, signal);
      watchdog.signal.addEventListener('abort', () => life.abort(), { once: true });
      if (watchdog.signal.aborted) return;
      times.onOpen?.();
      for await (const chunk of opened.value.body as AsyncIterable<Buffer>) {
        yield ok(chunk);
        watchdog.touch();
      }
    } catch (error) {
      if (signal.aborted) return;
      if (watchdog === opening) yield err(this.#unanswered(error, watchdog, `within ${limits.callMs / 1_000} s`));
      else yield err(this.#lost(error, watchdog, `for ${times.silenceMs / 1_000} s`));
    } finally {
      watchdog.stop();
    }
  }

  /** Ends everything that runs. */
  async close(): Promise<void> {
    this.#isClosed = true;
    const pools = [...this.#retired, ...(this.#pools === undefined ? [] : [this.#pools.calls, this.#pools.watches])];
    await Promise.all(pools.map((pool) => pool.destroy()));
  }

  /** Rejects when there is no answer. A refused credential is read again, once. */
  async #open(
    call: Call,
    pool: 'calls' | 'watches',
    signal: AbortSignal,
  ): Promise<KubeResult<Dispatcher.ResponseData>> {
    const first = await this.#credentials();
    if (!first.ok) return first;
    const opened = await this.#openWith(first.value, call, pool, signal);
    if (opened.ok || opened.error.reason !== 'unauthorized') return opened;
    this.#inputs.credentials.refuse(first.value);
    const second = await this.#credentials();
    if (!second.ok) return second;
    return await this.#openWith(second.value, call, pool, signal);
  }

  async #credentials(): Promise<KubeResult<Access>> {
    try {
      return ok(await this.#inputs.credentials.current());
    } catch (error) {
      return err(unreachableError(wordsOf(error)));
    }
  }

  async #openWith(
    access: Access,
    call: Call,
    pool: 'calls' | 'watches',
    signal: AbortSignal,
  ): Promise<KubeResult<Dispatcher.ResponseData>> {
    const response = await this.#request(access, call, pool, signal);
    this.#reachability.answered();
    const { statusCode: status, headers, body } = response;
    if (status >= 200 && status < 300) return ok(response);
    const text = (await readText(body, REFUSAL_BYTES)) ?? '';
    const retryAfter = headers['retry-after'];
    return err(
      refusedError({
        status,
        body: parseJson(text),
        text,
        retryAfter: typeof retryAfter === 'string' ? retryAfter : undefined,
      }),
    );
  }

  async #request(
    access: Access,
    call: Call,
    pool: 'calls' | 'watches',
    signal: AbortSignal,
  ): Promise<Dispatcher.ResponseData> {
    try {
      return await request.call(this.#poolsFor(access.tls)[pool], {
        method: call.method,
        path: `${this.#prefix}${call.path}`,
        headers: {
          ...access.headers,
          accept: 'application/json',
          'user-agent': this.#inputs.userAgent,
          ...(call.contentType === undefined ? {} : { 'content-type': call.contentType }),
        },
        body: call.body ?? null,
        signal,
      });
    } catch (error) {
      // The server’s certificate does not fit our CA, or ours its: a rotation may be under way.
      if (isTlsError(error)) this.#inputs.credentials.refuse(access);
      throw error;
    }
  }

  #poolsFor(tls: TlsMaterial): Pools {
    if (this.#isClosed) throw new Error('the connection is closed');
    const known = this.#pools;
    if (known?.tls === tls) return known;
    if (known !== undefined) for (const pool of [known.calls, known.watches]) this.#retire(pool);
    const pools = {
      tls,
      calls: this.#makePool(tls, this.#inputs.limits.connections),
      watches: this.#makePool(tls, null),
    };
    this.#pools = pools;
    return pools;
  }

  #makePool(tls: TlsMaterial, connections: number | null): Pool {
    return new Pool(this.#origin, {
      connections,
      allowH2: false,
      // Times are the clock’s.
      headersTimeout: 0,
      bodyTimeout: 0,
      keepAliveTimeout: IDLE_MS,
      keepAliveMaxTimeout: IDLE_MS,
      connect: {
        timeout: CONNECT_MS,
        keepAlive: true,
        keepAliveInitialDelay: KEEP_ALIVE_MS,
        rejectUnauthorized: tls.rejectUnauthorized,
        ...(tls.ca === undefined ? {} : { ca: tls.ca }),
        ...(tls.cert === undefined ? {} : { cert: tls.cert }),
        ...(tls.key === undefined ? {} : { key: tls.key }),
        ...(tls.servername === undefined ? {} : { servername: tls.servername }),
      },
    });
  }

  /** Closes when what runs on it has ended. */
  #retire(pool: Pool): void {
    this.#retired.add(pool);
    const forget = (): void => void this.#retired.delete(pool);
    // It rejects only when it was destroyed meanwhile, which is what was wanted.
    pool.close().then(forget, forget);
  }

  #unanswered(error: unknown, watchdog: Watchdog, limit: string): KubeError {
    const lost = this.#lost(error, watchdog, limit);
    if (watchdog.isLate || !watchdog.signal.aborted) this.#reachability.unanswered(lost.message);
    return lost;
  }

  #lost(error: unknown, watchdog: Watchdog, limit: string): KubeError {
    if (watchdog.isLate) return unreachableError(`no word from ${this.#origin} ${limit}`);
    if (watchdog.signal.aborted) return unreachableError('given up by the caller');
    return unreachableError(`no answer from ${this.#origin}: ${wordsOf(error)}`);
  }
}

async function readText(body: AsyncIterable<Buffer>, limit: number): Promise<string | undefined> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    size += chunk.length;
    if (size > limit) return undefined;
    chunks.push(chunk);
  }
  return Buffer.concat(chunks, size).toString('utf8');
}

function tooLarge(limit: number): KubeError {
  return {
    reason: 'too-large',
    status: undefined,
    message: `the answer is larger than ${limit} bytes`,
    retryAfterMs: undefined,
  };
}

function isTlsError(error: unknown): boolean {
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : '';
  return /CERT|SIGNATURE|SSL|TLS/.test(code);
}
