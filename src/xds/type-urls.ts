/** The types whose order on the wire matters. Any other type URL is served too, in no particular order. */
export const TypeUrls = {
  cluster: 'type.googleapis.com/envoy.config.cluster.v3.Cluster',
  endpoint: 'type.googleapis.com/envoy.config.endpoint.v3.ClusterLoadAssignment',
  listener: 'type.googleapis.com/envoy.config.listener.v3.Listener',
  route: 'type.googleapis.com/envoy.config.route.v3.RouteConfiguration',
  secret: 'type.googleapis.com/envoy.extensions.transport_sockets.tls.v3.Secret',
  extensionConfig: 'type.googleapis.com/envoy.config.core.v3.TypedExtensionConfig',
  virtualHost: 'type.googleapis.com/envoy.config.route.v3.VirtualHost',
  runtime: 'type.googleapis.com/envoy.service.runtime.v3.Runtime',
} as const;

/** Additions go out in this order when several types have some at once. */
const PUSH_ORDER: readonly string[] = [
  TypeUrls.cluster,
  TypeUrls.endpoint,
  TypeUrls.listener,
  TypeUrls.route,
  TypeUrls.secret,
];

/** Removals go out the other way: first what names, then what is named. */
const REMOVAL_ORDER: readonly string[] = [TypeUrls.listener, TypeUrls.route, TypeUrls.cluster, TypeUrls.endpoint];

const NAMED_ONLY: ReadonlySet<string> = new Set([
  TypeUrls.endpoint,
  TypeUrls.route,
  TypeUrls.secret,
  TypeUrls.extensionConfig,
  TypeUrls.virtualHost,
  TypeUrls.runtime,
]);

const SHORT_NAMES: ReadonlyMap<string, TypeLabel> = new Map([
  [TypeUrls.cluster, 'cds'],
  [TypeUrls.endpoint, 'eds'],
  [TypeUrls.listener, 'lds'],
  [TypeUrls.route, 'rds'],
  [TypeUrls.secret, 'sds'],
  [TypeUrls.extensionConfig, 'ecds'],
]);

/** A closed union for metrics and logs: clients make up type URLs. */
export type TypeLabel = 'cds' | 'eds' | 'lds' | 'rds' | 'sds' | 'ecds' | 'other';

export function typeLabel(typeUrl: string): TypeLabel {
  return SHORT_NAMES.get(typeUrl) ?? 'other';
}

export function pushRank(typeUrl: string): number {
  return rankIn(PUSH_ORDER, typeUrl);
}

export function removalRank(typeUrl: string): number {
  return rankIn(REMOVAL_ORDER, typeUrl);
}

/**
 * Whether a first request without names means nothing rather than everything. For these types a state-of-the-world response may
 * be partial too; for all others, what it omits is gone.
 */
export function isNamedOnly(typeUrl: string): boolean {
  return NAMED_ONLY.has(typeUrl);
}

function rankIn(order: readonly string[], typeUrl: string): number {
  const rank = order.indexOf(typeUrl);
  return rank < 0 ? order.length : rank;
}
