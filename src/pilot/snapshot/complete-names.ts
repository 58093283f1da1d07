import { completeHost } from '../../apis/host.ts';
import type { Destination, HttpRoute, TcpRoute, TlsRoute } from '../../apis/networking/networking.ts';
import type { ConfigObject } from '../../model/object.ts';

/** Where short names are completed: the namespace of the object that uses them. */
export type NameContext = { readonly namespace: string; readonly domainSuffix: string };

export const MESH_GATEWAY = 'mesh';

/** Lower case, without the trailing dot, and complete; addresses stay as they are. */
export function completeHostname(host: string, { namespace, domainSuffix }: NameContext): string {
  const lower = host.toLowerCase();
  if (lower.includes(':')) return lower;
  return completeHost(lower.endsWith('.') ? lower.slice(0, -1) : lower, namespace, domainSuffix);
}

/** `mesh`, or `namespace/name` of `name`, `./name`, `namespace/name` or `name.namespace.svc.…`. */
export function qualifyGateway(gateway: string, namespace: string): string {
  if (gateway === MESH_GATEWAY) return gateway;
  const [first = '', second] = gateway.split('/');
  if (second !== undefined) return `${first === '.' ? namespace : first}/${second}`;
  const [name = '', itsNamespace = namespace] = gateway.split('.');
  return `${itsNamespace}/${name}`;
}

export type CompleteVirtualService = {
  readonly hosts: readonly string[];
  readonly gateways: readonly string[];
  readonly http: readonly HttpRoute[];
  readonly tls: readonly TlsRoute[];
  readonly tcp: readonly TcpRoute[];
};

/** A VirtualService in which every name is complete, so that it means the same in every namespace. */
export function completeVirtualService(
  { spec, meta }: ConfigObject<'VirtualService'>,
  domainSuffix: string,
): CompleteVirtualService {
  const context = { namespace: meta.namespace, domainSuffix };
  const { hosts = [], gateways = [], http = [], tls = [], tcp = [] } = spec;
  return {
    hosts: hosts.map((host) => completeHostname(host, context)),
    gateways: gateways.length === 0 ? [MESH_GATEWAY] : qualifyAll(gateways, context),
    http: http.map((route) => completeHttpRoute(route, context)),
    tls: tls.map((route) => completeL4Route(route, context)),
    tcp: tcp.map((route) => completeL4Route(route, context)),
  };
}

function qualifyAll(gateways: readonly string[], { namespace }: NameContext): readonly string[] {
  return [...new Set(gateways.map((gateway) => qualifyGateway(gateway, namespace)))];
}

function completeHttpRoute(route: HttpRoute, context: NameContext): HttpRoute {
  const { match, route: destinations, mirror, mirrors } = route;
  return {
    ...route,
    ...(match === undefined ? {} : { match: match.map((one) => completeMatch(one, context)) }),
    ...(destinations === undefined ? {} : { route: destinations.map((one) => completeTarget(one, context)) }),
    ...(mirror === undefined ? {} : { mirror: completeDestination(mirror, context) }),
    ...(mirrors === undefined ? {} : { mirrors: mirrors.map((one) => completeTarget(one, context)) }),
  };
}

function completeL4Route<Route extends TlsRoute | TcpRoute>(route: Route, context: NameContext): Route {
  const { match, route: destinations } = route;
  return {
    ...route,
    ...(match === undefined ? {} : { match: match.map((one) => completeMatch(one, context)) }),
    ...(destinations === undefined ? {} : { route: destinations.map((one) => completeTarget(one, context)) }),
  };
}

function completeMatch<Match extends { readonly gateways?: readonly string[] | undefined }>(
  match: Match,
  context: NameContext,
): Match {
  return match.gateways === undefined ? match : { ...match, gateways: qualifyAll(match.gateways, context) };
}

function completeTarget<Target extends { readonly destination: Destination }>(
  target: Target,
  context: NameContext,
): Target {
  return { ...target, destination: completeDestination(target.destination, context) };
}

function completeDestination(destination: Destination, context: NameContext): Destination {
  const host = completeHostname(destination.host, context);
  return host === destination.host ? destination : { ...destination, host };
}
