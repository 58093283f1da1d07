import type { McpRequestResources } from '../../gen/types.ts';
import type { ConfigSnapshot } from '../../model/config-snapshot.ts';
import { type Status, StatusCode } from '../../xds/status.ts';
import type { CollectionState } from './catalog.ts';
import { encodeResources, type ResourcesMessage } from './mcp-response.ts';

/** What a session looks its answers up in. */
export interface Collections {
  hasCollection(name: string): boolean;
  collection(name: string, snapshot: ConfigSnapshot): CollectionState | undefined;
}

/** What a session reports of its sink. Must not throw. */
export interface SinkEvents {
  acked(collection: string): void;
  nacked(collection: string, error: { readonly code: number; readonly message: string }): void;
  stale(collection: string, nonce: string): void;
}

type Pending = {
  readonly nonce: string;
  readonly state: CollectionState;
  /** Names that it sends or removes. */
  readonly touched: readonly string[];
};

type Watch = {
  /** Whether the sink asked for what changes, or confirmed the last answer and waits for the next. */
  isArmed: boolean;
  isIncremental: boolean;
  /** Names and versions that the sink brought along. */
  brought: ReadonlyMap<string, string> | undefined;
  /** What the sink has confirmed. */
  confirmed: CollectionState | undefined;
  /** Names that refused answers sent or removed: the sink may have done so all the same. */
  readonly uncertain: Set<string>;
  answered: CollectionState | undefined;
  pending: Pending | undefined;
};

export type McpOutgoing = { readonly collection: string; readonly message: ResourcesMessage };

/**
 * One sink's stream as a state machine, without time or transport: per collection one request at a time, one answer at a time,
 * and while an answer is not confirmed, newer states replace each other.
 */
export class McpSession {
  readonly #collections: Collections;
  readonly #events: SinkEvents;
  readonly #watches = new Map<string, Watch>();
  #nonce = 0;

  constructor(collections: Collections, events: SinkEvents) {
    this.#collections = collections;
    this.#events = events;
  }

  /** Takes a request; a status ends the stream. */
  receive(request: McpRequestResources): Status | undefined {
    const { collection = '', responseNonce = '' } = request;
    if (!this.#collections.hasCollection(collection)) {
      const message = `there is no collection ${JSON.stringify(collection)}`;
      return { code: StatusCode.INVALID_ARGUMENT, message };
    }
    const watch = this.#watchOf(collection);
    if (responseNonce === '') open(watch, request);
    else if (responseNonce !== watch.pending?.nonce) {
      this.#events.stale(collection, responseNonce);
      return undefined;
    } else this.#settle(collection, watch, request.errorDetail);
    watch.isIncremental = request.incremental ?? false;
    watch.isArmed = true;
    return undefined;
  }

  /** The next answer. When there is none, nothing changes until a request or another snapshot. */
  next(snapshot: ConfigSnapshot): McpOutgoing | undefined {
    for (const [collection, watch] of this.#watches) {
      if (!watch.isArmed) continue;
      const state = this.#collections.collection(collection, snapshot);
      if (state === undefined || state === watch.answered || state.version === watch.answered?.version) continue;
      return { collection, message: this.#answer(collection, watch, state) };
    }
    return undefined;
  }

  #watchOf(collection: string): Watch {
    const known = this.#watches.get(collection);
    if (known !== undefined) return known;
    const watch: Watch = {
      isArmed: false,
      isIncremental: false,
      brought: undefined,
      confirmed: undefined,
      uncertain: new Set(),
      answered: undefined,
      pending: undefined,
    };
    this.#watches.set(collection, watch);
    return watch;
  }

  #settle(collection: string, watch: Watch, error: McpRequestResources['errorDetail']): void {
    if (error === undefined) {
      watch.confirmed = watch.pending?.state;
      watch.uncertain.clear();
      this.#events.acked(collection);
    } else {
      for (const name of watch.pending?.touched ?? []) watch.uncertain.add(name);
      this.#events.nacked(collection, { code: error.code ?? 0, message: error.message ?? '' });
    }
    watch.pending = undefined;
  }

  #answer(collection: string, watch: Watch, state: CollectionState): ResourcesMessage {
    this.#nonce += 1;
    const nonce = String(this.#nonce);
    const known = baseOf(watch);
    const base = watch.isIncremental ? known : undefined;
    const all = [...state.resources.values()];
    const resources =
      base === undefined
        ? all
        : all.filter(({ name, version }) => watch.uncertain.has(name) || base.get(name) !== version);
    const removed = base === undefined ? [] : goneFrom(base, watch, state);
    // All of a collection removes what it leaves out.
    const left = base === undefined ? (known?.keys() ?? []) : removed;
    watch.pending = { nonce, state, touched: [...resources.map(({ name }) => name), ...left] };
    watch.answered = state;
    watch.isArmed = false;
    return encodeResources({
      version: state.version,
      collection,
      resources: resources.map(({ bytes }) => bytes),
      removed,
      nonce,
      incremental: base !== undefined,
    });
  }
}

/** Names that the sink has, or may have, and that are no more. */
function goneFrom(base: ReadonlyMap<string, string>, { uncertain }: Watch, state: CollectionState): readonly string[] {
  return [...new Set([...base.keys(), ...uncertain])].filter((name) => !state.resources.has(name)).sort();
}

/** Whoever opens a collection anew has what it says it has. */
function open(watch: Watch, { initialResourceVersions }: McpRequestResources): void {
  const versions = Object.entries(initialResourceVersions ?? {});
  watch.brought = versions.length === 0 ? undefined : new Map(versions);
  watch.confirmed = undefined;
  watch.uncertain.clear();
  watch.answered = undefined;
  watch.pending = undefined;
}

/** Versions by name of what the sink has for certain; nothing when it has nothing. */
function baseOf({ confirmed, brought }: Watch): ReadonlyMap<string, string> | undefined {
  if (confirmed === undefined) return brought;
  return new Map([...confirmed.resources.values()].map(({ name, version }) => [name, version]));
}
