import { type Holdings, heldIn } from './client-state.ts';
import type { NameSet } from './name-pool.ts';
import type { SnapshotHandle } from './ports.ts';
import type { ServedDiff, ServedSet } from './served-set.ts';
import type { TypeStream } from './type-stream.ts';

/**
 * How far one type is at one client: it has confirmed the whole set, as far as it asks for it, but for what is said here. What
 * clients have in common is one object, so that whoever counts need not look at each.
 */
export type TypeDelivery = {
  readonly set: ServedSet;
  /** What the client asks for; nothing where it asks for everything. */
  readonly names: NameSet | undefined;
  /** Nothing is confirmed yet, or much is open. */
  readonly isBeginning: boolean;
  /** Changes that are under way, or about to be. */
  readonly behind: readonly ServedDiff[];
  /** Names whose version in the set this client, unlike others, has not confirmed. */
  readonly unconfirmed: readonly string[];
  /** Versions that this client refused, by name. */
  readonly refused: ReadonlyMap<string, string>;
};

export type StreamDelivery = {
  /** The node's id. */
  readonly proxy: string;
  readonly handle: SnapshotHandle;
  readonly types: readonly TypeDelivery[];
};

/** With more open names than these a client counts as one that begins: nobody goes through them one by one. */
const MANY = 256;

export function deliveryOf(type: TypeStream): TypeDelivery {
  const { client, target, refused } = type;
  const now = client.holdings;
  const confirmed = type.inFlight?.before ?? now;
  const names = client.wildcard ? undefined : client.names;
  const common = { set: target, names, refused };
  const isOpen = isUnknown(now) || isUnknown(confirmed) || type.isAnswerDue;
  if (isOpen && names?.size !== 0) return { ...common, isBeginning: true, behind: [], unconfirmed: [] };
  return {
    ...common,
    isBeginning: false,
    behind: differences(target, new Set([confirmed.synced, now.synced])),
    unconfirmed: unconfirmed(type, now, confirmed),
  };
}

function isUnknown({ synced, overlay }: Holdings): boolean {
  return synced === undefined || overlay.size > MANY;
}

function differences(target: ServedSet, older: ReadonlySet<ServedSet | undefined>): readonly ServedDiff[] {
  return [...older].flatMap((set) => (set === undefined || set === target ? [] : [target.diffFrom(set)]));
}

function unconfirmed(type: TypeStream, now: Holdings, confirmed: Holdings): readonly string[] {
  if (now.overlay.size === 0 && confirmed.overlay.size === 0) return [];
  const open = new Set([...now.overlay.keys(), ...confirmed.overlay.keys()]);
  return [...open].filter((name) => {
    const wanted = type.covers(name) ? type.target.get(name)?.version : undefined;
    if (wanted === undefined) return false;
    return heldIn(now, name)?.version !== wanted || heldIn(confirmed, name)?.version !== wanted;
  });
}
