import type { Held } from './client-state.ts';
import { firstPart, type Plan } from './plan.ts';
import type { EncodedResource } from './resource.ts';
import { encodeDeltaResponse, encodeSotwResponse, type Message } from './response.ts';
import type { TypeStream } from './type-stream.ts';
import { isNamedOnly, TypeUrls } from './type-urls.ts';

/** One response, encoded and already counted as sent. */
export type Outgoing = {
  readonly type: TypeStream;
  readonly message: Message;
  /** The new and changed resources in it. */
  readonly resources: readonly EncodedResource[];
  readonly removed: readonly string[];
};

export type Moment = { readonly now: number; readonly epoch: number };

/** How long responses are split: see `splitBytes`. A first set of listeners is not: Envoy calls itself ready after it. */
const FIRST_LISTENERS_FACTOR = 4;

/** Makes responses in one variant of the protocol and notes in the type's state what the client has after them. */
export class Sender {
  readonly #isDelta: boolean;
  readonly #splitBytes: number;
  readonly #noncePrefix: string;
  #count = 0;

  constructor(protocol: 'delta' | 'sotw', settings: { readonly splitBytes: number; readonly noncePrefix: string }) {
    this.#isDelta = protocol === 'delta';
    this.#splitBytes = settings.splitBytes;
    this.#noncePrefix = settings.noncePrefix;
  }

  /** Whether a plan needs a response, now. */
  isDue(type: TypeStream, { send, absent, blocked }: Plan): boolean {
    // The first answer is whole: Envoy takes it for all there is and begins to serve.
    if (type.isAnswerDue) return blocked.size === 0;
    return send.length > 0 || (absent.length > 0 && this.#saysAbsent(type));
  }

  sendAdditions(type: TypeStream, plan: Plan, moment: Moment): Outgoing {
    const resources = firstPart(plan.send, { bytes: this.#bytesLimit(type), count: type.batchLimit });
    const overlay = plan.rest;
    for (const resource of resources) note(type, overlay, resource.name, resource);
    for (const name of plan.absent) note(type, overlay, name, undefined);
    return this.#send(type, { resources, removed: plan.absent, overlay }, moment);
  }

  /** Returns nothing where this variant has no way to say that something is gone. */
  sendRemovals(type: TypeStream, removed: readonly string[], moment: Moment): Outgoing | undefined {
    const overlay = new Map(type.client.holdings.overlay);
    for (const name of removed) note(type, overlay, name, undefined);
    type.gone = new Map([...type.gone].filter(([name]) => !removed.includes(name)));
    if (this.#saysAbsent(type)) return this.#send(type, { resources: [], removed, overlay }, moment);
    type.client.sync(type.target, overlay);
    return undefined;
  }

  /** Nothing is to be sent: the client is in step with the target but for what it waits for. */
  settle(type: TypeStream, { rest, blocked, gone }: Plan, { epoch }: Moment): void {
    type.client.sync(type.target, rest);
    type.epoch = epoch;
    for (const name of type.owed) if (!blocked.has(name) && !gone.has(name)) type.owed.delete(name);
    if (blocked.size === 0) type.batchLimit = Number.POSITIVE_INFINITY;
    if (blocked.size === 0 && gone.size === 0) type.removalsFirst = 'no';
  }

  #saysAbsent({ typeUrl }: TypeStream): boolean {
    return this.#isDelta || !isNamedOnly(typeUrl);
  }

  #bytesLimit(type: TypeStream): number {
    if (!this.#isDelta && !isNamedOnly(type.typeUrl)) return Number.POSITIVE_INFINITY;
    return type.isAnswerDue && type.typeUrl === TypeUrls.listener
      ? FIRST_LISTENERS_FACTOR * this.#splitBytes
      : this.#splitBytes;
  }

  #send(type: TypeStream, content: Content, { now, epoch }: Moment): Outgoing {
    const { resources, removed, overlay } = content;
    const before = type.client.holdings;
    type.client.sync(type.target, overlay);
    for (const { name } of resources) type.owed.delete(name);
    for (const name of removed) type.owed.delete(name);
    type.isAnswerDue = false;
    type.epoch = epoch;
    this.#count += 1;
    type.nonce = `${this.#noncePrefix}${this.#count.toString(36)}`;
    type.sentVersion = type.target.version;
    const { typeUrl, nonce, sentVersion: version } = type;
    type.inFlight = { nonce, resources, removed, version, sentAt: now, before, isOverdue: false, names: undefined };
    const message = this.#isDelta
      ? encodeDeltaResponse({ typeUrl, nonce, version, resources, removed })
      : encodeSotwResponse({
          typeUrl,
          nonce,
          version,
          removed: [],
          resources: isNamedOnly(typeUrl) ? resources : everythingHeld(type),
        });
    return { type, message, resources, removed };
  }
}

type Content = {
  readonly resources: readonly EncodedResource[];
  readonly removed: readonly string[];
  readonly overlay: Map<string, Held | undefined>;
};

function note(
  type: TypeStream,
  overlay: Map<string, Held | undefined>,
  name: string,
  held: EncodedResource | undefined,
): void {
  if (type.target.get(name)?.version === held?.version) overlay.delete(name);
  else overlay.set(name, held);
}

/** What a state-of-the-world response must contain, so that the client drops nothing too early. */
function everythingHeld({ client, target }: TypeStream): readonly EncodedResource[] {
  const { overlay } = client.holdings;
  if (client.wildcard && overlay.size === 0) return target.resources;
  const names = client.wildcard
    ? new Set([...target.resources.map(({ name }) => name), ...overlay.keys()])
    : client.names;
  const held = [...names].map((name) => client.held(name));
  return held.filter((each): each is EncodedResource => each?.frame !== undefined);
}
