import type { Held } from './client-state.ts';
import type { EncodedResource } from './resource.ts';
import type { Gone, TypeStream } from './type-stream.ts';

/** What to do about each name on which a client differs from its target. */
export type Plan = {
  /** New and changed resources that may go now. */
  readonly send: readonly EncodedResource[];
  /** Names the client asked for and nobody has. */
  readonly absent: readonly string[];
  /** Resources that wait for what they need, and since when. */
  readonly blocked: ReadonlyMap<string, number>;
  /** Names to be removed once nothing needs them. */
  readonly gone: ReadonlyMap<string, Gone>;
  /** What the client has, where that is not what the target says. Becomes the overlay, corrected by what is sent. */
  readonly rest: Map<string, Held | undefined>;
};

export type PlanContext = {
  readonly epoch: number;
  readonly now: number;
  /** Whether a resource has to wait for something. */
  readonly mustWait: (resource: EncodedResource, since: number) => boolean;
};

/** Costs what changed for this client, not what it has. */
export function planType(type: TypeStream, { epoch, now, mustWait }: PlanContext): Plan {
  const send: EncodedResource[] = [];
  const absent: string[] = [];
  const blocked = new Map<string, number>();
  const gone = new Map<string, Gone>();
  const rest = new Map<string, Held | undefined>();

  const planWanted = (want: EncodedResource): void => {
    const since = type.blocked.get(want.name) ?? now;
    if (mustWait(want, since)) blocked.set(want.name, since);
    else send.push(want);
  };
  const planUnwanted = (name: string, have: Held | undefined): void => {
    if (have === undefined) {
      if (type.owed.has(name)) absent.push(name);
    } else if (!type.isHeldBack(name)) {
      gone.set(name, type.gone.get(name) ?? { epoch, at: now });
    }
  };

  for (const name of type.client.candidates(type.target, type.owed)) {
    if (!type.covers(name)) continue;
    const have = type.held(name);
    const aim = type.target.get(name);
    const want = aim !== undefined && type.isUndisputed ? aim : type.wanted(name);
    if (have?.version !== aim?.version) rest.set(name, have);
    if (want === undefined) planUnwanted(name, have);
    else if (have?.version !== want.version || type.owed.has(name)) planWanted(want);
  }
  return { send, absent, blocked, gone, rest };
}

/** The first resources of a plan that fit into one response. */
export function firstPart(
  send: readonly EncodedResource[],
  limits: { readonly bytes: number; readonly count: number },
): readonly EncodedResource[] {
  let bytes = 0;
  let count = 0;
  for (const { frame } of send) {
    bytes += frame.length;
    if (count > 0 && (bytes > limits.bytes || count >= limits.count)) break;
    count += 1;
  }
  return count === send.length ? send : send.slice(0, count);
}
