import type { Kind, SpecByKind } from '../apis/collections.ts';
import type { ObjectKey } from './ids.ts';

/** What xebec reads of an object's metadata. Times are milliseconds since the epoch. */
export type ObjectMeta = {
  /** Empty for cluster-scoped kinds. */
  readonly namespace: string;
  readonly name: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Readonly<Record<string, string>>;
  readonly uid: string | undefined;
  readonly resourceVersion: string | undefined;
  readonly generation: number | undefined;
  readonly createdAt: number | undefined;
  readonly deletedAt: number | undefined;
};

/**
 * One admitted object. Equal content keeps the same JavaScript object, so identity says what moved.
 * Kubernetes kinds carry their narrow flat record as `spec`.
 */
export type ConfigObject<K extends Kind = Kind> = {
  readonly kind: K;
  readonly key: ObjectKey;
  readonly meta: ObjectMeta;
  readonly spec: SpecByKind[K];
};

/** Names an object to a person. */
export type ObjectRef = { readonly kind: string; readonly namespace: string; readonly name: string };

export function refOf(object: ConfigObject): ObjectRef {
  return { kind: object.kind, namespace: object.meta.namespace, name: object.meta.name };
}

/** `VirtualService shop/reviews`, or `Namespace shop` without a namespace. */
export function renderRef(ref: ObjectRef): string {
  return ref.namespace === '' ? `${ref.kind} ${ref.name}` : `${ref.kind} ${ref.namespace}/${ref.name}`;
}
