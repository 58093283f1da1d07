import type {
  ClientTls,
  ConnectionPool,
  LoadBalancer,
  OutlierDetection,
  TrafficPolicy,
} from '../../../apis/networking/networking.ts';
import type { MeshDestinationRule, Traced } from '../../../model/mesh-snapshot.ts';

export type Tunnel = NonNullable<TrafficPolicy['tunnel']>;
export type ProxyProtocol = NonNullable<TrafficPolicy['proxyProtocol']>;
export type RetryBudget = NonNullable<TrafficPolicy['retryBudget']>;

/** What a DestinationRule says about one port of its host, or about one subset there. Each part knows where it was written. */
export type EffectivePolicy = {
  readonly connectionPool: Traced<ConnectionPool> | undefined;
  readonly loadBalancer: Traced<LoadBalancer> | undefined;
  readonly outlierDetection: Traced<OutlierDetection> | undefined;
  readonly tls: Traced<ClientTls> | undefined;
  readonly tunnel: Traced<Tunnel> | undefined;
  readonly proxyProtocol: Traced<ProxyProtocol> | undefined;
  readonly retryBudget: Traced<RetryBudget> | undefined;
  /** Parts of a policy that a port-level entry unset without naming them, and that entry. */
  readonly dropped: readonly DroppedParts[];
};

export type DroppedParts = {
  readonly by: Traced<PortTrafficPolicy>;
  readonly parts: readonly PortLevelPart[];
};

type PortTrafficPolicy = NonNullable<TrafficPolicy['portLevelSettings']>[number];

/** What a port-level entry may hold, and so what it replaces. */
const portLevelParts = ['connectionPool', 'loadBalancer', 'outlierDetection', 'tls'] as const;
type PortLevelPart = (typeof portLevelParts)[number];

const nothing: EffectivePolicy = {
  connectionPool: undefined,
  loadBalancer: undefined,
  outlierDetection: undefined,
  tls: undefined,
  tunnel: undefined,
  proxyProtocol: undefined,
  retryBudget: undefined,
  dropped: [],
};

/**
 * The rule's policy with the subset's on top, part by part: each part replaces the earlier one as a whole.
 * A port-level entry that matches replaces all four of its parts: those it omits are unset, not inherited.
 */
export function effectivePolicy(rule: MeshDestinationRule | undefined, port: number, subset = ''): EffectivePolicy {
  if (rule === undefined) return nothing;
  const own = withPolicy(nothing, rule.trafficPolicy, port);
  const found = subset === '' ? undefined : rule.subsets.find(({ spec }) => spec.name === subset);
  return found === undefined ? own : withPolicy(own, member(found, 'trafficPolicy'), port);
}

function withPolicy(below: EffectivePolicy, policy: Traced<TrafficPolicy> | undefined, port: number): EffectivePolicy {
  if (policy === undefined) return below;
  const merged: EffectivePolicy = {
    connectionPool: member(policy, 'connectionPool') ?? below.connectionPool,
    loadBalancer: member(policy, 'loadBalancer') ?? below.loadBalancer,
    outlierDetection: member(policy, 'outlierDetection') ?? below.outlierDetection,
    tls: member(policy, 'tls') ?? below.tls,
    tunnel: member(policy, 'tunnel') ?? below.tunnel,
    proxyProtocol: member(policy, 'proxyProtocol') ?? below.proxyProtocol,
    retryBudget: member(policy, 'retryBudget') ?? below.retryBudget,
    dropped: below.dropped,
  };
  const entry = portLevelEntry(policy, port);
  return entry === undefined ? merged : withPortLevelEntry(merged, entry);
}

function withPortLevelEntry(merged: EffectivePolicy, entry: Traced<PortTrafficPolicy>): EffectivePolicy {
  const parts = portLevelParts.filter((part) => merged[part] !== undefined && entry.spec[part] === undefined);
  return {
    ...merged,
    connectionPool: member(entry, 'connectionPool'),
    loadBalancer: member(entry, 'loadBalancer'),
    outlierDetection: member(entry, 'outlierDetection'),
    tls: member(entry, 'tls'),
    dropped: parts.length === 0 ? merged.dropped : [...merged.dropped, { by: entry, parts }],
  };
}

function portLevelEntry(policy: Traced<TrafficPolicy>, port: number): Traced<PortTrafficPolicy> | undefined {
  const index = policy.spec.portLevelSettings?.findIndex((entry) => entry.port.number === port) ?? -1;
  const spec = policy.spec.portLevelSettings?.[index];
  return spec === undefined ? undefined : { ...policy, spec, path: `${policy.path}.portLevelSettings[${index}]` };
}

function member<T, K extends keyof T & string>(whole: Traced<T>, key: K): Traced<NonNullable<T[K]>> | undefined {
  const spec = whole.spec[key];
  if (spec === undefined || spec === null) return undefined;
  return { spec, object: whole.object, path: `${whole.path}.${key}` };
}
