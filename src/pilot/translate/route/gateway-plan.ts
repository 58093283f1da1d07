import { hostMatches, hostSubsetOf } from '../../../apis/host.ts';
import { compareText } from '../../../kit/order.ts';
import type { MeshVirtualService } from '../../../model/mesh-snapshot.ts';
import type { GatewayRoutePlan, GatewayServerPlan } from '../plan.ts';
import type { VirtualHostPlan } from './plan.ts';

/** A host that a gateway serves, while its virtual services are gathered. */
type Draft = {
  readonly virtualServices: Set<MeshVirtualService>;
  readonly gateways: Set<string>;
  requireTls: boolean;
};

/**
 * Which hosts a gateway's route serves: where a server's host and a virtual service's meet, the narrower of the two. All
 * virtual services of one host are served together, older ones first.
 */
export function planGatewayVirtualHosts(
  { port, servers }: GatewayRoutePlan,
  virtualServices: readonly MeshVirtualService[],
): readonly VirtualHostPlan[] {
  const hosts = new Map<string, Draft>();
  for (const virtualService of virtualServices) {
    if (virtualService.http.length === 0) continue;
    for (const server of servers) bind(hosts, server, virtualService);
  }
  for (const server of servers) redirectRest(hosts, server);
  if (hosts.size === 0) return [blackHole(port)];
  return [...hosts].sort(([a], [b]) => compareText(a, b)).map(([host, draft]) => finish(host, port, draft));
}

function bind(hosts: Map<string, Draft>, server: GatewayServerPlan, virtualService: MeshVirtualService): void {
  for (const host of sharedHosts(server, virtualService)) {
    const draft = draftOf(hosts, host);
    draft.virtualServices.add(virtualService);
    draft.gateways.add(gatewayName(server));
    draft.requireTls ||= redirects(server);
  }
}

/** Clients without TLS are sent to https also for hosts that have no rules here: those are for the https server. */
function redirectRest(hosts: Map<string, Draft>, server: GatewayServerPlan): void {
  if (!redirects(server)) return;
  for (const { host } of server.hosts) {
    const draft = draftOf(hosts, host);
    draft.gateways.add(gatewayName(server));
    draft.requireTls = true;
  }
}

function sharedHosts(server: GatewayServerPlan, virtualService: MeshVirtualService): readonly string[] {
  if (!virtualService.gateways.includes(gatewayName(server))) return [];
  const { namespace } = virtualService.object.meta;
  const allowed = server.hosts.filter((entry) => entry.namespace === undefined || entry.namespace === namespace);
  return virtualService.hosts.flatMap((own) =>
    allowed.filter(({ host }) => hostMatches(own, host)).map(({ host }) => (hostSubsetOf(own, host) ? own : host)),
  );
}

function gatewayName({ gateway }: GatewayServerPlan): string {
  return `${gateway.meta.namespace}/${gateway.meta.name}`;
}

function redirects({ server }: GatewayServerPlan): boolean {
  return server.tls?.httpsRedirect === true;
}

function draftOf(hosts: Map<string, Draft>, host: string): Draft {
  const known = hosts.get(host);
  if (known !== undefined) return known;
  const draft: Draft = { virtualServices: new Set(), gateways: new Set(), requireTls: false };
  hosts.set(host, draft);
  return draft;
}

function finish(host: string, port: number, { virtualServices, gateways, requireTls }: Draft): VirtualHostPlan {
  return {
    name: `${host}:${port}`,
    domains: [host.includes(':') ? `[${host}]` : host],
    port,
    member: undefined,
    virtualServices: [...virtualServices],
    gateways: [...gateways],
    requireTls,
  };
}

/** Answers 404 to everything: a route without any virtual host would be an error, not an answer. */
function blackHole(port: number): VirtualHostPlan {
  return {
    name: `blackhole:${port}`,
    domains: ['*'],
    port,
    member: undefined,
    virtualServices: [],
    gateways: [],
    requireTls: false,
  };
}
