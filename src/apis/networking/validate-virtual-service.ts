import { isIp } from '../address.ts';
import { Field } from '../finding.ts';
import { hostMatches, hostSubsetOf, isWildcard } from '../host.ts';
import type { Issue } from '../issue.ts';
import type { MetaForValidation } from '../meta.ts';
import { isWildcardDnsName } from '../names.ts';
import { checkLabels, checkSubnet, checkWildcardHost } from '../rules/names.ts';
import { checkOptionalPort } from '../rules/scalars.ts';
import { checkExportTo, checkGatewayRefs } from '../rules/visibility.ts';
import { quote } from '../schema/words.ts';
import { checkWeightedDestinations } from './check-destinations.ts';
import { checkHttpRoute } from './check-http-route.ts';
import { findUnreachable } from './find-unreachable.ts';
import type { L4Match, TcpRoute, TlsMatch, TlsRoute, VirtualServiceSpec } from './networking.ts';
import type { VirtualServiceFrame } from './virtual-service-frame.ts';

export function validateVirtualService(spec: VirtualServiceSpec, meta: MetaForValidation): readonly Issue[] {
  const issues: Issue[] = [];
  const field = Field.top(issues, 'spec');
  const hosts = spec.hosts ?? [];
  const gateways = spec.gateways ?? [];
  const delegate = hosts.length === 0;
  const frame: VirtualServiceFrame = {
    hosts,
    delegate,
    boundToGateways: delegate || (gateways.length > 0 && !gateways.includes('mesh')),
  };
  if (delegate) checkDelegate(field, spec);
  checkGatewayRefs(field.at('gateways'), spec.gateways);
  checkHosts(field.at('hosts'), frame, (spec.tls ?? []).length > 0);
  checkRules(field, spec, frame);
  checkExportTo(field.at('exportTo'), spec.exportTo, { namespace: meta.namespace, allowNone: false });
  findUnreachable(field, spec);
  return issues;
}

function checkRules(field: Field, spec: VirtualServiceSpec, frame: VirtualServiceFrame): void {
  const { http = [], tls = [], tcp = [] } = spec;
  if (http.length + tls.length + tcp.length === 0) {
    field.error('XEB0202', { problem: 'has no rules', allowed: 'http, tls or tcp', fix: 'add at least one' });
  }
  for (const [index, route] of http.entries()) checkHttpRoute(field.at('http', index), route, frame);
  for (const [index, route] of tls.entries()) checkTlsRoute(field.at('tls', index), route, frame);
  field.at('tcp').each(tcp, checkTcpRoute);
}

function checkDelegate(field: Field, spec: VirtualServiceSpec): void {
  for (const member of ['gateways', 'tls', 'tcp'] as const) {
    if ((spec[member] ?? []).length === 0) continue;
    const fix = 'add hosts, or leave this to the VirtualService that delegates';
    field.at(member).error('XEB0205', { problem: 'cannot be set without hosts', fix });
  }
}

function checkHosts(field: Field, { hosts, boundToGateways }: VirtualServiceFrame, hasTls: boolean): void {
  let comparable = true;
  for (const [index, host] of hosts.entries()) {
    const at = field.at(index);
    if (host === '*' && !boundToGateways) {
      at.error('XEB0102', {
        problem: 'cannot be * for sidecars',
        got: host,
        fix: 'name the hosts, or bind to gateways only',
      });
      comparable = false;
    } else if (!isWildcardDnsName(host) && !isIp(host) && !(boundToGateways && hasTls && isSniCluster(host))) {
      checkWildcardHost(at, host);
      comparable = false;
    }
  }
  if (comparable) checkOverlap(field, hosts);
}

/** The server name of a cluster seen through an AUTO_PASSTHROUGH gateway: `outbound_.80_._.host`. */
function isSniCluster(host: string): boolean {
  return /^outbound_\.\d+_\./.test(host);
}

/**
 * Exact hosts collide only when equal, so only wildcards are compared with everything. Istio takes names for different that
 * differ in case; no client does.
 */
function checkOverlap(field: Field, hosts: readonly string[]): void {
  const exact = new Set<string>();
  const wildcards: string[] = [];
  const others: string[] = [];
  for (const [index, written] of hosts.entries()) {
    const host = written.toLowerCase();
    const matches = (earlier: string): boolean => hostMatches(earlier, host);
    const equal = exact.has(host) ? host : undefined;
    const other = equal ?? wildcards.find(matches) ?? (isWildcard(host) ? others.find(matches) : undefined);
    if (other !== undefined) {
      const problem = `covers the same names as ${quote(other)}`;
      const level = hosts.slice(0, index).some((earlier) => hostMatches(earlier, written)) ? 'error' : 'warning';
      field.at(index).report(level, 'XEB0201', { problem, got: written, fix: 'remove one of them' });
    }
    exact.add(host);
    if (isWildcard(host)) wildcards.push(host);
    else others.push(host);
  }
}

function checkTlsRoute(field: Field, tls: TlsRoute, frame: VirtualServiceFrame): void {
  const { match = [], route = [] } = tls;
  if (match.length === 0) field.error('XEB0213', { problem: 'has no match', fix: 'match at least one of sniHosts' });
  for (const [index, one] of match.entries()) {
    checkSniHosts(field.at('match', index), one, frame);
    checkL4Match(field.at('match', index), one);
  }
  if (route.length === 0) field.error('XEB0203', { problem: 'leads nowhere', allowed: 'route', fix: 'add a route' });
  checkWeightedDestinations(field.at('route'), route);
}

function checkSniHosts(
  field: Field,
  { sniHosts = [] }: TlsMatch,
  { hosts, boundToGateways }: VirtualServiceFrame,
): void {
  if (sniHosts.length === 0) field.error('XEB0213', { problem: 'has no sniHosts', fix: 'list at least one' });
  for (const [index, host] of sniHosts.entries()) {
    const at = field.at('sniHosts', index);
    if (isIp(host)) {
      at.warn('XEB0213', {
        problem: 'is an IP address, which TLS clients do not send',
        got: host,
        fix: 'use a host name',
      });
    } else if (!isWildcardDnsName(host) && !(boundToGateways && isSniCluster(host))) {
      checkWildcardHost(at, host);
    } else if (!hosts.some((wider) => hostSubsetOf(host.toLowerCase(), wider.toLowerCase()))) {
      at.error('XEB0213', {
        problem: 'is not among the hosts of the VirtualService',
        got: host,
        fix: 'add it to hosts',
      });
    }
  }
}

function checkTcpRoute(field: Field, tcp: TcpRoute): void {
  for (const [index, match] of (tcp.match ?? []).entries()) {
    checkL4Match(field.at('match', index), match);
    if (match.sourceSubnet) checkSubnet(field.at('match', index, 'sourceSubnet'), match.sourceSubnet);
  }
  const { route = [] } = tcp;
  if (route.length === 0) field.error('XEB0203', { problem: 'leads nowhere', allowed: 'route', fix: 'add a route' });
  checkWeightedDestinations(field.at('route'), route);
}

function checkL4Match(field: Field, match: L4Match | TlsMatch): void {
  field.at('destinationSubnets').each(match.destinationSubnets, checkSubnet);
  checkOptionalPort(field.at('port'), match.port);
  checkLabels(field.at('sourceLabels'), match.sourceLabels);
  checkGatewayRefs(field.at('gateways'), match.gateways);
}
