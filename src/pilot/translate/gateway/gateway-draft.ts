import type { Diagnostic } from '../../../model/diagnostic.ts';
import { refOf, renderRef } from '../../../model/object.ts';
import { diagnoseListener, type ListenerCode } from '../listener/codes.ts';
import type { GatewayRoutePlan, GatewayServerPlan } from '../plan.ts';
import type { GatewayConnectionPlan, GatewayPlan, GatewayPortPlan } from './gateway-plan.ts';
import type { ServerForm } from './server-kind.ts';

export type PortSite = { readonly address: string; readonly port: number; readonly bind: string };
export type ServerDraft = ServerForm & { readonly plan: GatewayServerPlan };

type PortDraft = {
  readonly site: PortSite;
  readonly family: Family;
  readonly first: ServerDraft;
  readonly http: GatewayServerPlan[];
  readonly connections: GatewayConnectionPlan[];
  /** Which server took a TLS server name. */
  readonly names: Map<string, GatewayServerPlan>;
};

/** What can stand side by side on one port. */
type Family = 'http' | 'tls' | 'tcp';

/** Gathers ports and routes while servers are gone through; lives inside one call of `planGateway`. */
export class GatewayDraft {
  readonly #ports = new Map<string, PortDraft>();
  readonly #routes = new Map<string, { readonly port: number; readonly servers: GatewayServerPlan[] }>();
  readonly diagnostics: Diagnostic[] = [];

  add(site: PortSite, server: ServerDraft): void {
    const port = this.#port(site, server);
    const isAlone = port.first === server;
    const family = familyOf(server.kind);
    if (port.family !== family || (family === 'tcp' && !isAlone)) {
      this.#refusePort(port, server);
      return;
    }
    if (family === 'http') this.#addHttp(port, server);
    else if (family === 'tcp') port.connections.push(connection(server, [], { kind: 'tcp' }));
    else this.#addTls(port, server);
  }

  finish(): GatewayPlan {
    const ports = [...this.#ports.values()].map(finishPort);
    const routes: readonly GatewayRoutePlan[] = [...this.#routes].map(([name, route]) => ({ name, ...route }));
    return { ports, routes, diagnostics: this.diagnostics };
  }

  #port(site: PortSite, first: ServerDraft): PortDraft {
    const key = `${site.address}_${site.port}`;
    const known = this.#ports.get(key);
    if (known !== undefined) return known;
    const port = { site, family: familyOf(first.kind), first, http: [], connections: [], names: new Map() };
    this.#ports.set(key, port);
    return port;
  }

  #addHttp(port: PortDraft, server: ServerDraft): void {
    port.http.push(server.plan);
    this.#route(httpRouteName(port.site), server).push(server.plan);
  }

  #addTls(port: PortDraft, server: ServerDraft): void {
    const free = server.plan.hosts.filter(({ host }) => !port.names.has(host));
    this.#tellTakenHosts(port, server);
    if (free.length === 0) return;
    const plan = free.length === server.plan.hosts.length ? server.plan : { ...server.plan, hosts: free };
    const names = [...new Set(free.map(({ host }) => host))];
    if (server.kind !== 'https') {
      for (const name of names) port.names.set(name, plan);
      port.connections.push(connection({ ...server, plan }, names, servesOf(server)));
      return;
    }
    const route = httpsRouteName(port.site, server);
    const owners = this.#routes.get(route)?.servers ?? [];
    if (owners.some(({ gateway, index }) => gateway === plan.gateway && index !== plan.index)) {
      this.#tell(
        plan,
        'XEB2401',
        `another server of this Gateway has port name ${server.plan.server.port.name ?? ''} too`,
      );
      return;
    }
    for (const name of names) port.names.set(name, plan);
    if (owners.length === 0) this.#route(route, server).push(plan);
    port.connections.push(
      connection({ ...server, plan }, names, { kind: 'https', route, certificates: server.certificates }),
    );
  }

  #route(name: string, server: ServerDraft): GatewayServerPlan[] {
    const known = this.#routes.get(name);
    if (known !== undefined) return known.servers;
    const servers: GatewayServerPlan[] = [];
    this.#routes.set(name, { port: server.port, servers });
    return servers;
  }

  #refusePort({ first }: PortDraft, server: ServerDraft): void {
    const owner = renderRef(refOf(first.plan.gateway));
    const message = `port ${server.port} is served as ${first.protocol} by ${owner}, which is older, so ${server.protocol} cannot share it`;
    this.#tell(server.plan, 'XEB2401', message);
  }

  #tellTakenHosts({ names }: PortDraft, { plan, port }: ServerDraft): void {
    for (const { host } of plan.hosts) {
      const owner = names.get(host);
      if (owner === undefined) continue;
      const by = renderRef(refOf(owner.gateway));
      this.#tell(plan, 'XEB2402', `host ${host} on port ${port} already leads to servers[${owner.index}] of ${by}`);
    }
  }

  #tell({ gateway, index }: GatewayServerPlan, code: ListenerCode, message: string): void {
    const place = { object: refOf(gateway), path: `spec.servers[${index}]` };
    this.diagnostics.push(diagnoseListener('warning', code, place, message));
  }
}

function familyOf(kind: ServerForm['kind']): Family {
  return kind === 'http' || kind === 'tcp' ? kind : 'tls';
}

function servesOf(server: Exclude<ServerDraft, { readonly kind: 'https' }>): GatewayConnectionPlan['serves'] {
  if (server.kind === 'tls') return { kind: 'tls', certificates: server.certificates };
  return { kind: server.kind === 'auto-passthrough' ? server.kind : 'passthrough' };
}

function connection(
  { plan, protocol }: ServerDraft,
  serverNames: readonly string[],
  serves: GatewayConnectionPlan['serves'],
): GatewayConnectionPlan {
  return { server: plan, protocol, serverNames: serverNames.includes('*') ? [] : serverNames, serves };
}

function httpRouteName({ port, bind }: PortSite): string {
  return `http.${port}${suffix(bind)}`;
}

function httpsRouteName({ bind }: PortSite, { port, plan }: ServerDraft): string {
  const { name, namespace } = plan.gateway.meta;
  return `https.${port}.${plan.server.port.name ?? ''}.${name}.${namespace}${suffix(bind)}`;
}

function suffix(bind: string): string {
  return bind === '' ? '' : `.${bind}`;
}

function finishPort({ site, http, connections }: PortDraft): GatewayPortPlan {
  return {
    name: `${site.address}_${site.port}`,
    address: site.address,
    port: site.port,
    http: http.length === 0 ? undefined : { route: httpRouteName(site), servers: http },
    connections,
  };
}
