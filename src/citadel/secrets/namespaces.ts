import type { KubeObject } from '../../kube/api.ts';
import { asRecord, nameOf, textIn } from '../../kube/json.ts';

/** What of a namespace decides who gets an identity, or the roots, in it. */
export type NamespaceFacts = {
  readonly name: string;
  /** Nothing can be created in it any more. */
  readonly isTerminating: boolean;
  readonly labels: Readonly<Record<MeshLabel, string | undefined>>;
};

/** Which namespaces are Citadel's. */
export type NamespaceRules = {
  /** Where xebec runs. */
  readonly ownNamespace: string;
  /** Only these, whatever their labels say; none means all. */
  readonly listened: readonly string[];
  /** Whether a namespace without labels is managed. */
  readonly enabledByDefault: boolean;
};

const meshLabels = ['ca.istio.io/override', 'ca.istio.io/env', 'istio-injection', 'istio.io/rev'] as const;
type MeshLabel = (typeof meshLabels)[number];

export function readNamespace(object: KubeObject): NamespaceFacts {
  const metadata = asRecord(object['metadata']);
  const labels = asRecord(metadata['labels']);
  const told = (label: MeshLabel): string | undefined => {
    const value = labels[label];
    return typeof value === 'string' ? value : undefined;
  };
  return {
    name: nameOf(object).name,
    isTerminating: textIn(metadata, 'deletionTimestamp') !== '',
    labels: {
      'ca.istio.io/override': told('ca.istio.io/override'),
      'ca.istio.io/env': told('ca.istio.io/env'),
      'istio-injection': told('istio-injection'),
      'istio.io/rev': told('istio.io/rev'),
    },
  };
}

export function sameNamespace(one: NamespaceFacts, other: NamespaceFacts | undefined): boolean {
  return (
    other !== undefined &&
    one.isTerminating === other.isTerminating &&
    meshLabels.every((label) => one.labels[label] === other.labels[label])
  );
}

type NamespaceCheck = (namespace: NamespaceFacts, rules: NamespaceRules) => boolean | undefined;

/** The first that has a say decides. */
const managing: readonly NamespaceCheck[] = [listenedTo, overridden, ofEnvironment, byDefault];

/** Whether the accounts of a namespace get identities. */
export function isManaged(namespace: NamespaceFacts, rules: NamespaceRules): boolean {
  return managing.map((check) => check(namespace, rules)).find((verdict) => verdict !== undefined) ?? false;
}

function listenedTo({ name }: NamespaceFacts, { listened }: NamespaceRules): boolean | undefined {
  return listened.length === 0 ? undefined : listened.includes(name);
}

function overridden({ labels }: NamespaceFacts): boolean | undefined {
  return readBoolean(labels['ca.istio.io/override']);
}

/** Several control planes can share a cluster: each has the namespaces that name it. */
function ofEnvironment({ labels }: NamespaceFacts, { ownNamespace }: NamespaceRules): boolean | undefined {
  const environment = labels['ca.istio.io/env'];
  return environment === undefined ? undefined : environment === ownNamespace;
}

function byDefault(_: NamespaceFacts, { enabledByDefault }: NamespaceRules): boolean {
  return enabledByDefault;
}

/** Namespaces of Kubernetes itself, in which no workload of a mesh runs. */
const withoutWorkloads: ReadonlySet<string> = new Set(['kube-public', 'kube-node-lease', 'local-path-storage']);

/**
 * Whether a namespace gets the roots. Ours always does; that of Kubernetes' own parts when its labels say that it has proxies; one of
 * another control plane has that one's roots.
 */
export function getsRoots(namespace: NamespaceFacts, rules: NamespaceRules): boolean {
  const { name, isTerminating, labels } = namespace;
  const { listened, ownNamespace } = rules;
  if (isTerminating) return false;
  if (name === ownNamespace) return true;
  if (withoutWorkloads.has(name) || ofEnvironment(namespace, rules) === false) return false;
  if (listened.length > 0) return listened.includes(name);
  if (name !== 'kube-system') return true;
  const isInjected = labels['istio-injection'] === 'enabled' || labels['istio.io/rev'] !== undefined;
  return isInjected || readBoolean(labels['ca.istio.io/override']) === true;
}

/** The words that Citadel took for true and false. */
function readBoolean(text: string | undefined): boolean | undefined {
  if (text === undefined) return undefined;
  if (['1', 't', 'T', 'true', 'TRUE', 'True'].includes(text)) return true;
  return ['0', 'f', 'F', 'false', 'FALSE', 'False'].includes(text) ? false : undefined;
}
