import type { Cluster, Metadata } from '../../../gen/types.ts';
import type { Diagnostic } from '../../../model/diagnostic.ts';
import { outboundClusterName } from '../../../model/ids.ts';
import type { MeshDestinationRule } from '../../../model/mesh-snapshot.ts';
import type { Proxy } from '../../../model/proxy.ts';
import type { Endpoint, Service, ServicePort } from '../../../model/service.ts';
import { assignmentRef, type Built, type ClusterType, originOf, type Translated } from '../built.ts';
import { buildLoadAssignment, entryOrigins, selectEndpoints } from '../endpoint/assignment.ts';
import type { ClientPlace } from '../endpoint/place.ts';
import { buildCircuitBreakers, buildConnectionOptions, connectTimeout } from '../policy/connection-pool.ts';
import { type EffectivePolicy, effectivePolicy } from '../policy/effective-policy.ts';
import { buildProtocolOptions, upstreamHttp } from '../policy/http-protocol.ts';
import { buildLoadBalancing, providedByCluster } from '../policy/load-balancer.ts';
import { distributes, localityLbOf } from '../policy/locality-lb.ts';
import { buildOutlierDetection, panicThreshold } from '../policy/outlier-detection.ts';
import { configPath, istioMetadata, percent } from '../protobuf.ts';
import { type SecretType, secretRef } from '../secret/file-secret.ts';
import type { CredentialSite } from '../secret/find-part.ts';
import { checkCluster } from './checks.ts';
import type { ClusterDefaults } from './defaults.ts';
import { buildDiscovery, type Discovery, discoveryOf } from './discovery.ts';
import { buildStatName } from './stat-name.ts';
import { buildTransportFields, chooseTransport } from './transport.ts';

export type OutboundClusterInputs = {
  readonly service: Service;
  readonly port: ServicePort;
  readonly rule: MeshDestinationRule | undefined;
  /** The port's endpoints where Envoy resolves names itself; else they come as an assignment. */
  readonly dnsEndpoints: readonly Endpoint[] | undefined;
  /** With `dnsEndpoints`, and only where places matter (`clientLabelsOf`). */
  readonly client: ClientPlace | undefined;
  readonly defaults: ClusterDefaults;
  readonly kind: Proxy['kind'];
  /** The folder of the client's own certificates; empty where it has none. */
  readonly identityFolder: string;
  /** Whose the port's endpoints are (`accountsOf`), where a client with certificates asks. */
  readonly accounts: string;
  /** Whether all of the port's endpoints take mutual TLS, where endpoints cannot say so one by one. */
  readonly allTakeMutualTls: boolean;
  /** Whether some of the port's endpoints take nothing but mutual TLS, where a rule says something about TLS. */
  readonly isStrict: boolean;
  /** Whether policies keep some of the port's endpoints from mutual TLS, where a rule says something about TLS. */
  readonly isPlain: boolean;
  /** Where the rule names Secrets that the client is to use. */
  readonly credentials: CredentialSite | undefined;
};

export type OutboundClusters = Translated<ClusterType> & {
  /** What clients show, and whom they trust, from Secrets. */
  readonly secrets: readonly Built<SecretType>[];
};

/** The cluster of one port of a service, and one for each subset. */
export function buildOutboundClusters(inputs: OutboundClusterInputs): OutboundClusters {
  if (inputs.port.protocol === 'UDP') return { resources: [], secrets: [], diagnostics: [] };
  const beside: Beside = { diagnostics: [], secrets: [] };
  const resources = subsetNames(inputs.rule).map((subset) => buildOne(inputs, subset, beside));
  return { resources, ...beside };
}

/** What is found on the way. */
type Beside = { readonly diagnostics: Diagnostic[]; readonly secrets: Built<SecretType>[] };

/** The service as a whole is the subset without a name. Of subsets with one name the first counts. */
function subsetNames(rule: MeshDestinationRule | undefined): readonly string[] {
  return [...new Set(['', ...(rule?.subsets ?? []).map(({ spec }) => spec.name)])];
}

function buildOne(inputs: OutboundClusterInputs, subset: string, beside: Beside): Built<ClusterType> {
  const { service, port, rule, kind, defaults } = inputs;
  const name = outboundClusterName(port.port, subset, service.hostname);
  const policy = effectivePolicy(rule, port.port, subset);
  const pool = policy.connectionPool?.spec;
  const upgrade = defaults.upgradeHttp;
  const speaks = upstreamHttp({ protocol: port.protocol, pool, upgrade, sniffs: kind === 'sidecar' });
  const found = chooseDiscovery(inputs, policy, subset);
  const transport = chooseTransport({ ...inputs, subset, policy, speaks, discovery: found });
  const discovery = transport.kind === 'refused' ? 'nowhere' : found;
  beside.diagnostics.push(...checkCluster({ ...inputs, subset, policy, transport, discovery }));
  const fromHost = transport.kind === 'tls' ? transport.fromHost : undefined;
  const secrets = transport.kind === 'tls' ? (transport.credential?.secrets ?? []) : [];
  beside.secrets.push(...secrets);
  const message: Cluster = {
    ...buildEndpointFields({ ...inputs, subset, policy, discovery }, name),
    name,
    altStatName: buildStatName({ pattern: defaults.outboundStatName, service, port, subset }),
    connectTimeout: connectTimeout(pool, defaults.connectTimeoutMs),
    circuitBreakers: buildCircuitBreakers(pool, policy.retryBudget?.spec),
    outlierDetection: policy.outlierDetection && buildOutlierDetection(policy.outlierDetection.spec),
    upstreamConnectionOptions: buildConnectionOptions(pool, defaults.tcpKeepalive),
    typedExtensionProtocolOptions: buildProtocolOptions({ speaks, pool, fromHost }),
    ...(kind === 'proxyless' ? {} : buildTransportFields(transport, policy)),
    metadata: clusterMetadata(service, rule, subset),
  };
  return {
    type: 'envoy.config.cluster.v3.Cluster',
    name,
    message,
    needs: [...(discovery === 'eds' ? [assignmentRef(name)] : []), ...secrets.map((each) => secretRef(each.name))],
    origins: [...originsOf(service, rule, subset), ...entryOrigins(inputs.dnsEndpoints ?? [], rule, subset)],
  };
}

/** Envoy follows one name with DNS_ROUND_ROBIN; more endpoints, or none, it refuses there. */
function chooseDiscovery(inputs: OutboundClusterInputs, policy: EffectivePolicy, subset: string): Discovery {
  const { service, rule, kind } = inputs;
  const discovery = discoveryOf(service.resolution, policy.loadBalancer?.spec.simple, kind);
  if (discovery !== 'logical-dns' || kind === 'proxyless') return discovery;
  return selectEndpoints(inputs.dnsEndpoints ?? [], rule, subset).length === 1 ? 'logical-dns' : 'dns';
}

type EndpointFieldInputs = OutboundClusterInputs & {
  readonly subset: string;
  readonly policy: EffectivePolicy;
  readonly discovery: Discovery;
};

/** How endpoints are found and one of them is chosen. */
function buildEndpointFields(inputs: EndpointFieldInputs, name: string) {
  const { service, policy, discovery, kind, defaults } = inputs;
  const resolves = discovery === 'dns' || discovery === 'logical-dns';
  const endpoints = (inputs.dnsEndpoints ?? []).filter(({ address }) => !address.startsWith('unix:'));
  const assignment = resolves
    ? buildLoadAssignment({ ...inputs, endpoints, meshLocalityLb: defaults.localityLb }, name)
    : undefined;
  const ownBalancing = discovery === 'original-dst' || discovery === 'dynamic-dns';
  const byPlace = !ownBalancing && distributes(localityLbOf(policy, service, defaults.localityLb));
  return {
    ...buildDiscovery({ discovery, name, kind, assignment, dnsRefreshMs: defaults.dnsRefreshMs }),
    ...(ownBalancing ? providedByCluster : buildLoadBalancing(policy.loadBalancer?.spec, kind)),
    commonLbConfig: {
      healthyPanicThreshold: percent(panicThreshold(policy.outlierDetection?.spec)),
      ...(byPlace ? { localityWeightedLbConfig: {} } : {}),
    },
  };
}

function clusterMetadata(service: Service, rule: MeshDestinationRule | undefined, subset: string): Metadata {
  const object = rule?.subsets.find(({ spec }) => spec.name === subset)?.object ?? rule?.trafficPolicy?.object;
  const source = object ?? rule?.origins[0];
  return istioMetadata({
    config: source === undefined ? undefined : configPath(source),
    subset: subset === '' ? undefined : subset,
    services: [{ host: service.hostname, name: service.name, namespace: service.namespace }],
  });
}

function originsOf(
  service: Service,
  rule: MeshDestinationRule | undefined,
  subset: string,
): Built<ClusterType>['origins'] {
  const traced = [rule?.trafficPolicy, rule?.subsets.find(({ spec }) => spec.name === subset)];
  const own = traced.flatMap((part) => (part === undefined ? [] : [originOf(part.object, part.path)]));
  return [originOf(service.origin, 'spec'), ...own];
}
