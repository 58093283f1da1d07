import { type CollectionFacts, type CollectionOf, istioCollection, type PrinterColumn } from '../collection.ts';
import { withoutEffectYet } from '../rules/no-effect-yet.ts';
import { destinationRuleSchema } from './destination-rule.ts';
import { envoyFilterSchema } from './envoy-filter.ts';
import { gatewaySchema } from './gateway.ts';
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
} from './networking.ts';
import { proxyConfigSchema } from './proxy-config.ts';
import { serviceEntrySchema } from './service-entry.ts';
import { sidecarSchema } from './sidecar.ts';
import { validateDestinationRule } from './validate-destination-rule.ts';
import { validateEnvoyFilter } from './validate-envoy-filter.ts';
import { validateGateway } from './validate-gateway.ts';
import { validateProxyConfig } from './validate-proxy-config.ts';
import { validateServiceEntry } from './validate-service-entry.ts';
import { validateSidecar } from './validate-sidecar.ts';
import { validateVirtualService } from './validate-virtual-service.ts';
import { validateWorkloadEntry, validateWorkloadGroup } from './validate-workload.ts';
import { virtualServiceSchema } from './virtual-service.ts';
import { workloadEntrySchema } from './workload-entry.ts';
import { workloadGroupSchema } from './workload-group.ts';

/** What the body of each kind parses to. */
export type NetworkingSpecs = {
  readonly VirtualService: VirtualServiceSpec;
  readonly DestinationRule: DestinationRuleSpec;
  readonly Gateway: GatewaySpec;
  readonly ServiceEntry: ServiceEntrySpec;
  readonly WorkloadEntry: WorkloadEntrySpec;
  readonly WorkloadGroup: WorkloadGroupSpec;
  readonly Sidecar: SidecarSpec;
  readonly EnvoyFilter: EnvoyFilterSpec;
  readonly ProxyConfig: ProxyConfigSpec;
};

type Kind = keyof NetworkingSpecs;
type Facts<K extends Kind> = CollectionFacts<K, NetworkingSpecs[K]>;

function networking<K extends Kind>(
  kind: K,
  row: Pick<Facts<K>, 'plural' | 'schema' | 'validate'> & Partial<Facts<K>>,
): CollectionOf<K, NetworkingSpecs[K]> {
  return istioCollection({
    kind,
    group: 'networking.istio.io',
    shortNames: [],
    categories: ['istio-io', 'networking-istio-io'],
    columns: [],
    versions: ['v1', 'v1beta1', 'v1alpha3'],
    scope: 'namespaced',
    source: 'istio',
    ...row,
  });
}

function column(name: string, path: string, description: string): PrinterColumn {
  return { name, type: 'string', jsonPath: `.spec.${path}`, description };
}

/** The kinds of `networking.istio.io`. */
export const networkingKinds: { readonly [K in Kind]: CollectionOf<K, NetworkingSpecs[K]> } = {
  VirtualService: networking('VirtualService', {
    plural: 'virtualservices',
    shortNames: ['vs'],
    columns: [
      column('Gateways', 'gateways', 'Where the routes are: gateways, or mesh for sidecars'),
      column('Hosts', 'hosts', 'The hosts whose traffic is routed'),
    ],
    schema: virtualServiceSchema,
    validate: validateVirtualService,
  }),
  DestinationRule: networking('DestinationRule', {
    plural: 'destinationrules',
    shortNames: ['dr'],
    columns: [column('Host', 'host', 'The service whose traffic the policy is for')],
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
    columns: [
      column('Hosts', 'hosts', 'The hosts that the entry adds to the mesh'),
      column('Location', 'location', 'Whether the service is in the mesh (MESH_INTERNAL) or not (MESH_EXTERNAL)'),
      column('Resolution', 'resolution', 'How the addresses of the service are found'),
    ],
    schema: serviceEntrySchema,
    validate: validateServiceEntry,
  }),
  WorkloadEntry: networking('WorkloadEntry', {
    plural: 'workloadentries',
    shortNames: ['we'],
    columns: [column('Address', 'address', 'Where the workload is')],
    schema: workloadEntrySchema,
    validate: validateWorkloadEntry,
  }),
  WorkloadGroup: networking('WorkloadGroup', {
    plural: 'workloadgroups',
    shortNames: ['wg'],
    schema: workloadGroupSchema,
    validate: withoutEffectYet(validateWorkloadGroup),
  }),
  Sidecar: networking('Sidecar', { plural: 'sidecars', schema: sidecarSchema, validate: validateSidecar }),
  EnvoyFilter: networking('EnvoyFilter', {
    plural: 'envoyfilters',
    versions: ['v1alpha3'],
    schema: envoyFilterSchema,
    validate: withoutEffectYet(validateEnvoyFilter),
  }),
  ProxyConfig: networking('ProxyConfig', {
    plural: 'proxyconfigs',
    versions: ['v1beta1'],
    schema: proxyConfigSchema,
    validate: withoutEffectYet(validateProxyConfig),
  }),
};
