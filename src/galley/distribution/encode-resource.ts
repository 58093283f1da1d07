import { createHash } from 'node:crypto';
import { millisOf } from '../../apis/duration.ts';
import { encodeMessage } from '../../gen/codec.ts';
import { type IstioCodec, loadIstioCodec } from '../../gen/istio.ts';
import type { ObjectMeta } from '../../model/object.ts';

/** One object as it travels: encoded once, shared by everybody who gets it. */
export type DistributedResource = {
  /** `namespace/name`, or the name alone. */
  readonly name: string;
  /** A hash of the content: two resources of one name and version are the same. */
  readonly version: string;
  /** An encoded `istio.mcp.v1alpha1.Resource`. */
  readonly bytes: Uint8Array;
  readonly object: { readonly kind: string; readonly namespace: string; readonly name: string };
};

/** The codec of Istio's messages, which takes durations as they are written in YAML. */
export function loadSpecCodec(): Promise<IstioCodec> {
  return loadIstioCodec(canonicalDuration);
}

/** `90s` for `1m30s`; nothing finer than a nanosecond. */
export function canonicalDuration(text: string): string {
  const nanos = BigInt(Math.round(millisOf(text) * 1e6));
  const size = nanos < 0n ? -nanos : nanos;
  const fraction = size % 1_000_000_000n;
  const digits = fraction === 0n ? '' : `.${String(fraction).padStart(9, '0').replace(/0+$/, '')}`;
  return `${nanos < 0n ? '-' : ''}${size / 1_000_000_000n}${digits}s`;
}

/**
 * MCP has no fields for these, and whoever counts what proxies have of an object must know which it is. An object's
 * resourceVersion is not among them: replicas may hold it at different ones.
 */
export const GENERATION_ANNOTATION = 'distribution.xebec.dev/generation';
export const UID_ANNOTATION = 'distribution.xebec.dev/uid';

/** Whoever gets an object needs no second copy of it. */
const LAST_APPLIED = 'kubectl.kubernetes.io/last-applied-configuration';

/** What of an object travels beside its body. */
export type Travelling = {
  readonly kind: string;
  readonly meta: Pick<ObjectMeta, 'namespace' | 'name' | 'labels' | 'annotations' | 'createdAt'> &
    Partial<Pick<ObjectMeta, 'uid' | 'generation'>>;
};

type Body = { readonly message: string; readonly json: unknown };

/** Throws where the body has something that the message cannot say. */
export function encodeObject(codec: IstioCodec, object: Travelling, { message, json }: Body): DistributedResource {
  const { kind, meta } = object;
  const { namespace, name, createdAt } = meta;
  const body = { type_url: `type.googleapis.com/${message}`, value: codec.encode(message, json) };
  const metadata = {
    name: qualifiedName(meta),
    ...(createdAt === undefined ? {} : { createTime: timestampOf(createdAt) }),
    labels: meta.labels,
    annotations: annotationsOf(meta),
  };
  const version = hashOf(encodeMessage('istio.mcp.v1alpha1.Resource', { metadata, body }));
  const bytes = encodeMessage('istio.mcp.v1alpha1.Resource', { metadata: { ...metadata, version }, body });
  return { name: metadata.name, version, bytes, object: { kind, namespace, name } };
}

function annotationsOf({ annotations, uid, generation }: Travelling['meta']): Readonly<Record<string, string>> {
  return {
    ...Object.fromEntries(Object.entries(annotations).filter(([key]) => key !== LAST_APPLIED)),
    ...(generation === undefined ? {} : { [GENERATION_ANNOTATION]: String(generation) }),
    ...(uid === undefined ? {} : { [UID_ANNOTATION]: uid }),
  };
}

export function qualifiedName({ namespace, name }: Pick<ObjectMeta, 'namespace' | 'name'>): string {
  return namespace === '' ? name : `${namespace}/${name}`;
}

function timestampOf(millis: number): { readonly seconds: number; readonly nanos: number } {
  const seconds = Math.floor(millis / 1000);
  return { seconds, nanos: Math.round((millis - seconds * 1000) * 1e6) };
}

function hashOf(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('base64url').slice(0, 16);
}
