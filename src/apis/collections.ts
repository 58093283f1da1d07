import type { CollectionOf } from './collection.ts';
import { type KubernetesSpecs, kubernetesKinds } from './kubernetes/kinds.ts';
import { type MixerSpecs, mixerKinds } from './mixer/kinds.ts';
import { type NetworkingSpecs, networkingKinds } from './networking/kinds.ts';
import { type ObservabilitySpecs, observabilityKinds } from './observability/kinds.ts';
import { type SecuritySpecs, securityKinds } from './security/kinds.ts';

/** What the body of each kind parses to. Kubernetes kinds are flat records of what xebec reads. */
export type SpecByKind = NetworkingSpecs & SecuritySpecs & MixerSpecs & ObservabilitySpecs & KubernetesSpecs;

export type Kind = keyof SpecByKind;

/** What is known about one kind; of an unknown one, about some kind. */
export type Collection<K extends Kind = Kind> = CollectionOf<K, SpecByKind[K]>;

/** Every kind xebec reads. A new kind is one row in its group's list and one file beside its kin. */
export const collections: { readonly [K in Kind]: Collection<K> } = {
  ...networkingKinds,
  ...securityKinds,
  ...mixerKinds,
  ...observabilityKinds,
  ...kubernetesKinds,
};

const byApiVersionAndKind: ReadonlyMap<string, Collection> = new Map(
  Object.values(collections).flatMap((collection: Collection) =>
    apiVersionsOf(collection).map((apiVersion) => [`${apiVersion} ${collection.kind}`, collection] as const),
  ),
);

/** The collection of `networking.istio.io/v1` `VirtualService`; nothing for what xebec does not read. */
export function collectionFor(apiVersion: string, kind: string): Collection | undefined {
  return byApiVersionAndKind.get(`${apiVersion} ${kind}`);
}

/** `group/version` of every version a kind is read in, the newest first. */
export function apiVersionsOf({ group, versions }: Pick<Collection, 'group' | 'versions'>): readonly string[] {
  return versions.map((version) => (group === '' ? version : `${group}/${version}`));
}
