import type { HttpMatchRequest, HttpRoute } from '../../../apis/networking/networking.ts';
import { anyOf } from '../../../gen/codec.ts';
import type { Any, Route, RouteAction } from '../../../gen/types.ts';
import type { Diagnostic } from '../../../model/diagnostic.ts';
import type { ClusterName } from '../../../model/ids.ts';
import type { Traced } from '../../../model/mesh-snapshot.ts';
import { toldHttp } from '../filters/told-protocol.ts';
import { diagnose } from '../policy/diagnose.ts';
import { configPath, istioMetadata } from '../protobuf.ts';
import { type Answer, buildAnswer } from './answer.ts';
import { type Client, MESH, matchApplies } from './applies.ts';
import type { RuleContext } from './context.ts';
import { buildCors } from './cors.ts';
import type { ResolvedDestination } from './destination.ts';
import { buildFault } from './fault.ts';
import { buildForward, type Forward } from './forward.ts';
import { asksForClaims, buildMatch, describePath } from './match.ts';
import { buildPathRewrite } from './rewrite.ts';

export type BuiltRule = {
  readonly routes: readonly Route[];
  readonly clusters: readonly ClusterName[];
  readonly diagnostics: readonly Diagnostic[];
};

const nothing: BuiltRule = { routes: [], clusters: [], diagnostics: [] };

/** One Envoy route for each match of a rule that can be true for the client, or one without any where the rule has none. */
export function buildHttpRule(rule: Traced<HttpRoute>, context: RuleContext): BuiltRule {
  const matches = applyingMatches(rule.spec, context.client);
  if (matches.length === 0) return nothing;
  const answer = buildAnswer(rule, context);
  const forward = answer === undefined ? buildForward(rule, context) : undefined;
  const action = answer ?? forward;
  if (action === undefined) return nothing;
  const shared: Shared = {
    metadata: istioMetadata({ config: configPath(rule.object) }),
    typedPerFilterConfig: buildFilterConfig(rule.spec, context, forward?.only),
    ...action.headers,
  };
  const build = (match: HttpMatchRequest | undefined): Route =>
    buildRoute({ rule, match, answer, forward, shared }, context);
  return { routes: matches.map(build), clusters: forward?.clusters ?? [], diagnostics: action.diagnostics };
}

/** Whether the rule has a route for the client at all. */
export function ruleApplies({ spec }: Traced<HttpRoute>, client: Client): boolean {
  const leads = spec.redirect !== undefined || spec.directResponse !== undefined || (spec.route?.length ?? 0) > 0;
  return leads && applyingMatches(spec, client).length > 0;
}

/** Sidecars do not know the claims of those who call through them, so for them a match of claims is never true. */
function isBlind(match: HttpMatchRequest, { gateways }: Client): boolean {
  return gateways.includes(MESH) && asksForClaims(match);
}

/** A delegate does not know who follows it. */
export function tellBlind({ spec, object, path }: Traced<HttpRoute>, client: Client): readonly Diagnostic[] {
  if (!spec.match?.some((match) => matchApplies(match, client) && isBlind(match, client))) return [];
  const message = 'matches a JWT claim, which sidecars cannot, so at sidecars the match is never true';
  return [diagnose('warning', 'XEB2603', { object, path: `${path}.match` }, message)];
}

/** The matches that can be true for the client; undefined for a rule that has none. */
export function applyingMatches({ match = [] }: HttpRoute, client: Client): readonly (HttpMatchRequest | undefined)[] {
  return match.length === 0 ? [undefined] : match.filter((one) => matchApplies(one, client) && !isBlind(one, client));
}

type Shared = Pick<
  Route,
  | 'metadata'
  | 'typedPerFilterConfig'
  | 'requestHeadersToAdd'
  | 'requestHeadersToRemove'
  | 'responseHeadersToAdd'
  | 'responseHeadersToRemove'
>;

type RouteParts = {
  readonly rule: Traced<HttpRoute>;
  readonly match: HttpMatchRequest | undefined;
  readonly answer: Answer | undefined;
  readonly forward: Forward | undefined;
  readonly shared: Shared;
};

function buildRoute({ rule, match, answer, forward, shared }: RouteParts, { client, name }: RuleContext): Route {
  const only = forward?.only;
  const matcher = buildMatch(match);
  const target = only === undefined ? `${name}:${client.port}` : `${only.host}:${only.port}`;
  const names = [rule.spec.name, match?.name].filter((part) => part !== undefined && part !== '');
  return {
    ...(answer === undefined ? { route: rewritten(forward?.action ?? {}, rule.spec, match) } : answer.action),
    ...(names.length > 0 ? { name: names.join('.') } : {}),
    match: matcher,
    decorator: { operation: `${target}${describePath(matcher)}` },
    ...(match?.statPrefix === undefined ? {} : { statPrefix: match.statPrefix }),
    ...shared,
  };
}

function rewritten(action: RouteAction, { rewrite }: HttpRoute, match: HttpMatchRequest | undefined): RouteAction {
  return rewrite === undefined
    ? action
    : { ...action, ...buildPathRewrite(rewrite, match?.uri, match?.ignoreUriCase === true) };
}

const FAULT = 'envoy.filters.http.fault';
const CORS = 'envoy.filters.http.cors';

/** A gRPC client refuses all routes if one has settings for a filter that it does not know. */
function buildFilterConfig(
  spec: HttpRoute,
  { kind, tellsProtocol }: RuleContext,
  only: ResolvedDestination | undefined,
): { readonly [key: string]: Any } | undefined {
  const fault = spec.fault && buildFault(spec.fault);
  const cors = kind === 'proxyless' ? undefined : spec.corsPolicy && buildCors(spec.corsPolicy);
  const told = tellsProtocol && only?.isSniffed === true ? toldHttp : undefined;
  if (fault === undefined && cors === undefined) return told;
  return {
    ...(cors === undefined ? {} : { [CORS]: anyOf('envoy.extensions.filters.http.cors.v3.CorsPolicy', cors) }),
    ...(fault === undefined ? {} : { [FAULT]: anyOf('envoy.extensions.filters.http.fault.v3.HTTPFault', fault) }),
    ...told,
  };
}
