import { ClientState, type Held, type Holdings, heldIn } from './client-state.ts';
import type { NamePool } from './name-pool.ts';
import type { EncodedResource } from './resource.ts';
import { earlierVersions, verdictsOf } from './resource-set.ts';
import type { ServedSet } from './served-set.ts';

/** A response that has been sent and not been answered yet. At most one per type. */
export type InFlight = {
  readonly nonce: string;
  /** The new and changed resources in it; a state-of-the-world response has others besides. */
  readonly resources: readonly EncodedResource[];
  readonly removed: readonly string[];
  readonly version: string;
  readonly sentAt: number;
  readonly before: Holdings;
  /** Waited for too long: nobody waits for the answer any more. */
  isOverdue: boolean;
  /** The names of the resources, once somebody asked. */
  names: ReadonlySet<string> | undefined;
};

/** A name that is gone from the snapshot and that the client still has: since which snapshot, and when that was seen. */
export type Gone = { readonly epoch: number; readonly at: number };

const WILDCARD = '*';

/** One type on one stream: what the client subscribes to and has, what it should have, and what is under way. */
export class TypeStream {
  readonly typeUrl: string;
  readonly client = new ClientState();
  #target: ServedSet;
  inFlight: InFlight | undefined;
  /** The nonce of the last response, answered or not. */
  nonce = '';
  sentVersion = '';
  ackedNonce = '';
  ackedVersion = '';
  lastError: string | undefined;
  /** The client waits for an answer even if there is nothing to put into it. */
  isAnswerDue = false;
  /** Subscribed to everything by having named nothing. */
  isLegacyWildcard = false;
  /** The client said what it has from an earlier stream. */
  isResumed = false;
  /** The last snapshot that was compared with what the client has: all differences to it are in the overlay or under way. */
  epoch = 0;
  /** Names to be sent, or to be said absent, even if the client has them. */
  readonly owed = new Set<string>();
  /** Resources that wait for what they need, and since when. */
  blocked: ReadonlyMap<string, number> = new Map();
  gone: ReadonlyMap<string, Gone> = new Map();
  /** Versions that this client rejected, by name. */
  readonly refused = new Map<string, string>();
  /** Resources kept from everybody that this client is asked to give a second opinion on. */
  readonly onTrial = new Set<EncodedResource>();
  /** How many changed resources the next response may have, while the guilty one of a rejected response is looked for. */
  batchLimit = Number.POSITIVE_INFINITY;
  /** Removals go before additions once, in case what is to be added collides with what is to be removed. */
  removalsFirst: 'no' | 'next' | 'tried' = 'no';
  readonly #names: NamePool;
  readonly #missing: (name: string) => EncodedResource | undefined;
  readonly #standIns = new Map<string, EncodedResource | undefined>();

  constructor(
    typeUrl: string,
    deps: {
      readonly target: ServedSet;
      readonly names: NamePool;
      readonly missing: (name: string) => EncodedResource | undefined;
    },
  ) {
    this.typeUrl = typeUrl;
    this.#target = deps.target;
    this.#names = deps.names;
    this.#missing = deps.missing;
  }

  /** The newest set, with which the client is to be brought in step. */
  get target(): ServedSet {
    return this.#target;
  }

  /** Returns whether that changes anything. */
  aimAt(target: ServedSet): boolean {
    if (target === this.#target) return false;
    this.#target = target;
    // A name that came back and goes again later is gone since later.
    this.gone = keep(this.gone, (name) => this.wanted(name) === undefined);
    return true;
  }

  covers(name: string): boolean {
    return this.client.covers(name);
  }

  held(name: string): Held | undefined {
    return this.client.held(name);
  }

  /** Whether the client should have the target's version of each name that is in it. */
  get isUndisputed(): boolean {
    return this.refused.size === 0 && this.onTrial.size === 0;
  }

  /** What the client should have of a name. */
  wanted(name: string): EncodedResource | undefined {
    const served = this.#servedOrOnTrial(name);
    const allowed =
      served !== undefined && this.refused.get(name) === served.version ? this.#fallbackFor(served) : served;
    if (allowed !== undefined || !this.client.names.has(name)) return allowed;
    return this.#isKnown(name) && this.held(name) !== undefined ? undefined : this.#standIn(name);
  }

  /** Whether the name exists but the client gets no version of it, so that it keeps what it has. */
  isHeldBack(name: string): boolean {
    return this.#isKnown(name) && this.wanted(name) === undefined;
  }

  /** Whether a name is new to the client and the client has not confirmed it yet. */
  isUnconfirmed(name: string): boolean {
    if (this.inFlight === undefined || this.inFlight.isOverdue) return false;
    return heldIn(this.inFlight.before, name) === undefined;
  }

  /** Whether a resource was sent and the client has not answered yet. */
  isInFlight(name: string): boolean {
    const { inFlight } = this;
    if (inFlight === undefined || inFlight.isOverdue) return false;
    inFlight.names ??= new Set(inFlight.resources.map((resource) => resource.name));
    return inFlight.names.has(name);
  }

  get isIdle(): boolean {
    return (
      this.client.holdings.synced === this.target &&
      this.client.holdings.overlay.size === 0 &&
      this.owed.size === 0 &&
      !this.isAnswerDue
    );
  }

  subscribe(names: readonly string[]): void {
    if (names.includes(WILDCARD) && !this.client.wildcard) this.setWildcard(true);
    const explicit = names.filter((name) => name !== WILDCARD);
    this.client.setNames(this.#names.change(this.client.names, explicit, new Set()));
    for (const name of explicit) this.owed.add(name);
  }

  /** Under a wildcard the names stay subscribed to: the client must learn what is left of them. */
  unsubscribe(names: readonly string[]): void {
    if (names.length === 0) return;
    if (names.includes(WILDCARD)) this.setWildcard(false);
    const explicit = new Set(names.filter((name) => name !== WILDCARD));
    this.client.setNames(this.#names.change(this.client.names, [], explicit));
    for (const name of explicit) {
      if (this.client.wildcard) this.owed.add(name);
    }
    this.#forgetUncovered();
  }

  /** The client's whole subscription, as the state-of-the-world protocol states it. */
  replaceNames(names: readonly string[]): void {
    const wildcard = names.includes(WILDCARD);
    const next = new Set(names.filter((name) => name !== WILDCARD));
    const unheard = [...next].filter((name) => !this.covers(name));
    const dropped = new Set([...this.client.names].filter((name) => !next.has(name)));
    const added = [...next].filter((name) => !this.client.names.has(name));
    // While everything is still subscribed to, a name that is added is one that the client has.
    this.client.setNames(this.#names.change(this.client.names, added, dropped));
    if (wildcard !== this.client.wildcard) this.setWildcard(wildcard);
    for (const name of unheard) this.owed.add(name);
    this.#forgetUncovered();
  }

  setWildcard(wildcard: boolean): void {
    this.client.setWildcard(wildcard);
    this.isAnswerDue = wildcard;
  }

  resume(versions: ReadonlyMap<string, string>): void {
    this.client.resume(versions);
    this.isResumed = true;
    this.isAnswerDue = false;
    for (const [name, version] of versions) {
      const resource = this.wanted(name);
      // Who resumes with a version runs it.
      if (resource?.version === version) verdictsOf(this.target.base).accept(resource);
      this.owed.delete(name);
    }
  }

  /** Nothing is left to do for this client. */
  onIdle(epoch: number): void {
    this.epoch = epoch;
    this.batchLimit = Number.POSITIVE_INFINITY;
    this.removalsFirst = 'no';
  }

  onAck({ nonce, version, resources }: InFlight): void {
    this.ackedNonce = nonce;
    this.ackedVersion = version;
    this.lastError = undefined;
    this.batchLimit *= 2;
    const verdicts = verdictsOf(this.target.base);
    for (const resource of resources) {
      verdicts.accept(resource);
      this.onTrial.delete(resource);
    }
  }

  /** Envoy counts nothing of a rejected response as received, even where it kept the good part. */
  onNack({ resources, before }: InFlight, error: string): void {
    this.lastError = error;
    this.client.rollBack(resources, before);
  }

  #isKnown(name: string): boolean {
    return this.target.base.resources.has(name);
  }

  /** Asked for once per name: it is compared again and again. */
  #standIn(name: string): EncodedResource | undefined {
    if (!this.#standIns.has(name)) this.#standIns.set(name, this.#missing(name));
    return this.#standIns.get(name);
  }

  #servedOrOnTrial(name: string): EncodedResource | undefined {
    const newest = this.onTrial.size === 0 ? undefined : this.target.base.resources.get(name);
    return newest !== undefined && this.onTrial.has(newest) ? newest : this.target.get(name);
  }

  #fallbackFor({ name, version }: EncodedResource): EncodedResource | undefined {
    const { base } = this.target;
    return verdictsOf(base).findAccepted(earlierVersions(base, name).filter((earlier) => earlier.version !== version));
  }

  #forgetUncovered(): void {
    for (const name of this.owed) if (!this.covers(name)) this.owed.delete(name);
    for (const name of this.#standIns.keys()) if (!this.covers(name)) this.#standIns.delete(name);
    for (const name of this.refused.keys()) if (!this.covers(name)) this.refused.delete(name);
    this.blocked = keep(this.blocked, (name) => this.covers(name));
    this.gone = keep(this.gone, (name) => this.covers(name));
  }
}

function keep<V>(map: ReadonlyMap<string, V>, isKept: (name: string) => boolean): ReadonlyMap<string, V> {
  return map.size === 0 ? map : new Map([...map].filter(([name]) => isKept(name)));
}
