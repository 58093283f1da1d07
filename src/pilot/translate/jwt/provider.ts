import type { HttpFilter, JwtProvider } from '../../../gen/types.ts';
import { compareText } from '../../../kit/order.ts';
import { extension } from '../protobuf.ts';
import type { SecuritySite } from '../security.ts';
import type { TokenRule } from './plan.ts';

/** Under this key of the filter's dynamic metadata are the claims of a token that was verified. */
const PAYLOAD = 'payload';

/** Claims that are lists separated by spaces for everybody: RFC 8693, section 4.2, and what many issuers write. */
const spaceDelimited = ['scope', 'permission'];

/** Envoy refuses a listener with any other. */
const headerName = /^[-_A-Za-z0-9]+$/;

/** Keys stand in it themselves, so that Envoy asks nobody. An empty text is no key at all: Envoy then refuses every token. */
export function buildProvider(rule: TokenRule, direction: SecuritySite['direction']): JwtProvider {
  const { issuer, audiences, keys, payloadHeader } = rule;
  const claimToHeaders = rule.claimHeaders
    .filter(({ header }) => headerName.test(header))
    .map(({ header, claim }) => ({ headerName: header, claimName: claim }));
  return {
    issuer,
    ...(audiences.length > 0 ? { audiences } : {}),
    localJwks: { inlineString: keys.kind === 'known' ? keys.jwks : '' },
    ...buildPlaces(rule),
    forward: rule.forward,
    ...(headerName.test(payloadHeader) ? { forwardPayloadHeader: payloadHeader } : {}),
    ...(claimToHeaders.length > 0 ? { claimToHeaders } : {}),
    payloadInMetadata: PAYLOAD,
    normalizePayloadInMetadata: {
      spaceDelimitedClaims: [...new Set([...spaceDelimited, ...rule.spaceDelimitedClaims])],
    },
    // What is routed by claims is routed again once they are known.
    ...(direction === 'gateway' ? { clearRouteCache: true } : {}),
  };
}

/** Without any, Envoy looks at the bearer token and at the parameter access_token. */
function buildPlaces(rule: TokenRule): Pick<JwtProvider, 'fromHeaders' | 'fromParams' | 'fromCookies'> {
  const fromHeaders = rule.fromHeaders
    .filter(({ name }) => headerName.test(name))
    .map(({ name, prefix }) => ({ name, valuePrefix: prefix }));
  return {
    ...(fromHeaders.length > 0 ? { fromHeaders } : {}),
    ...(rule.fromParams.length > 0 ? { fromParams: rule.fromParams } : {}),
    ...(rule.fromCookies.length > 0 ? { fromCookies: rule.fromCookies } : {}),
  };
}

/** Where tokens of the rule may be, in words that are equal for equal places. */
export function placesOf(rule: TokenRule): readonly string[] {
  const { fromHeaders = [], fromParams = [], fromCookies = [] } = buildPlaces(rule);
  const places = [
    ...fromHeaders.map(({ name = '' }) => `header ${name.toLowerCase()}`),
    ...fromParams.map((name) => `param ${name}`),
    ...fromCookies.map((name) => `cookie ${name}`),
  ];
  return places.length > 0 ? places : ['header authorization', 'param access_token'];
}

/**
 * Takes away, before tokens are looked at, every header that only their claims may fill: requests that need no token, as those before
 * a CORS call, could bring it themselves.
 */
export function buildForgeryGuard(rules: readonly TokenRule[]): HttpFilter | undefined {
  const written = rules.flatMap(({ payloadHeader, claimHeaders }) => [
    payloadHeader,
    ...claimHeaders.map(({ header }) => header),
  ]);
  const names = [...new Set(written.filter((name) => headerName.test(name)).map((name) => name.toLowerCase()))];
  if (names.length === 0) return undefined;
  return extension(
    'envoy.filters.http.header_mutation',
    'envoy.extensions.filters.http.header_mutation.v3.HeaderMutation',
    { mutations: { requestMutations: names.sort(compareText).map((remove) => ({ remove })) } },
  );
}
