/**
 * The keys of token issuers: fetches what objects name, again and again, and keeps what was last good. Promises that keys which did not
 * change stay the same object, and that a failure takes nothing away and gives nobody a key. Must never know how a page is fetched.
 */
import { ChangeSignal } from '../../kit/change-signal.ts';
import type { Clock } from '../../kit/clock.ts';
import type { Runnable } from '../../kit/run-group.ts';
import type { ConfigSnapshot } from '../../model/config-snapshot.ts';
import type { KeyBook, KnownKeys } from '../../model/mesh-security.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { Counter, Metrics } from '../../telemetry/metrics.ts';
import { type FetchText, fetchKeys } from './fetch-keys.ts';
import { KeyGate } from './key-gate.ts';
import { type NeededKeys, neededKeys } from './needed-keys.ts';

export type KeysDeps = {
  readonly fetch: FetchText;
  readonly clock: Clock;
  /** From 0 up to 1, so that not everything is fetched at once. */
  readonly random: () => number;
  readonly log: Logger;
  readonly metrics: Metrics;
};

type Entry = {
  needed: NeededKeys;
  known: KnownKeys | undefined;
  /** In a row. */
  failures: number;
  fetchAt: number;
  isFetching: boolean;
  /** When whoever waits for an answer is told that there is none yet. */
  readonly answerBy: number;
  /** Since when nobody needs it; undefined while somebody does. */
  unusedSince: number | undefined;
};

const REFRESH_MS = 20 * 60_000;
const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 5 * 60_000;
const ANSWER_MS = 5_000;
const FORGET_MS = 60 * 60_000;
const AT_A_TIME = 16;

const notYet: KnownKeys = { kind: 'unknown', reason: 'they were not fetched yet' };

export class Keys implements Runnable {
  readonly name = 'keys';
  readonly #deps: KeysDeps;
  readonly #fetched: Record<'good' | 'failed', Counter>;
  readonly #entries = new Map<string, Entry>();
  readonly #fetches = new Set<Promise<void>>();
  readonly #changes = new ChangeSignal();
  readonly #listeners = new Set<() => void>();
  readonly #gate = new KeyGate();
  #book: KeyBook = new Map();

  constructor(deps: KeysDeps) {
    this.#deps = deps;
    const { metrics } = deps;
    this.#fetched = {
      good: metrics.counter({
        name: 'pilot_jwks_resolver_network_fetch_success_total',
        help: 'Fetches of keys that verify tokens.',
      }),
      failed: metrics.counter({
        name: 'pilot_jwks_resolver_network_fetch_fail_total',
        help: 'Fetches of keys that failed.',
      }),
    };
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      this.#forget();
      this.#tellWhoWaits();
      this.#startDue(signal);
      await this.#pause(signal);
    }
    await Promise.all(this.#fetches);
  }

  /** What was fetched so far; the same map while nothing of it changed. */
  book(): KeyBook {
    return this.#book;
  }

  /** Calls back when the book changed; returns how to stop. */
  onChange(listener: () => void): () => void {
    this.#listeners.add(listener);
    return () => this.#listeners.delete(listener);
  }

  /** Takes note of what a configuration needs, and returns what of it counts: objects wait for the keys they need, not for long. */
  prepare(config: ConfigSnapshot): ConfigSnapshot {
    this.#note(config);
    return this.#gate.pass(config, this.#book);
  }

  /** Waits until all that a configuration needs was fetched, or could not be, or takes too long. */
  async settle(config: ConfigSnapshot, signal: AbortSignal): Promise<void> {
    const addresses = this.#note(config);
    const changes = new ChangeSignal();
    const stop = this.onChange(() => changes.raise());
    while (addresses.some((address) => !this.#book.has(address)) && (await changes.next(signal)));
    stop();
  }

  #note(config: ConfigSnapshot): readonly string[] {
    const now = this.#deps.clock.monotonic();
    const needed = neededKeys(config);
    for (const [address, entry] of this.#entries) if (!needed.has(address)) entry.unusedSince ??= now;
    for (const [address, one] of needed) {
      const known = this.#entries.get(address);
      if (known === undefined) this.#entries.set(address, newEntry(one, now));
      else Object.assign(known, { needed: one, unusedSince: undefined });
    }
    this.#changes.raise();
    return [...needed.keys()];
  }

  #forget(): void {
    const now = this.#deps.clock.monotonic();
    for (const [address, { unusedSince }] of this.#entries) {
      if (unusedSince !== undefined && now - unusedSince >= FORGET_MS) this.#entries.delete(address);
    }
  }

  #startDue(signal: AbortSignal): void {
    const now = this.#deps.clock.monotonic();
    const due = [...this.#entries.values()].filter((entry) => isWaiting(entry) && entry.fetchAt <= now);
    due.sort((a, b) => a.fetchAt - b.fetchAt);
    for (const entry of due.slice(0, Math.max(0, AT_A_TIME - this.#fetches.size))) {
      const fetch = this.#fetch(entry, signal).finally(() => {
        this.#fetches.delete(fetch);
        this.#changes.raise();
      });
      this.#fetches.add(fetch);
    }
  }

  async #fetch(entry: Entry, signal: AbortSignal): Promise<void> {
    entry.isFetching = true;
    const { address } = entry.needed;
    const answer = await fetchKeys(entry.needed, this.#deps, signal).catch(
      (error: unknown): KnownKeys => this.#broken(address, error),
    );
    entry.isFetching = false;
    if (signal.aborted) return;
    if (answer.kind === 'known') this.#succeed(entry, answer);
    else this.#fail(entry, answer);
    this.#publish();
  }

  #broken(address: string, error: unknown): KnownKeys {
    this.#deps.log.error({ address, error }, 'fetching keys failed in an unforeseen way');
    return { kind: 'unknown', reason: `${address}: cannot be fetched` };
  }

  #succeed(entry: Entry, answer: KnownKeys & { readonly kind: 'known' }): void {
    const { clock, random, log } = this.#deps;
    this.#fetched.good.add();
    if (entry.failures > 0) log.info({ address: entry.needed.address }, 'keys of tokens are there again');
    entry.failures = 0;
    entry.fetchAt = clock.monotonic() + REFRESH_MS * (0.9 + 0.2 * random());
    if (entry.known?.kind !== 'known' || entry.known.jwks !== answer.jwks) entry.known = answer;
  }

  /** What was last good stays. */
  #fail(entry: Entry, answer: KnownKeys & { readonly kind: 'unknown' }): void {
    const { clock, random, log } = this.#deps;
    this.#fetched.failed.add();
    const { address } = entry.needed;
    const isKept = entry.known?.kind === 'known';
    if (entry.failures === 0) log.warn({ address, isKept, reason: answer.reason }, 'keys of tokens cannot be fetched');
    const pause = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** Math.min(entry.failures, 20));
    entry.failures += 1;
    entry.fetchAt = clock.monotonic() + pause * (0.5 + 0.5 * random());
    const isSame = entry.known?.kind === 'unknown' && entry.known.reason === answer.reason;
    if (!isKept && !isSame) entry.known = answer;
  }

  /** Who names an address that nobody answers at, or one behind many others, is not to keep objects waiting. */
  #tellWhoWaits(): void {
    const now = this.#deps.clock.monotonic();
    for (const entry of this.#entries.values()) {
      if (entry.known === undefined && entry.answerBy <= now) entry.known = notYet;
    }
    this.#publish();
  }

  #publish(): void {
    const entries = [...this.#entries].flatMap(([address, { known }]) =>
      known === undefined ? [] : [[address, known] as const],
    );
    const isSame =
      entries.length === this.#book.size && entries.every(([address, known]) => this.#book.get(address) === known);
    if (isSame) return;
    this.#book = new Map(entries);
    for (const listener of this.#listeners) listener();
  }

  async #pause(signal: AbortSignal): Promise<void> {
    const stop = new AbortController();
    const both = AbortSignal.any([signal, stop.signal]);
    const changed = this.#changes.next(both);
    const timer = this.#deps.clock.sleep(this.#untilNext(), both);
    await Promise.race([changed, timer]);
    stop.abort();
    await Promise.all([changed, timer]);
  }

  #untilNext(): number {
    const isFull = this.#fetches.size >= AT_A_TIME;
    const times = [...this.#entries.values()].flatMap((entry) => [
      ...(isWaiting(entry) && !isFull ? [entry.fetchAt] : []),
      ...(entry.known === undefined ? [entry.answerBy] : []),
    ]);
    return Math.max(0, Math.min(FORGET_MS, ...times.map((time) => time - this.#deps.clock.monotonic())));
  }
}

function newEntry(needed: NeededKeys, now: number): Entry {
  return {
    needed,
    known: undefined,
    failures: 0,
    fetchAt: now,
    isFetching: false,
    answerBy: now + ANSWER_MS,
    unusedSince: undefined,
  };
}

function isWaiting({ isFetching, unusedSince }: Entry): boolean {
  return !isFetching && unusedSince === undefined;
}
