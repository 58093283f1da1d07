import { hostSubsetOf } from '../host.ts';
import type { HttpMatchRequest, L4Match, StringMatch, TlsMatch } from './networking.ts';

type StringMatches = Readonly<Record<string, StringMatch>>;

/** Whether every request that `later` matches is matched by `earlier` as well. When in doubt, no. */
export function httpMatchCovers(earlier: HttpMatchRequest, later: HttpMatchRequest): boolean {
  return (
    uriCovers(earlier, later) &&
    stringCovers(earlier.scheme, later.scheme) &&
    stringCovers(earlier.method, later.method) &&
    stringCovers(earlier.authority, later.authority) &&
    allCovered(earlier.headers, later.headers) &&
    allCovered(earlier.queryParams, later.queryParams) &&
    absencesCovered(earlier.withoutHeaders, later.withoutHeaders) &&
    sourceCovers(earlier, later)
  );
}

export function l4MatchCovers(earlier: L4Match, later: L4Match): boolean {
  return (
    listCovers(earlier.destinationSubnets, later.destinationSubnets, (a, b) => a === b) &&
    (!earlier.sourceSubnet || earlier.sourceSubnet === later.sourceSubnet) &&
    sourceCovers(earlier, later)
  );
}

export function tlsMatchCovers(earlier: TlsMatch, later: TlsMatch): boolean {
  return (
    listCovers(earlier.sniHosts, later.sniHosts, (wider, host) => hostSubsetOf(host, wider)) &&
    l4MatchCovers(earlier, later)
  );
}

type Source = Pick<HttpMatchRequest, 'port' | 'sourceLabels' | 'sourceNamespace' | 'gateways'>;

function sourceCovers(earlier: Source, later: Source): boolean {
  const labels = Object.entries(earlier.sourceLabels ?? {});
  return (
    (!earlier.port || earlier.port === later.port) &&
    (!earlier.sourceNamespace || earlier.sourceNamespace === later.sourceNamespace) &&
    labels.every(([key, value]) => later.sourceLabels?.[key] === value) &&
    listCovers(earlier.gateways, later.gateways, (a, b) => a === b)
  );
}

function uriCovers(earlier: HttpMatchRequest, later: HttpMatchRequest): boolean {
  if (isEveryPath(earlier.uri)) return true;
  if (earlier.ignoreUriCase === true) return stringCovers(lowerCase(earlier.uri), lowerCase(later.uri));
  return later.ignoreUriCase !== true && stringCovers(earlier.uri, later.uri);
}

function isEveryPath(match: StringMatch | undefined): boolean {
  if (match === undefined || match.prefix === '' || match.prefix === '/') return true;
  return match.regex !== undefined && isEverything(match.regex);
}

function lowerCase(match: StringMatch | undefined): StringMatch | undefined {
  if (match === undefined) return undefined;
  const { exact, prefix, regex } = match;
  if (exact !== undefined) return { exact: exact.toLowerCase() };
  return prefix === undefined ? { regex } : { prefix: prefix.toLowerCase() };
}

function stringCovers(earlier: StringMatch | undefined, later: StringMatch | undefined): boolean {
  if (earlier === undefined) return true;
  if (later === undefined) return false;
  if (earlier.exact !== undefined) return earlier.exact === later.exact;
  if (earlier.regex !== undefined) return earlier.regex === later.regex || isEverything(earlier.regex);
  if (earlier.prefix === undefined) return true;
  return (later.exact ?? later.prefix)?.startsWith(earlier.prefix) === true;
}

/** Expressions that people write for "anything". */
function isEverything(regex: string): boolean {
  return regex === '.*' || regex === '*';
}

function allCovered(earlier: StringMatches | undefined, later: StringMatches | undefined): boolean {
  return Object.entries(earlier ?? {}).every(([name, match]) => {
    const other = later !== undefined && Object.hasOwn(later, name) ? later[name] : undefined;
    return other !== undefined && stringCovers(match, other);
  });
}

/** Without `a*` covers without `a`-anything-shorter only the other way round: what the later one excludes must be more. */
function absencesCovered(earlier: StringMatches | undefined, later: StringMatches | undefined): boolean {
  return Object.entries(earlier ?? {}).every(([name, match]) => {
    const other = later !== undefined && Object.hasOwn(later, name) ? later[name] : undefined;
    return other !== undefined && stringCovers(other, match);
  });
}

/** Lists match when one of their entries does; an absent list matches everything. */
function listCovers(
  earlier: readonly string[] | undefined,
  later: readonly string[] | undefined,
  covers: (wider: string, narrower: string) => boolean,
): boolean {
  if (earlier === undefined || earlier.length === 0) return true;
  if (later === undefined || later.length === 0) return false;
  return later.every((narrower) => earlier.some((wider) => covers(wider, narrower)));
}
