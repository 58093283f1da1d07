import type { z } from 'zod';
import type { Issue } from './issue.ts';
import { configMapSchema, type ConfigMapSpec } from './kubernetes/config-map.ts';
import { deploymentSchema, type DeploymentSpec } from './kubernetes/deployment.ts';
import { endpointSliceSchema, type EndpointSliceSpec, endpointsSchema, type EndpointsSpec } from './kubernetes/endpoints.ts';
import { namespaceSchema, type NamespaceSpec } from './kubernetes/namespace.ts';
import { nodeSchema, type NodeSpec } from './kubernetes/node.ts';
import { podSchema, type PodSpec } from './kubernetes/pod.ts';
import { secretSchema, type SecretSpec } from './kubernetes/secret.ts';
import { serviceAccountSchema, type ServiceAccountSpec } from './kubernetes/service-account.ts';
import { serviceSchema, type ServiceSpec } from './kubernetes/service.ts';
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

/** What validation reads of an object's metadata. The model's ObjectMeta fits. */
export type MetaForValidation = {
  readonly namespace: string;
  readonly name: string;
  readonly annotations: Readonly<Record<string, string>>;
};

/** A body that was read: `spec` is absent when an issue is an error. */
export type Parsed<T> = { readonly spec: T | undefined; readonly issues: readonly Issue[] };

export type Collection<K extends Kind = Kind> = {
  readonly kind: K;
  /** Empty for Kubernetes' core group. */
  readonly group: string;
  readonly plural: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  /** All that are accepted, the newest first. */
  readonly versions: readonly string[];
  readonly scope: 'namespaced' | 'cluster';
  readonly source: 'istio' | 'kubernetes';
  /** Reads a whole object as it came (`apiVersion`, `kind`, `metadata`, `spec` …). Paths of issues start at the object. */
  readonly parse: (object: unknown) => Parsed<SpecByKind[K]>;
  /** The rules that a schema cannot say. All problems at once. */
  readonly validate: (spec: SpecByKind[K], meta: MetaForValidation) => readonly Issue[];
};

export type Schema<K extends Kind> = z.ZodType<SpecByKind[K]>;
export const schemas: { readonly [K in Kind]: Schema<K> } = {
  VirtualService: virtualServiceSchema,
  DestinationRule: destinationRuleSchema,
  Gateway: gatewaySchema,
  ServiceEntry: serviceEntrySchema,
  WorkloadEntry: workloadEntrySchema,
  WorkloadGroup: workloadGroupSchema,
  Sidecar: sidecarSchema,
  EnvoyFilter: envoyFilterSchema,
  ProxyConfig: proxyConfigSchema,
  Namespace: namespaceSchema,
  Service: serviceSchema,
  EndpointSlice: endpointSliceSchema,
  Endpoints: endpointsSchema,
  Pod: podSchema,
  Deployment: deploymentSchema,
  Node: nodeSchema,
  ServiceAccount: serviceAccountSchema,
  Secret: secretSchema,
  ConfigMap: configMapSchema,
};
