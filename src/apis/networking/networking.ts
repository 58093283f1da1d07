import type { Spec } from '../schema/spec.ts';
import type { destinationRuleSchema, subsetSchema } from './destination-rule.ts';
import type {
  classicFilterSchema,
  envoyConfigPatchSchema,
  envoyFilterSchema,
  envoyPatchSchema,
} from './envoy-filter.ts';
import type {
  clusterMatchSchema,
  envoyConfigMatchSchema,
  listenerMatchSchema,
  routeConfigurationMatchSchema,
} from './envoy-filter-match.ts';
import type { gatewaySchema, gatewayServerSchema } from './gateway.ts';
import type { httpMatchRequestSchema, stringMatchSchema } from './http-match.ts';
import type {
  corsPolicySchema,
  headersSchema,
  httpDirectResponseSchema,
  httpFaultSchema,
  httpMirrorSchema,
  httpRedirectSchema,
  httpRetrySchema,
  httpRewriteSchema,
  httpRouteDestinationSchema,
  httpRouteSchema,
} from './http-route.ts';
import type { proxyConfigSchema } from './proxy-config.ts';
import type { serviceEntrySchema } from './service-entry.ts';
import type {
  destinationSchema,
  percentSchema,
  portSchema,
  serverTlsSchema,
  workloadLabelSelectorSchema,
  workloadSelectorSchema,
} from './shared.ts';
import type {
  egressListenerSchema,
  ingressListenerSchema,
  outboundTrafficPolicySchema,
  sidecarSchema,
} from './sidecar.ts';
import type {
  clientTlsSchema,
  connectionPoolSchema,
  consistentHashSchema,
  loadBalancerSchema,
  localityLbSettingSchema,
  outlierDetectionSchema,
  portTrafficPolicySchema,
  tcpKeepaliveSchema,
  trafficPolicySchema,
} from './traffic-policy.ts';
import type {
  l4MatchSchema,
  routeDestinationSchema,
  tcpRouteSchema,
  tlsMatchSchema,
  tlsRouteSchema,
  virtualServiceSchema,
} from './virtual-service.ts';
import type { workloadEntrySchema } from './workload-entry.ts';
import type { readinessProbeSchema, workloadGroupSchema } from './workload-group.ts';

// The kinds of networking.istio.io as the rest of xebec sees them: what the schemas beside this file parse to.

export type VirtualServiceSpec = Spec<typeof virtualServiceSchema>;
export type HttpRoute = Spec<typeof httpRouteSchema>;
export type HttpMatchRequest = Spec<typeof httpMatchRequestSchema>;
export type StringMatch = Spec<typeof stringMatchSchema>;
export type HttpRouteDestination = Spec<typeof httpRouteDestinationSchema>;
export type HttpRedirect = Spec<typeof httpRedirectSchema>;
export type HttpDirectResponse = Spec<typeof httpDirectResponseSchema>;
export type HttpRewrite = Spec<typeof httpRewriteSchema>;
export type HttpRetry = Spec<typeof httpRetrySchema>;
export type HttpFault = Spec<typeof httpFaultSchema>;
export type HttpMirror = Spec<typeof httpMirrorSchema>;
export type CorsPolicy = Spec<typeof corsPolicySchema>;
/** `headers.request` and `headers.response`, each with set, add and remove. */
export type Headers = Spec<typeof headersSchema>;
export type TlsRoute = Spec<typeof tlsRouteSchema>;
export type TcpRoute = Spec<typeof tcpRouteSchema>;
export type TlsMatch = Spec<typeof tlsMatchSchema>;
export type L4Match = Spec<typeof l4MatchSchema>;
/** Where a TLS or TCP route leads. */
export type RouteDestination = Spec<typeof routeDestinationSchema>;
export type Destination = Spec<typeof destinationSchema>;
export type Percent = Spec<typeof percentSchema>;

export type DestinationRuleSpec = Spec<typeof destinationRuleSchema>;
export type Subset = Spec<typeof subsetSchema>;
export type TrafficPolicy = Spec<typeof trafficPolicySchema>;
export type PortTrafficPolicy = Spec<typeof portTrafficPolicySchema>;
export type LoadBalancer = Spec<typeof loadBalancerSchema>;
export type ConsistentHash = Spec<typeof consistentHashSchema>;
export type LocalityLbSetting = Spec<typeof localityLbSettingSchema>;
export type ConnectionPool = Spec<typeof connectionPoolSchema>;
export type TcpKeepalive = Spec<typeof tcpKeepaliveSchema>;
export type OutlierDetection = Spec<typeof outlierDetectionSchema>;
export type ClientTls = Spec<typeof clientTlsSchema>;

export type GatewaySpec = Spec<typeof gatewaySchema>;
export type GatewayServer = Spec<typeof gatewayServerSchema>;
export type ServerTls = Spec<typeof serverTlsSchema>;
export type Port = Spec<typeof portSchema>;

export type ServiceEntrySpec = Spec<typeof serviceEntrySchema>;
export type WorkloadEntrySpec = Spec<typeof workloadEntrySchema>;
export type WorkloadGroupSpec = Spec<typeof workloadGroupSchema>;
export type ReadinessProbe = Spec<typeof readinessProbeSchema>;

export type SidecarSpec = Spec<typeof sidecarSchema>;
export type IngressListener = Spec<typeof ingressListenerSchema>;
export type EgressListener = Spec<typeof egressListenerSchema>;
export type OutboundTrafficPolicy = Spec<typeof outboundTrafficPolicySchema>;

export type EnvoyFilterSpec = Spec<typeof envoyFilterSchema>;
export type EnvoyConfigPatch = Spec<typeof envoyConfigPatchSchema>;
export type EnvoyPatch = Spec<typeof envoyPatchSchema>;
export type EnvoyConfigMatch = Spec<typeof envoyConfigMatchSchema>;
export type ListenerMatch = Spec<typeof listenerMatchSchema>;
export type RouteConfigurationMatch = Spec<typeof routeConfigurationMatchSchema>;
export type ClusterMatch = Spec<typeof clusterMatchSchema>;
export type ClassicFilter = Spec<typeof classicFilterSchema>;

export type ProxyConfigSpec = Spec<typeof proxyConfigSchema>;

/** A DestinationRule's or ProxyConfig's selector: `matchLabels`. */
export type WorkloadSelector = Spec<typeof workloadSelectorSchema>;
/** A Sidecar's, ServiceEntry's or EnvoyFilter's selector: `labels`. */
export type WorkloadLabelSelector = Spec<typeof workloadLabelSelectorSchema>;
