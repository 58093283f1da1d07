import { credentialKeys } from '../../../apis/kubernetes/secret.ts';
import { type ObjectKey, objectKey } from '../../../model/ids.ts';
import { isRecord } from '../../is-record.ts';
import { readMeta } from '../read-meta.ts';
import type { SourceObject } from '../source.ts';

type Body = Readonly<Record<string, unknown>>;

/** `apiVersion` and `kind` as they are to be read: the items of a list do not say theirs. */
export type TypeOfBody = { readonly apiVersion: string; readonly kind: string };

/** What is kept of the body of a Kubernetes kind, in the shape its schema reads; the rest is dropped as it arrives. */
const keptOf: Readonly<Record<string, (body: Body) => Body>> = {
  Namespace: ({ status }) => ({ status: pick(status, ['phase']) }),
  Service: ({ spec, status }) => ({
    spec: without(spec, ['ipFamilies', 'ipFamilyPolicy', 'sessionAffinityConfig', 'healthCheckNodePort']),
    status: pick(status, ['loadBalancer']),
  }),
  EndpointSlice: ({ addressType, endpoints, ports }) => ({ addressType, endpoints, ports }),
  Pod: ({ spec, status }) => ({
    spec: {
      ...pick(spec, ['serviceAccountName', 'serviceAccount', 'nodeName', 'hostNetwork', 'hostname', 'subdomain']),
      containers: each(member(spec, 'containers'), ['name', 'ports']),
      initContainers: each(member(spec, 'initContainers'), ['name', 'ports', 'restartPolicy']),
    },
    status: {
      ...pick(status, ['phase', 'podIP', 'podIPs']),
      conditions: each(member(status, 'conditions'), ['type', 'status']),
    },
  }),
  Node: ({ spec, status }) => ({ spec: pick(spec, ['podCIDR', 'podCIDRs']), status: pick(status, ['addresses']) }),
  ConfigMap: ({ data }) => ({ data }),
  Secret: ({ type, data }) => ({ type, data: pick(data, credentialKeys) }),
};

const droppedAnnotations: readonly string[] = [
  // The whole object once more.
  'kubectl.kubernetes.io/last-applied-configuration',
];

/** The object as admission takes it, without what nobody reads. Nothing for an object without a name, nor for a Secret of no use. */
export function narrowObject(body: Body, { apiVersion, kind }: TypeOfBody): SourceObject | undefined {
  const metadata = isRecord(body['metadata']) ? body['metadata'] : {};
  const { namespace, name } = metadata;
  if (typeof name !== 'string' || (kind === 'Secret' && !isCredential(body, name))) return undefined;
  const full = readMeta(metadata, typeof namespace === 'string' ? namespace : '');
  const meta = { ...full, annotations: omit(full.annotations, droppedAnnotations) };
  const kept = keptOf[kind]?.(body) ?? istioBody(body);
  return {
    key: keyOf(body, kind),
    apiVersion,
    kind,
    meta,
    body: { apiVersion, kind, metadata: narrowMetadata(metadata, meta), ...kept },
    locate: undefined,
  };
}

export function keyOf(body: Body, kind: string): ObjectKey {
  const metadata = isRecord(body['metadata']) ? body['metadata'] : {};
  return objectKey(kind, textOf(metadata['namespace']), textOf(metadata['name']));
}

/** A Secret that a gateway could serve with. A pair of the control plane's own is nobody else's: one of them signs for everybody. */
function isCredential({ data }: Body, name: string): boolean {
  if (!isRecord(data)) return false;
  const has = (key: string): boolean => Object.hasOwn(data, key);
  const isOwn = ownPairs.includes(name) && (has('tls.key') || has('key'));
  return !isOwn && credentialKeys.some(has);
}

const ownPairs: readonly string[] = ['xebec-webhook-tls', 'cacerts', 'istio-ca-secret'];

/** An Istio kind is judged as a whole: what does not belong is to be told. */
function istioBody({ apiVersion: _, kind: __, metadata: ___, ...rest }: Body): Body {
  return rest;
}

type Meta = SourceObject['meta'];

function narrowMetadata(metadata: Body, { name, namespace, labels, annotations }: Meta): Body {
  return {
    name,
    ...(namespace === '' ? {} : { namespace }),
    labels,
    annotations,
    ...(Array.isArray(metadata['ownerReferences'])
      ? { ownerReferences: each(metadata['ownerReferences'], ['kind', 'name', 'controller']) }
      : {}),
  };
}

function pick(value: unknown, names: readonly string[]): Body {
  if (!isRecord(value)) return {};
  return Object.fromEntries(names.flatMap((name) => (value[name] === undefined ? [] : [[name, value[name]]])));
}

function without(value: unknown, names: readonly string[]): Body {
  return isRecord(value) ? omit(value, names) : {};
}

function omit<T>(record: Readonly<Record<string, T>>, names: readonly string[]): Readonly<Record<string, T>> {
  if (!names.some((name) => Object.hasOwn(record, name))) return record;
  return Object.fromEntries(Object.entries(record).filter(([name]) => !names.includes(name)));
}

function each(list: unknown, names: readonly string[]): readonly Body[] {
  return Array.isArray(list) ? list.map((item: unknown) => pick(item, names)) : [];
}

function member(value: unknown, name: string): unknown {
  return isRecord(value) ? value[name] : undefined;
}

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}
