import type { HttpFilter, JwtAuthentication, RequirementRule } from '../../../gen/types.ts';
import { memoByIdentity } from '../../../kit/memo.ts';
import type { Diagnostic } from '../../../model/diagnostic.ts';
import { diagnose } from '../policy/diagnose.ts';
import { extension } from '../protobuf.ts';
import type { SecurityPart, SecuritySite } from '../security.ts';
import { noSecurityPart } from '../security-part.ts';
import { buildClassicRules } from './classic.ts';
import {
  type ClassicTokens,
  isKnownPeer,
  type RequestPlan,
  type TokenPolicy,
  type TokenRule,
  tokenPolicyAt,
} from './plan.ts';
import { buildForgeryGuard, buildProvider } from './provider.ts';
import { rightIfThere } from './requirement.ts';

/** What looks at tokens, before anybody asks who is calling. Chains with the same tokens share one part. */
export function buildTokenFilters(plan: RequestPlan, site: SecuritySite): SecurityPart<HttpFilter> {
  const built = builtFor(tokenPolicyAt(plan, site));
  const key = `${site.direction} ${site.isMutualTls}`;
  const known = built.get(key);
  if (known !== undefined) return known;
  const made = buildPart(tokenPolicyAt(plan, site), site);
  built.set(key, made);
  return made;
}

const builtFor = memoByIdentity((_: TokenPolicy) => new Map<string, SecurityPart<HttpFilter>>());

function buildPart(policy: TokenPolicy, site: SecuritySite): SecurityPart<HttpFilter> {
  switch (policy.kind) {
    case 'none':
      return noSecurityPart;
    case 'request':
      return buildRequest(policy.rules, site);
    case 'classic':
      return buildClassic(policy, site);
  }
}

function buildRequest(rules: readonly TokenRule[], site: SecuritySite): SecurityPart<HttpFilter> {
  if (rules.length === 0) return noSecurityPart;
  const provided = rules.map((rule, index) => ({ name: `origins-${index}`, rule }));
  const requires = rightIfThere(provided);
  return partOf({ provided, requirements: [{ match: { prefix: '/' }, requires }], diagnostics: [] }, site);
}

function buildClassic(tokens: ClassicTokens, site: SecuritySite): SecurityPart<HttpFilter> {
  const peers = isKnownPeer(tokens, site) ? [] : tokens.peers.map((rule, index) => ({ name: `peers-${index}`, rule }));
  const origins = tokens.origins.map((rule, index) => ({ name: `origins-${index}`, rule }));
  const { rules, isCutShort } = buildClassicRules({ tokens, peers, origins });
  if (rules.length === 0) return noSecurityPart;
  const provided = [...peers, ...origins];
  return partOf({ provided, requirements: rules, diagnostics: isCutShort ? [tellCutShort(tokens)] : [] }, site);
}

type PartInputs = {
  readonly provided: readonly { readonly name: string; readonly rule: TokenRule }[];
  readonly requirements: readonly RequirementRule[];
  readonly diagnostics: readonly Diagnostic[];
};

function partOf({ provided, requirements, diagnostics }: PartInputs, site: SecuritySite): SecurityPart<HttpFilter> {
  const rules = provided.map(({ rule }) => rule);
  const authentication: JwtAuthentication = {
    providers: Object.fromEntries(provided.map(({ name, rule }) => [name, buildProvider(rule, site.direction)])),
    rules: requirements,
    bypassCorsPreflight: true,
  };
  const guard = buildForgeryGuard(rules);
  const filter = extension(
    'envoy.filters.http.jwt_authn',
    'envoy.extensions.filters.http.jwt_authn.v3.JwtAuthentication',
    authentication,
  );
  return {
    filters: guard === undefined ? [filter] : [guard, filter],
    needs: [],
    origins: rules.map(({ object, path }) => ({ ...object, path })),
    diagnostics: [...diagnostics, ...rules.flatMap(tellUnknownKeys)],
  };
}

/** A server may take for HTTP what the proxy did not, and then nobody looked at tokens. */
export function tellUncheckedPort(plan: RequestPlan, site: SecuritySite): readonly Diagnostic[] {
  const tokens = tokenPolicyAt(plan, site);
  const { member } = site;
  if (tokens.kind !== 'classic' || member?.port.protocol !== 'auto' || !demandsTokens(tokens, site)) return [];
  const message = `needs tokens on port ${member.port.port} of ${member.service.hostname}, whose protocol is not declared: what does not look like HTTP passes without; name the port http, or tcp`;
  return [diagnose('warning', 'XEB2604', { object: tokens.object, path: 'spec' }, message)];
}

function demandsTokens(tokens: ClassicTokens, site: SecuritySite): boolean {
  const ofPeers = tokens.peers.length > 0 && !tokens.peerIsOptional && !isKnownPeer(tokens, site);
  return ofPeers || (tokens.origins.length > 0 && !tokens.originIsOptional);
}

function tellUnknownKeys({ object, path, keys, keysField, issuer }: TokenRule): readonly Diagnostic[] {
  if (keys.kind === 'known') return [];
  const place = { object, path: `${path}.${keysField}` };
  const message = `the keys of ${JSON.stringify(issuer)} are not known, so its tokens are refused: ${keys.reason}`;
  return [diagnose('warning', 'XEB2601', place, message)];
}

function tellCutShort({ object }: ClassicTokens): Diagnostic {
  const message =
    'has triggerRules that cannot be told apart (expressions beside others, or too many), so every path needs a token of each origin; give all origins the same triggerRules, without regex';
  return diagnose('warning', 'XEB2602', { object, path: 'spec.origins' }, message);
}
