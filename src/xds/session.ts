import { unfinishedEndpoints } from './interrupted.ts';
import { judgeNack } from './judge.ts';
import type { Limits } from './limits.ts';
import { MissingClusters } from './missing.ts';
import type { NamePool } from './name-pool.ts';
import { clusterToWaitFor, removableNames } from './order.ts';
import { planType } from './plan.ts';
import type { SnapshotHandle, XdsSnapshot } from './ports.ts';
import type { DeltaRequest, SotwRequest } from './request.ts';
import type { EncodedResource } from './resource.ts';
import { emptyResourceSet } from './resource-set.ts';
import { type Outgoing, Sender } from './sender.ts';
import type { ServedSet, ServedSets } from './served-set.ts';
import { type Status, StatusCode } from './status.ts';
import { applyDeltaNames, applySotwNames } from './subscription.ts';
import { TypeStream } from './type-stream.ts';
import { pushRank, removalRank, TypeUrls } from './type-urls.ts';
import type { Verdicts } from './verdicts.ts';
import { Warming } from './warming.ts';

export type XdsRequest =
  | { readonly kind: 'delta'; readonly request: DeltaRequest }
  | { readonly kind: 'sotw'; readonly request: SotwRequest };

/** What a session tells of; none of it changes what the session does. */
export interface SessionEvents {
  acked(type: TypeStream, resources: readonly EncodedResource[]): void;
  nacked(type: TypeStream, error: string): void;
  convicted(resource: EncodedResource, error: string, scope: 'everybody' | 'this proxy'): void;
  stale(type: TypeStream): void;
  /** A phase went on without the client's answer. */
  overdue(type: TypeStream): void;
}

export type SessionSettings = {
  readonly limits: Limits;
  /** For how long a phase waits for the client before it goes on. */
  readonly holdMs: number;
  /** For how long a cluster that resources name and nobody has is waited for, and kept where it was there. */
  readonly graceMs: number;
  /** Responses are split near this size where the protocol allows it. */
  readonly splitBytes: number;
};

export type SessionDeps = {
  /** The node's id. */
  readonly proxy: string;
  readonly protocol: 'delta' | 'sotw';
  readonly handle: SnapshotHandle;
  readonly names: NamePool;
  readonly served: ServedSets;
  readonly verdicts: Verdicts;
  readonly events: SessionEvents;
  readonly settings: SessionSettings;
  readonly noncePrefix: string;
  /** Endpoints that this client may not have got on the stream before. */
  readonly unfinished: ReadonlySet<string>;
};

/**
 * The protocol of one stream without its I/O: takes requests, says what to send next. Both variants run on the same state:
 * per type, what the client subscribes to and has. Each call of `next` compares that with the newest snapshot, so that any
 * number of changes in between merge.
 */
export class AdsSession {
  readonly #deps: SessionDeps;
  readonly #sender: Sender;
  readonly #types = new Map<string, TypeStream>();
  #inPushOrder: readonly TypeStream[] = [];
  #inRemovalOrder: readonly TypeStream[] = [];
  readonly #warming = new Warming();
  readonly #missing: MissingClusters;
  #unfinished: ReadonlySet<string>;
  #snapshot: XdsSnapshot | undefined;
  /** Counts the snapshots that this stream has seen. */
  #epoch = 0;
  #isWaiting = false;

  constructor(deps: SessionDeps) {
    this.#deps = deps;
    this.#unfinished = deps.unfinished;
    this.#missing = new MissingClusters(deps.settings.graceMs);
    this.#sender = new Sender(deps.protocol, { splitBytes: deps.settings.splitBytes, noncePrefix: deps.noncePrefix });
  }

  get types(): readonly TypeStream[] {
    return this.#inPushOrder;
  }

  /** Whether the last `next` left something undone: an answer to come, or something held until one comes. */
  get isWaiting(): boolean {
    return this.#isWaiting;
  }

  /** Returns a status when the stream must end. */
  onRequest(message: XdsRequest): Status | undefined {
    const { typeUrl, nonce, error } = message.request;
    const { events, settings } = this.#deps;
    this.#adopt();
    const known = this.#types.get(typeUrl);
    if (known === undefined && this.#types.size >= settings.limits.typesPerStream) {
      return {
        code: StatusCode.RESOURCE_EXHAUSTED,
        message: `a stream may ask for ${settings.limits.typesPerStream} types`,
      };
    }
    const type = known ?? this.#addType(typeUrl);
    const isAnswer = known !== undefined && nonce !== '';
    const isStale = isAnswer && nonce !== type.nonce;
    if (isStale) events.stale(type);
    else if (isAnswer) this.#onAnswer(type, error);
    // Names count even in a stale request: who drops a name and asks for it again within one round trip wants it again.
    if (message.kind === 'delta') applyDeltaNames(type, message.request, known === undefined);
    else applySotwNames(type, message.request, known === undefined);
    if (known === undefined && typeUrl === TypeUrls.endpoint) this.#finishEndpoints(type);
    return this.#checkSize(type);
  }

  /** The next response. When there is none, nothing changes until a request, a change, or the end of the patience with a client. */
  next(now: number): Outgoing | undefined {
    this.#adopt();
    this.#isWaiting = false;
    for (const type of this.#inPushOrder) {
      const outgoing = this.#nextAddition(type, now);
      if (outgoing !== undefined) return outgoing;
    }
    for (const type of this.#inRemovalOrder) {
      const outgoing = this.#nextRemoval(type, now);
      if (outgoing !== undefined) return outgoing;
    }
    return undefined;
  }

  /** What to hand to the client's next session as `unfinished`. */
  unfinishedEndpoints(): ReadonlySet<string> {
    return unfinishedEndpoints(this.#types, this.#unfinished);
  }

  /** Asks this client for a second opinion on a rejected resource. Returns whether the client gets it. */
  tryAgain(resource: EncodedResource): boolean {
    const type = this.#types.get(resource.typeUrl);
    const own = type?.target.base.resources.get(resource.name);
    if (type === undefined || own?.version !== resource.version || !type.covers(own.name)) return false;
    if (type.refused.get(own.name) === own.version) return false;
    type.onTrial.add(own);
    type.owed.add(own.name);
    return true;
  }

  /** Offers again what this client refused for want of something on its own machine. Returns whether there was anything. */
  offerRefusedSecrets(): boolean {
    const type = this.#types.get(TypeUrls.secret);
    if (type === undefined || type.refused.size === 0) return false;
    for (const name of type.refused.keys()) type.owed.add(name);
    type.refused.clear();
    return true;
  }

  #adopt(): void {
    this.#snapshot = this.#deps.handle.current();
    let isMoved = false;
    for (const type of this.#inPushOrder) {
      if (type.aimAt(this.#targetOf(type.typeUrl, type.target))) isMoved = true;
    }
    if (!isMoved) return;
    this.#epoch += 1;
    const clusters = this.#types.get(TypeUrls.cluster);
    if (clusters !== undefined) this.#missing.update(clusters);
  }

  #targetOf(typeUrl: string, present: ServedSet | undefined): ServedSet {
    const base = this.#snapshot?.get(typeUrl);
    if (base !== undefined) return this.#deps.served.of(base);
    if (present?.base.resources.size === 0) return present;
    return this.#deps.served.of(emptyResourceSet(typeUrl, this.#deps.verdicts));
  }

  #addType(typeUrl: string): TypeStream {
    const { handle, names } = this.#deps;
    const missing = (name: string): EncodedResource | undefined => handle.missing?.(typeUrl, name);
    const type = new TypeStream(typeUrl, { target: this.#targetOf(typeUrl, undefined), names, missing });
    this.#types.set(typeUrl, type);
    const types = [...this.#types.values()];
    this.#inPushOrder = types.toSorted((a, b) => pushRank(a.typeUrl) - pushRank(b.typeUrl));
    this.#inRemovalOrder = types.toSorted((a, b) => removalRank(a.typeUrl) - removalRank(b.typeUrl));
    return type;
  }

  /** Whatever the client says it has: clusters of this stream, or of the one before, wait for these. */
  #finishEndpoints(type: TypeStream): void {
    for (const name of [...this.#unfinished, ...this.#warming.endpoints(this.#types)])
      if (type.covers(name)) type.owed.add(name);
    this.#unfinished = new Set();
  }

  #checkSize({ client }: TypeStream): Status | undefined {
    const limit = this.#deps.settings.limits.subscriptionsPerType;
    if (client.names.size <= limit) return undefined;
    return { code: StatusCode.RESOURCE_EXHAUSTED, message: `a stream may subscribe to ${limit} names of a type` };
  }

  #onAnswer(type: TypeStream, error: string | undefined): void {
    const { inFlight } = type;
    if (inFlight === undefined) return;
    type.inFlight = undefined;
    if (error === undefined) {
      type.onAck(inFlight);
      this.#deps.events.acked(type, inFlight.resources);
      if (type.typeUrl === TypeUrls.cluster) this.#warming.onConfirmed(inFlight.resources);
    } else {
      type.onNack(inFlight, error);
      this.#deps.events.nacked(type, error);
      for (const { resource, scope } of judgeNack({ type, inFlight, error }, this.#deps)) {
        this.#deps.events.convicted(resource, error, scope);
      }
    }
    // Clusters wait for endpoints; a cluster that was rejected waits no more.
    if (type.typeUrl === TypeUrls.endpoint || error !== undefined) this.#warming.update(this.#types);
  }

  #nextAddition(type: TypeStream, now: number): Outgoing | undefined {
    if (this.#isOccupied(type, now)) return undefined;
    if (type.isIdle) {
      type.onIdle(this.#epoch);
      return undefined;
    }
    const moment = { now, epoch: this.#epoch };
    const plan = planType(type, {
      ...moment,
      mustWait: (resource, since) => this.#mustWait(type, resource, { now, since }),
    });
    type.blocked = plan.blocked;
    type.gone = plan.gone;
    if (plan.blocked.size > 0 || plan.gone.size > 0) this.#isWaiting = true;
    if (type.removalsFirst === 'next' && plan.gone.size > 0) return undefined;
    if (!this.#sender.isDue(type, plan)) {
      this.#sender.settle(type, plan, moment);
      return undefined;
    }
    const before = type.client.holdings;
    const outgoing = this.#sender.sendAdditions(type, plan, moment);
    if (type.typeUrl === TypeUrls.cluster) this.#warming.onSent(outgoing.resources, before, this.#types);
    return outgoing;
  }

  #nextRemoval(type: TypeStream, now: number): Outgoing | undefined {
    if (type.gone.size === 0 || this.#isOccupied(type, now)) return undefined;
    const isOutOfTurn = type.removalsFirst === 'next';
    const { holdMs, graceMs } = this.#deps.settings;
    const patience = { now, holdMs, graceMs };
    const names = isOutOfTurn ? [...type.gone.keys()] : removableNames(type, this.#types, patience);
    if (names.length === 0) return undefined;
    if (isOutOfTurn) type.removalsFirst = 'tried';
    return this.#sender.sendRemovals(type, names, { now, epoch: this.#epoch });
  }

  /** One response per type is under way at a time, until the client answers or has had its time. */
  #isOccupied(type: TypeStream, now: number): boolean {
    const { inFlight } = type;
    if (inFlight === undefined || inFlight.isOverdue) return false;
    if (now - inFlight.sentAt < this.#deps.settings.holdMs) {
      this.#isWaiting = true;
      return true;
    }
    inFlight.isOverdue = true;
    this.#deps.events.overdue(type);
    this.#warming.update(this.#types);
    return false;
  }

  #mustWait(type: TypeStream, resource: EncodedResource, { now, since }: { now: number; since: number }): boolean {
    const cluster = clusterToWaitFor(resource, this.#types, this.#warming.names);
    if (cluster === undefined) {
      const isUpdate = type.held(resource.name) !== undefined;
      return isUpdate && this.#missing.isAwaited(resource, this.#types.get(TypeUrls.cluster), now);
    }
    if (now - since < this.#deps.settings.holdMs) return true;
    this.#warming.giveUp(cluster);
    this.#deps.events.overdue(type);
    return false;
  }
}
