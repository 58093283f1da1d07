import type { HttpRoute, HttpRouteDestination } from '../../../apis/networking/networking.ts';
import type {
  RouteAction,
  RouteAction_HashPolicy,
  RouteAction_RequestMirrorPolicy,
  WeightedCluster_ClusterWeight,
} from '../../../gen/types.ts';
import type { Diagnostic } from '../../../model/diagnostic.ts';
import type { ClusterName } from '../../../model/ids.ts';
import type { Traced } from '../../../model/mesh-snapshot.ts';
import { fitWeights } from '../endpoint/weights.ts';
import { toldHttp } from '../filters/told-protocol.ts';
import { diagnose } from '../policy/diagnose.ts';
import { buildHashPolicy } from '../policy/hash-policy.ts';
import { duration, millisOf, runtimePercent, uint32 } from '../protobuf.ts';
import type { RuleContext } from './context.ts';
import { diagnoseDestination, type ResolvedDestination, resolveDestination } from './destination.ts';
import { buildHeaderChanges, type HeaderChanges, type HeaderFields, joinHeaderFields } from './headers.ts';
import { mirrorsOf } from './mirror.ts';
import { buildRetryPolicy } from './retry.ts';

/** A rule that sends requests on, before it is known which match they come by. */
export type Forward = {
  readonly action: RouteAction;
  readonly headers: HeaderFields;
  /** The only destination, if there is one. */
  readonly only: ResolvedDestination | undefined;
  readonly clusters: readonly ClusterName[];
  readonly diagnostics: readonly Diagnostic[];
};

type Leg = {
  readonly to: ResolvedDestination;
  readonly weight: number;
  readonly changes: HeaderChanges;
  readonly diagnostics: readonly Diagnostic[];
};

/** Nothing for a rule without destinations. */
export function buildForward(rule: Traced<HttpRoute>, context: RuleContext): Forward | undefined {
  const legs = buildLegs(rule, context);
  const [first] = legs;
  if (first === undefined) return undefined;
  const only = legs.length === 1 ? first : undefined;
  const changes = buildHeaderChanges(rule.spec);
  const mirrors = buildMirrors(rule, context);
  const hashPolicy = distinctPolicies(legs);
  return {
    action: {
      ...(only === undefined ? { weightedClusters: { clusters: weigh(legs, context) } } : { cluster: only.to.cluster }),
      ...newHost(rule.spec.rewrite?.authority, changes.authority, only?.changes.authority),
      ...buildLimits(rule.spec, context, hashPolicy.length > 0),
      ...(context.defaults.forwardsHost ? { appendXForwardedHost: true } : {}),
      ...(hashPolicy.length > 0 ? { hashPolicy } : {}),
      ...(mirrors.policies.length > 0 ? { requestMirrorPolicies: mirrors.policies } : {}),
    },
    headers: only === undefined ? changes.fields : joinHeaderFields(changes.fields, only.changes.fields),
    only: only?.to,
    clusters: [...legs.map(({ to }) => to.cluster), ...mirrors.clusters],
    diagnostics: [...refusedHeaders(rule, changes), ...legs.flatMap((leg) => leg.diagnostics), ...mirrors.diagnostics],
  };
}

/** The first that is set. */
function newHost(...candidates: readonly (string | undefined)[]): { readonly hostRewriteLiteral?: string } {
  const authority = candidates.find((candidate) => candidate !== undefined && candidate !== '');
  return authority === undefined ? {} : { hostRewriteLiteral: authority };
}

/** Destinations of weight 0 get nothing, so they are left out; a single one gets all whatever its weight. */
function buildLegs(rule: Traced<HttpRoute>, context: RuleContext): readonly Leg[] {
  const listed = (rule.spec.route ?? []).map((spec, index) => ({ spec, path: `${rule.path}.route[${index}]` }));
  const weighed = listed.filter(({ spec }) => (spec.weight ?? 0) > 0);
  const used = listed.length === 1 || weighed.length === 0 ? listed : weighed;
  return used.map(({ spec, path }) => buildLeg({ spec, path, object: rule.object }, context));
}

function buildLeg(destination: Traced<HttpRouteDestination>, context: RuleContext): Leg {
  const to = resolveDestination(destination.spec.destination, context.destinations, context.client.port);
  const changes = buildHeaderChanges(destination.spec);
  const place = { object: destination.object, path: `${destination.path}.destination` };
  return {
    to,
    weight: Math.max(1, destination.spec.weight ?? 0),
    changes,
    diagnostics: [...diagnoseDestination(to, place), ...refusedHeaders(destination, changes)],
  };
}

function refusedHeaders(place: Traced<unknown>, { refused }: HeaderChanges): readonly Diagnostic[] {
  if (refused.length === 0) return [];
  const message = `${refused.join(', ')} cannot be changed this way, so the operation is left out`;
  return [diagnose('warning', 'XEB2203', { object: place.object, path: `${place.path}.headers` }, message)];
}

function weigh(legs: readonly Leg[], { tellsProtocol }: RuleContext): readonly WeightedCluster_ClusterWeight[] {
  const weights = fitWeights(legs.map(({ weight }) => weight));
  return legs.map(({ to, changes }, index) => ({
    name: to.cluster,
    weight: uint32(weights[index] ?? 1),
    ...changes.fields,
    ...newHost(changes.authority),
    ...(tellsProtocol && to.isSniffed ? { typedPerFilterConfig: toldHttp } : {}),
  }));
}

function buildMirrors(rule: Traced<HttpRoute>, context: RuleContext) {
  const copies = mirrorsOf(rule.spec).map(({ destination, percent, path }) => ({
    to: resolveDestination(destination, context.destinations, context.client.port),
    percent,
    place: { object: rule.object, path: `${rule.path}.${path}` },
  }));
  return {
    policies: copies.map(
      ({ to, percent }): RouteAction_RequestMirrorPolicy => ({
        cluster: to.cluster,
        runtimeFraction: runtimePercent(percent),
      }),
    ),
    clusters: copies.map(({ to }) => to.cluster),
    diagnostics: copies.flatMap(({ to, place }) => diagnoseDestination(to, place)),
  };
}

/** The destinations may hash by different parts of a request; each is said once. */
function distinctPolicies(legs: readonly Leg[]): readonly RouteAction_HashPolicy[] {
  const policies = legs.flatMap(({ to }) => buildHashPolicy(to.policy.loadBalancer?.spec) ?? []);
  return [...new Map(policies.map((policy) => [JSON.stringify(policy), policy])).values()];
}

type Limits = Pick<RouteAction, 'timeout' | 'maxStreamDuration' | 'retryPolicy'>;

/** No timeout unless one is asked for: Envoy's own 15 s would cut streams. */
export function buildLimits(
  spec: Pick<HttpRoute, 'timeout' | 'retries'>,
  context: LimitContext,
  hashes: boolean,
): Limits {
  const millis = millisOf(spec.timeout) ?? 0;
  const timeout = duration(millis);
  return {
    timeout,
    // A gRPC client's own deadline counts. Beside a limit for streams Envoy ignores the timeout, which is for all requests; gRPC
    // libraries read nothing else.
    ...(millis === 0 || context.kind === 'proxyless' ? { maxStreamDuration: { grpcTimeoutHeaderMax: timeout } } : {}),
    retryPolicy: buildRetryPolicy(spec.retries, context.defaults.retries, hashes),
  };
}

type LimitContext = Pick<RuleContext, 'defaults' | 'kind'>;
