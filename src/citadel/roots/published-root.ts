import { createHash } from 'node:crypto';
import type { KubeObject, ResourceType } from '../../kube/api.ts';
import { asRecord, nameOf, resourceVersionOf, textIn } from '../../kube/json.ts';
import { getsRoots, type NamespaceFacts, type NamespaceRules } from '../secrets/namespaces.ts';

export const configMapType: ResourceType = { group: '', version: 'v1', plural: 'configmaps' };

/** A ConfigMap that tells the roots of the mesh. */
export type Publication = {
  readonly name: string;
  readonly key: string;
  readonly labels: Readonly<Record<string, string>>;
  /** The only namespace that has it; undefined for one in each. */
  readonly only: string | undefined;
  readonly isWanted: (namespace: NamespaceFacts, rules: NamespaceRules) => boolean;
  /** What is said of the roots, which are PEM. */
  readonly encode: (roots: string) => string;
};

/** All there are: today's, for whoever mounts it, and that of classic Citadel. */
export function publications(ownNamespace: string): readonly Publication[] {
  return [
    {
      name: 'istio-ca-root-cert',
      key: 'root-cert.pem',
      labels: { 'istio.io/config': 'true' },
      only: undefined,
      isWanted: getsRoots,
      encode: (roots) => roots,
    },
    {
      name: 'istio-security',
      key: 'caTLSRootCert',
      labels: {},
      only: ownNamespace,
      isWanted: ({ name, isTerminating }) => name === ownNamespace && !isTerminating,
      encode: (roots) => Buffer.from(roots).toString('base64'),
    },
  ];
}

/** What is kept of a ConfigMap: enough to know whether it says the right thing. */
export type PublishedRoot = {
  readonly namespace: string;
  readonly version: string;
  readonly uid: string;
  readonly hash: string;
  readonly isImmutable: boolean;
};

export function readPublished(object: KubeObject, { key }: Publication): PublishedRoot {
  return {
    namespace: nameOf(object).namespace,
    version: resourceVersionOf(object),
    uid: textIn(asRecord(object['metadata']), 'uid'),
    hash: hashOf(textIn(asRecord(object['data']), key)),
    isImmutable: object['immutable'] === true,
  };
}

/** Whether nothing is to be done about it. */
export function saysRoots(published: PublishedRoot, publication: Publication, roots: string): boolean {
  return !published.isImmutable && published.hash === hashOf(publication.encode(roots));
}

/** The ConfigMap as it should be. Whoever applies it names the version that is meant. */
export function buildConfigMap(
  { name, key, labels, encode }: Publication,
  {
    namespace,
    roots,
    over,
  }: { readonly namespace: string; readonly roots: string; readonly over: PublishedRoot | undefined },
): KubeObject {
  const lock = over === undefined ? {} : { uid: over.uid, resourceVersion: over.version };
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name, namespace, labels, ...lock },
    data: { [key]: encode(roots) },
  };
}

function hashOf(text: string): string {
  return createHash('sha256').update(text).digest('base64');
}
