import type { ObjectKey } from '../../model/ids.ts';
import type { ConfigObject } from '../../model/object.ts';

/**
 * What proxies have of one object. Of `known` proxies something in their configuration comes from the object; each of them is
 * counted once in `programmed`, `pending`, `heldBack` or `refused`.
 */
export type ObjectDistribution = {
  /** Which version of the object this is about; nothing for objects without generations. */
  readonly generation: number | undefined;
  /** The same where it is known in this process. */
  readonly object: ConfigObject | undefined;
  readonly known: number;
  /** Have confirmed everything that comes from the object. */
  readonly programmed: number;
  readonly pending: number;
  /** Keep the form from before, because a proxy refused a resource that the object is a part of. */
  readonly heldBack: number;
  /** Have refused such a resource themselves. */
  readonly refused: number;
  /** Of so many proxies it is not known yet whether they use the object. */
  readonly undecided: number;
  /** What was refused, a few of it. */
  readonly refusals: readonly Refusal[];
};

export type Refusal = {
  /** The proxy's own words. */
  readonly error: string;
  /** One that refused: its pod. */
  readonly proxy: string;
  /** The field of this object that the words are about, as far as can be told: `spec.http[0]`. */
  readonly path: string;
  /** Whose fault it is by the proxy's words; `unclear` where they fit several objects. */
  readonly blame: 'this' | 'another' | 'unclear';
  /** Those the words are about, or may be about. */
  readonly suspects: readonly ObjectKey[];
};

export type Distribution = {
  /** Objects that are not in it reach no proxy. */
  readonly objects: ReadonlyMap<ObjectKey, ObjectDistribution>;
  /** The newest configuration is not handed on yet, so that an object may be missing for that. */
  readonly isBehind: boolean;
  /** All replicas, and those of them that did not say what their proxies have. */
  readonly replicas: number;
  readonly silent: number;
};

/** Who knows what proxies have. */
export interface DistributionFacts {
  /** The same object while it says the same. Takes turns with other work. `withPeers` asks other replicas too. */
  read(withPeers: boolean, signal: AbortSignal): Promise<Distribution>;
  /** Whether `read` may answer otherwise than the last time. */
  readonly isMoved: boolean;
}
