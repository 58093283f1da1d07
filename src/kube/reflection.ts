import type { Runnable } from '../kit/run-group.ts';
import type { KubeObject, ResourceType, Selectors } from './api.ts';

/** How the copy of a resource's objects stands; `message` is the API server's own word. */
export type ReflectionState =
  | { readonly kind: 'starting' }
  /** The copy is what the API server has. */
  | { readonly kind: 'synced' }
  /** There is no such resource. What was known of it stays. */
  | { readonly kind: 'absent'; readonly message: string }
  | { readonly kind: 'forbidden'; readonly message: string }
  /** No answer, or a bad one; it is tried again. */
  | { readonly kind: 'failing'; readonly message: string };

/** What moved, as one: a key is in it once. */
export type ReflectionChange<T> = { readonly upserts: readonly T[]; readonly deletes: readonly string[] };

/** Which objects of a resource somebody wants, what of them, and where it goes. */
export type Reflection<T> = {
  readonly type: ResourceType;
  /** `''` for all. */
  readonly namespace: string;
  readonly selectors: Selectors;
  /** What is kept of an object. Nothing for one that is of no interest. */
  readonly project: (object: KubeObject) => T | undefined;
  readonly keyOf: (object: KubeObject) => string;
  /** Told as it comes, from the first page of the first list on. If it throws, it is asked again, one object at a time. */
  readonly onChange: (change: ReflectionChange<T>) => void;
  /** Everything that exists has been told. Called after each list, the first one included. */
  readonly onSynced: () => void;
  readonly onState: (state: ReflectionState) => void;
};

/** Makes the runnable that keeps a copy of a resource's objects up to date. */
export type Reflect = <T>(reflection: Reflection<T>) => Runnable;
