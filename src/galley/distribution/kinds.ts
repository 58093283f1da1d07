import { type Collection, collections, type Kind } from '../../apis/collections.ts';
import type { ConfigSnapshot } from '../../model/config-snapshot.ts';

/** How the objects of one kind travel. */
export type DistributedKind = {
  readonly kind: Kind;
  /** The name of its collection in MCP; none for what MCP does not carry. */
  readonly collection: string | undefined;
  /** The types of MCP over xDS, `group/version/Kind`, the newest version first. All carry the same. */
  readonly typeUrls: readonly string[];
  /** The full name of the message that is the body. */
  readonly message: string;
};

const NETWORKING = 'istio.networking.v1alpha3';
const SECURITY = 'istio.security.v1beta1';
const POLICY = 'istio.policy.v1beta1';
const CLIENT = 'istio.mixer.v1.config.client';
const STRUCT = 'google.protobuf.Struct';

/** Collection and body of the kinds of Istio's groups. */
const istio: Readonly<Record<string, readonly [collection: string, message: string]>> = {
  DestinationRule: ['istio/networking/v1alpha3/destinationrules', `${NETWORKING}.DestinationRule`],
  EnvoyFilter: ['istio/networking/v1alpha3/envoyfilters', `${NETWORKING}.EnvoyFilter`],
  Gateway: ['istio/networking/v1alpha3/gateways', `${NETWORKING}.Gateway`],
  ServiceEntry: ['istio/networking/v1alpha3/serviceentries', `${NETWORKING}.ServiceEntry`],
  Sidecar: ['istio/networking/v1alpha3/sidecars', `${NETWORKING}.Sidecar`],
  VirtualService: ['istio/networking/v1alpha3/virtualservices', `${NETWORKING}.VirtualService`],
  WorkloadEntry: ['istio/networking/v1alpha3/workloadentries', `${NETWORKING}.WorkloadEntry`],
  WorkloadGroup: ['istio/networking/v1alpha3/workloadgroups', `${NETWORKING}.WorkloadGroup`],
  ProxyConfig: ['istio/networking/v1beta1/proxyconfigs', 'istio.networking.v1beta1.ProxyConfig'],
  AuthorizationPolicy: ['istio/security/v1beta1/authorizationpolicies', `${SECURITY}.AuthorizationPolicy`],
  PeerAuthentication: ['istio/security/v1beta1/peerauthentications', `${SECURITY}.PeerAuthentication`],
  RequestAuthentication: ['istio/security/v1beta1/requestauthentications', `${SECURITY}.RequestAuthentication`],
  MeshPolicy: ['istio/authentication/v1alpha1/meshpolicies', 'istio.authentication.v1alpha1.Policy'],
  Policy: ['istio/authentication/v1alpha1/policies', 'istio.authentication.v1alpha1.Policy'],
  ClusterRbacConfig: ['istio/rbac/v1alpha1/clusterrbacconfigs', 'istio.rbac.v1alpha1.RbacConfig'],
  RbacConfig: ['istio/rbac/v1alpha1/rbacconfigs', 'istio.rbac.v1alpha1.RbacConfig'],
  ServiceRole: ['istio/rbac/v1alpha1/serviceroles', 'istio.rbac.v1alpha1.ServiceRole'],
  ServiceRoleBinding: ['istio/rbac/v1alpha1/servicerolebindings', 'istio.rbac.v1alpha1.ServiceRoleBinding'],
  Telemetry: ['istio/telemetry/v1alpha1/telemetries', 'istio.telemetry.v1alpha1.Telemetry'],
  WasmPlugin: ['istio/extensions/v1alpha1/wasmplugins', 'istio.extensions.v1alpha1.WasmPlugin'],
  TrafficExtension: ['istio/extensions/v1alpha1/trafficextensions', 'istio.extensions.v1alpha1.TrafficExtension'],
  attributemanifest: ['istio/policy/v1beta1/attributemanifests', `${POLICY}.AttributeManifest`],
  handler: ['istio/policy/v1beta1/handlers', `${POLICY}.Handler`],
  instance: ['istio/policy/v1beta1/instances', `${POLICY}.Instance`],
  rule: ['istio/policy/v1beta1/rules', `${POLICY}.Rule`],
  adapter: ['istio/config/v1alpha2/adapters', 'istio.mixer.adapter.model.v1beta1.Info'],
  template: ['istio/config/v1alpha2/templates', 'istio.mixer.adapter.model.v1beta1.Template'],
  HTTPAPISpec: ['istio/config/v1alpha2/httpapispecs', `${CLIENT}.HTTPAPISpec`],
  HTTPAPISpecBinding: ['istio/config/v1alpha2/httpapispecbindings', `${CLIENT}.HTTPAPISpecBinding`],
  QuotaSpec: ['istio/mixer/v1/config/client/quotaspecs', `${CLIENT}.QuotaSpec`],
  QuotaSpecBinding: ['istio/mixer/v1/config/client/quotaspecbindings', `${CLIENT}.QuotaSpecBinding`],
};

/**
 * Kubernetes' own kinds that a Pilot without a Kubernetes API needs. Secrets are for those alone whose identity allows it, and
 * what the ConfigMap of the mesh says travels as MeshConfig.
 */
const kubernetes: ReadonlySet<Kind> = new Set<Kind>([
  'Namespace',
  'Service',
  'EndpointSlice',
  'Endpoints',
  'Pod',
  'Node',
  'Deployment',
  'ServiceAccount',
]);

/** Every kind that is distributed, by name. */
export const distributedKinds: readonly DistributedKind[] = Object.values(collections)
  .flatMap((collection: Collection) => distributed(collection) ?? [])
  .sort((a, b) => (a.kind < b.kind ? -1 : 1));

function distributed(collection: Collection): DistributedKind | undefined {
  const { kind, group, versions, source, plural } = collection;
  const typeUrls = versions.map((version) => typeUrlOf(group, version, kind));
  if (source === 'kubernetes') {
    return kubernetes.has(kind) ? { kind, collection: undefined, typeUrls, message: STRUCT } : undefined;
  }
  // What is not in the table is one of Mixer's kinds from before handlers and instances.
  const [name, message] = istio[kind] ?? [`istio/config/v1alpha2/legacy/${plural}`, STRUCT];
  return { kind, collection: name, typeUrls, message };
}

/** Istio writes `core` for Kubernetes' group without a name. */
function typeUrlOf(group: string, version: string, kind: string): string {
  return `${group === '' ? 'core' : group}/${version}/${kind}`;
}

/** The two collections that hold no objects but the mesh's own settings, or Kubernetes' messages. */
export const MESH_COLLECTION = 'istio/mesh/v1alpha1/MeshConfig';
export const SERVICES_COLLECTION = 'k8s/core/v1/services';
export const NAMESPACES_COLLECTION = 'k8s/core/v1/namespaces';
export const SYNTHETIC_COLLECTION = 'istio/networking/v1alpha3/synthetic/serviceentries';

/** A message of the mesh's own settings, of which there is one. It travels over xDS unwrapped, as from istiod. */
export type DistributedSettings = {
  readonly kind: 'MeshConfig' | 'MeshNetworks';
  readonly typeUrl: string;
  readonly message: string;
  readonly of: (snapshot: ConfigSnapshot) => object;
};

export const meshConfigSettings: DistributedSettings = {
  kind: 'MeshConfig',
  typeUrl: 'core/v1alpha1/MeshConfig',
  message: 'istio.mesh.v1alpha1.MeshConfig',
  of: ({ mesh }) => mesh,
};

export const meshNetworksSettings: DistributedSettings = {
  kind: 'MeshNetworks',
  typeUrl: 'core/v1alpha1/MeshNetworks',
  message: 'istio.mesh.v1alpha1.MeshNetworks',
  of: ({ networks }) => networks,
};

export const MCP_RESOURCE_TYPE = 'type.googleapis.com/istio.mcp.v1alpha1.Resource';
