import { type CollectionFacts, type CollectionOf, istioCollection, kubernetesCollection } from './collection.ts';
import type { Issue } from './issue.ts';
import { type ConfigMapSpec, configMapSchema } from './kubernetes/config-map.ts';
import { type DeploymentSpec, deploymentSchema } from './kubernetes/deployment.ts';
import {
  type EndpointSliceSpec,
  type EndpointsSpec,
  endpointSliceSchema,
  endpointsSchema,
} from './kubernetes/endpoints.ts';
import { type NamespaceSpec, namespaceSchema } from './kubernetes/namespace.ts';
import { type NodeSpec, nodeSchema } from './kubernetes/node.ts';
import { type PodSpec, podSchema } from './kubernetes/pod.ts';
import { type SecretSpec, secretSchema } from './kubernetes/secret.ts';
import { type ServiceSpec, serviceSchema } from './kubernetes/service.ts';
import { type ServiceAccountSpec, serviceAccountSchema } from './kubernetes/service-account.ts';
import { destinationRuleSchema } from './networking/destination-rule.ts';
import { envoyFilterSchema } from './networking/envoy-filter.ts';
import { gatewaySchema } from './networking/gateway.ts';
import type {
  DestinationRuleSpec,
  EnvoyFilterSpec,
  GatewaySpec,
  ProxyConfigSpec,
  ServiceEntrySpec,
  SidecarSpec,
  VirtualServiceSpec,
  WorkloadEntrySpec,
  WorkloadGroupSpec,
} from './networking/networking.ts';
import { proxyConfigSchema } from './networking/proxy-config.ts';
import { serviceEntrySchema } from './networking/service-entry.ts';
import { sidecarSchema } from './networking/sidecar.ts';
import { validateDestinationRule } from './networking/validate-destination-rule.ts';
import { validateEnvoyFilter } from './networking/validate-envoy-filter.ts';
import { validateGateway } from './networking/validate-gateway.ts';
import { validateProxyConfig } from './networking/validate-proxy-config.ts';
import { validateServiceEntry } from './networking/validate-service-entry.ts';
import { validateSidecar } from './networking/validate-sidecar.ts';
import { validateVirtualService } from './networking/validate-virtual-service.ts';
import { validateWorkloadEntry, validateWorkloadGroup } from './networking/validate-workload.ts';
import { virtualServiceSchema } from './networking/virtual-service.ts';
import { workloadEntrySchema } from './networking/workload-entry.ts';
import { workloadGroupSchema } from './networking/workload-group.ts';

/** What the body of each kind parses to. Kubernetes kinds are flat records of what xebec reads. */
export type SpecByKind = {
  readonly VirtualService: VirtualServiceSpec;
  readonly DestinationRule: DestinationRuleSpec;
  readonly Gateway: GatewaySpec;
  readonly ServiceEntry: ServiceEntrySpec;
  readonly WorkloadEntry: WorkloadEntrySpec;
  readonly WorkloadGroup: WorkloadGroupSpec;
  readonly Sidecar: SidecarSpec;
  readonly EnvoyFilter: EnvoyFilterSpec;
  readonly ProxyConfig: ProxyConfigSpec;
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

export type Kind = keyof SpecByKind;

/** What is known about one kind; of an unknown one, about some kind. */
export type Collection<K extends Kind = Kind> = CollectionOf<K, SpecByKind[K]>;

type Row<K extends Kind> = Pick<CollectionFacts<K, SpecByKind[K]>, 'plural' | 'schema' | 'validate'> &
  Partial<CollectionFacts<K, SpecByKind[K]>>;

function networking<K extends Kind>(kind: K, row: Row<K>): Collection<K> {
  return istioCollection({
    kind,
    group: 'networking.istio.io',
    shortNames: [],
    categories: ['istio-io', 'networking-istio-io'],
    versions: ['v1', 'v1beta1', 'v1alpha3'],
    scope: 'namespaced',
    source: 'istio',
    ...row,
  });
}

function kubernetes<K extends Kind>(kind: K, row: Omit<Row<K>, 'validate'>): Collection<K> {
  return kubernetesCollection({
    kind,
    group: '',
    shortNames: [],
    categories: [],
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

/** Every kind xebec reads. A new kind is one row here and one file beside its kin. */
export const collections: { readonly [K in Kind]: Collection<K> } = {
  VirtualService: networking('VirtualService', {
    plural: 'virtualservices',
    shortNames: ['vs'],
    schema: virtualServiceSchema,
    validate: validateVirtualService,
  }),
  DestinationRule: networking('DestinationRule', {
    plural: 'destinationrules',
    shortNames: ['dr'],
    schema: destinationRuleSchema,
    validate: validateDestinationRule,
  }),
  Gateway: networking('Gateway', {
    plural: 'gateways',
    shortNames: ['gw'],
    schema: gatewaySchema,
    validate: validateGateway,
  }),
  ServiceEntry: networking('ServiceEntry', {
    plural: 'serviceentries',
    shortNames: ['se'],
    schema: serviceEntrySchema,
    validate: validateServiceEntry,
  }),
  WorkloadEntry: networking('WorkloadEntry', {
    plural: 'workloadentries',
    shortNames: ['we'],
    schema: workloadEntrySchema,
    validate: validateWorkloadEntry,
  }),
  WorkloadGroup: networking('WorkloadGroup', {
    plural: 'workloadgroups',
    shortNames: ['wg'],
    schema: workloadGroupSchema,
    validate: validateWorkloadGroup,
  }),
  Sidecar: networking('Sidecar', { plural: 'sidecars', schema: sidecarSchema, validate: validateSidecar }),
  EnvoyFilter: networking('EnvoyFilter', {
    plural: 'envoyfilters',
    versions: ['v1alpha3'],
    schema: envoyFilterSchema,
    validate: validateEnvoyFilter,
  }),
  ProxyConfig: networking('ProxyConfig', {
    plural: 'proxyconfigs',
    versions: ['v1beta1'],
    schema: proxyConfigSchema,
    validate: validateProxyConfig,
  }),
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
