import type { HttpMatchRequest, StringMatch } from '../../../apis/networking/networking.ts';
import { parseClaimName } from '../../../apis/rules/claim-name.ts';
import type {
  HeaderMatcher,
  MetadataMatcher,
  QueryParameterMatcher,
  RouteMatch,
  ValueMatcher,
} from '../../../gen/types.ts';
import { sortedEntries } from '../../../kit/order.ts';
import { bool, stringMatcher } from '../protobuf.ts';

/** The part of a match that depends on the request. Headers and parameters are sorted by name. */
export function buildMatch(match: HttpMatchRequest | undefined): RouteMatch {
  if (match === undefined) return { prefix: '/' };
  const headers = buildHeaders(match);
  const claims = buildClaims(match);
  const parameters = sortedEntries(match.queryParams ?? {}).map(([name, wanted]) => buildParameter(name, wanted));
  return {
    ...buildPath(match.uri),
    ...(match.ignoreUriCase === true ? { caseSensitive: bool(false) } : {}),
    ...(headers.length > 0 ? { headers } : {}),
    ...(parameters.length > 0 ? { queryParameters: parameters } : {}),
    ...(claims.length > 0 ? { dynamicMetadata: claims } : {}),
  };
}

type Path =
  | { readonly prefix: string }
  | { readonly path: string }
  | { readonly safeRegex: { readonly regex: string } };

function buildPath(uri: StringMatch | undefined): Path {
  if (uri?.exact !== undefined) return { path: uri.exact };
  if (uri?.regex !== undefined) return { safeRegex: { regex: uri.regex } };
  return { prefix: uri?.prefix ?? '/' };
}

function buildHeaders(match: HttpMatchRequest): readonly HeaderMatcher[] {
  const named = headersIn(match.headers).map(([name, wanted]) => buildHeader(name, wanted));
  const without = headersIn(match.withoutHeaders).map(([name, unwanted]) => buildWithout(name, unwanted));
  const pseudo = [
    [':method', match.method],
    [':authority', match.authority],
    [':scheme', match.scheme],
  ] as const;
  const ofRequest = pseudo.flatMap(([name, wanted]) => (wanted === undefined ? [] : [buildHeader(name, wanted)]));
  return [...named, ...without, ...ofRequest];
}

type Matches = NonNullable<HttpMatchRequest['headers']>;

function headersIn(matches: Matches = {}): readonly (readonly [string, StringMatch])[] {
  return sortedEntries(matches).filter(([name]) => parseClaimName(name) === undefined);
}

/** Whether a match asks about the token of a request, of which only gateways let routes know. */
export function asksForClaims({ headers, withoutHeaders }: HttpMatchRequest): boolean {
  return Object.keys({ ...headers, ...withoutHeaders }).some((name) => parseClaimName(name) !== undefined);
}

function buildClaims({ headers = {}, withoutHeaders = {} }: HttpMatchRequest): readonly MetadataMatcher[] {
  const wanted = sortedEntries(headers).flatMap(([name, match]) => buildClaim(name, match) ?? []);
  const unwanted = sortedEntries(withoutHeaders).flatMap(([name, match]) => buildClaim(name, match) ?? []);
  return [...wanted, ...unwanted.map((matcher) => ({ ...matcher, invert: true }))];
}

/** What the filter of tokens says of one that it verified. A claim that is a list has the value if one of its items does. */
function buildClaim(name: string, wanted: StringMatch): MetadataMatcher | undefined {
  const steps = parseClaimName(name);
  if (steps === undefined) return undefined;
  const matcher = isPresence(wanted) ? undefined : stringMatcher(wanted);
  const value: ValueMatcher =
    matcher === undefined
      ? { presentMatch: true }
      : { orMatch: { valueMatchers: [{ stringMatch: matcher }, { listMatch: { oneOf: { stringMatch: matcher } } }] } };
  const path = ['payload', ...steps].map((key) => ({ key }));
  return { filter: 'envoy.filters.http.jwt_authn', path, value };
}

function buildHeader(name: string, wanted: StringMatch): HeaderMatcher {
  const matcher = isPresence(wanted) ? undefined : stringMatcher(wanted);
  return matcher === undefined ? { name, presentMatch: true } : { name, stringMatch: matcher };
}

/** A request without the header does not have the value, but Envoy has to be told so. */
function buildWithout(name: string, unwanted: StringMatch): HeaderMatcher {
  const matcher = buildHeader(name, unwanted);
  return matcher.presentMatch === true
    ? { ...matcher, invertMatch: true }
    : { ...matcher, invertMatch: true, treatMissingHeaderAsEmpty: true };
}

function buildParameter(name: string, wanted: StringMatch): QueryParameterMatcher {
  const matcher = isPresence(wanted) ? undefined : stringMatcher(wanted);
  return matcher === undefined ? { name, presentMatch: true } : { name, stringMatch: matcher };
}

/** `*` is no expression, but 1.4 took it for one that matches everything. */
function isPresence({ regex, prefix }: StringMatch): boolean {
  return regex === '*' || prefix === '';
}

/** Whether no request comes past it, so that what follows is never reached. */
export function takesEverything(match: RouteMatch): boolean {
  const { prefix, safeRegex, headers, queryParameters, dynamicMetadata } = match;
  const anyPath = prefix === '/' || (safeRegex !== undefined && isAnyPath(safeRegex.regex ?? ''));
  return anyPath && [headers, queryParameters, dynamicMetadata].every((rest) => rest === undefined);
}

function isAnyPath(regex: string): boolean {
  return regex === '.*' || regex === '/.*' || regex === '*';
}

/** The path as the name of the operation in traces has it. */
export function describePath({ prefix, path, safeRegex }: RouteMatch): string {
  return path ?? safeRegex?.regex ?? `${prefix ?? '/'}*`;
}
