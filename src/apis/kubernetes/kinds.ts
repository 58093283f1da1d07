import { type CollectionFacts, type CollectionOf, kubernetesCollection } from '../collection.ts';
import type { Issue } from '../issue.ts';
import { type ConfigMapSpec, configMapSchema } from './config-map.ts';
import { type DeploymentSpec, deploymentSchema } from './deployment.ts';
import { type EndpointSliceSpec, type EndpointsSpec, endpointSliceSchema, endpointsSchema } from './endpoints.ts';
import { type NamespaceSpec, namespaceSchema } from './namespace.ts';
import { type NodeSpec, nodeSchema } from './node.ts';
import { type PodSpec, podSchema } from './pod.ts';
import { type SecretSpec, secretSchema } from './secret.ts';
import { type ServiceSpec, serviceSchema } from './service.ts';
import { type ServiceAccountSpec, serviceAccountSchema } from './service-account.ts';

/** Flat records of what xebec reads. */
export type KubernetesSpecs = {
  readonly Namespace: NamespaceSpec;
  readonly Service: ServiceSpec;
  readonly EndpointSlice: EndpointSliceSpec;
  readonly Endpoints: EndpointsSpec;
  readonly Pod: PodSpec;
  readonly Deployment: DeploymentSpec;
  readonly Node: NodeSpec;
  readonly ServiceAccount: ServiceAccountSpec;
  readonly Secret: SecretSpec;
  readonly ConfigMap: ConfigMapSpec;
};

type Kind = keyof KubernetesSpecs;
type Facts<K extends Kind> = CollectionFacts<K, KubernetesSpecs[K]>;

function kubernetes<K extends Kind>(
  kind: K,
  row: Pick<Facts<K>, 'plural' | 'schema'> & Partial<Facts<K>>,
): CollectionOf<K, KubernetesSpecs[K]> {
  return kubernetesCollection({
    kind,
    group: '',
    shortNames: [],
    categories: [],
    columns: [],
    versions: ['v1'],
    scope: 'namespaced',
    source: 'kubernetes',
    ...row,
    validate: trusted,
  });
}

/** The API server has judged it. */
function trusted(): readonly Issue[] {
  return [];
}

/** The kinds of Kubernetes itself that xebec reads. */
export const kubernetesKinds: { readonly [K in Kind]: CollectionOf<K, KubernetesSpecs[K]> } = {
  Namespace: kubernetes('Namespace', {
    plural: 'namespaces',
    shortNames: ['ns'],
    scope: 'cluster',
    schema: namespaceSchema,
  }),
  Service: kubernetes('Service', { plural: 'services', shortNames: ['svc'], schema: serviceSchema }),
  EndpointSlice: kubernetes('EndpointSlice', {
    group: 'discovery.k8s.io',
    plural: 'endpointslices',
    schema: endpointSliceSchema,
  }),
  Endpoints: kubernetes('Endpoints', { plural: 'endpoints', shortNames: ['ep'], schema: endpointsSchema }),
  Pod: kubernetes('Pod', { plural: 'pods', shortNames: ['po'], schema: podSchema }),
  Deployment: kubernetes('Deployment', {
    group: 'apps',
    plural: 'deployments',
    shortNames: ['deploy'],
    schema: deploymentSchema,
  }),
  Node: kubernetes('Node', { plural: 'nodes', shortNames: ['no'], scope: 'cluster', schema: nodeSchema }),
  ServiceAccount: kubernetes('ServiceAccount', {
    plural: 'serviceaccounts',
    shortNames: ['sa'],
    schema: serviceAccountSchema,
  }),
  Secret: kubernetes('Secret', { plural: 'secrets', schema: secretSchema }),
  ConfigMap: kubernetes('ConfigMap', { plural: 'configmaps', shortNames: ['cm'], schema: configMapSchema }),
};
