import { KeyedMemo, keepIfSame, latest } from '../../kit/memo.ts';
import type { MeshVirtualService } from '../../model/mesh-snapshot.ts';
import { isHttp, namesOf } from '../../model/service.ts';
import type { EncodedResource } from '../../xds/resource.ts';
import type { BuiltVirtualHost } from '../translate/built.ts';
import { clusterDefaults } from '../translate/cluster/defaults.ts';
import { shortForms } from '../translate/dns/name-table.ts';
import { VirtualServiceIndex } from '../translate/listener/virtual-service-index.ts';
import type { ProxyTraits, ServiceAtPort } from '../translate/plan.ts';
import { buildApiListener, buildProxylessRoutes, proxylessRouteName } from '../translate/proxyless/listener.ts';
import { routeDefaults } from '../translate/route/defaults.ts';
import { planVirtualHosts, type VirtualHostPlan } from '../translate/route/plan.ts';
import { memberResources } from './cluster-stage.ts';
import { encodeBuilt } from './encode.ts';
import { keepLists } from './keep-lists.ts';
import { membersOf } from './members.ts';
import type { Outbound, OutboundInputs } from './outbound-stage.ts';
import { VirtualHostMemo } from './route-stage.ts';

type PlanInputs = {
  readonly at: ServiceAtPort;
  readonly virtualServices: readonly MeshVirtualService[];
  readonly traits: ProxyTraits;
};

/** What a gRPC client without a proxy may ask for: a listener for each name of each HTTP port, its routes and clusters. */
export class ProxylessStage {
  readonly #hosts = new VirtualHostMemo();
  readonly #virtualServices = new Map<string, readonly MeshVirtualService[]>();
  /** The name of a listener already says which host is meant, so there is one virtual host. */
  readonly #plans = new KeyedMemo<string, PlanInputs, readonly VirtualHostPlan[]>(
    ({ at, virtualServices, traits }, name) =>
      planVirtualHosts({ name, port: at.port.port, members: [at], virtualServices, dialled: [], sniffed: true }, traits)
        .virtualHosts,
  );
  readonly #routes = new KeyedMemo<
    string,
    { readonly at: ServiceAtPort; readonly host: BuiltVirtualHost },
    EncodedResource
  >(({ at, host }) => encodeBuilt(buildProxylessRoutes(at, host)));

  readonly #listeners = new KeyedMemo<string, ListenerInputs, readonly EncodedResource[]>(buildListeners);

  readonly get = latest((inputs: OutboundInputs, previous: Outbound | undefined): Outbound => {
    const { mesh, scope, rules, traits, place, placeKey } = inputs;
    const members = membersOf(scope.services, rules);
    // gRPC clients have credentials of their own, and are told of no certificates.
    const { kind } = traits;
    const context = {
      kind,
      identityFolder: '',
      owner: traits,
      defaults: clusterDefaults(mesh.config.mesh),
      place,
      placeKey,
    };
    const { clusters, assignments, secrets, diagnostics } = memberResources(mesh, members, context);
    const callable = members.filter(({ port }) => isHttp(port.protocol) || port.protocol === 'auto');
    const index = new VirtualServiceIndex(scope.egress.flatMap((egress) => egress.virtualServices));
    const built = callable.flatMap((at) => this.#routesOf(at, { index, members, inputs }));
    const { dnsDomain } = traits;
    const listeners = callable.flatMap((at) => this.#listeners.get(proxylessRouteName(at), { at, dnsDomain }));
    this.#retain(new Set(callable.map(proxylessRouteName)));
    return keepLists(previous, {
      clusters,
      assignments,
      secrets,
      listeners,
      routes: built.map(({ route }) => route),
      diagnostics: [...diagnostics, ...built.flatMap(({ host }) => host.diagnostics)],
    });
  });

  #routesOf(at: ServiceAtPort, { index, members, inputs }: RouteContext): readonly BuiltRoute[] {
    const { mesh, traits } = inputs;
    const name = proxylessRouteName(at);
    const virtualServices = keepIfSame(this.#virtualServices.get(name), index.get(at.service.hostname));
    this.#virtualServices.set(name, virtualServices);
    const plans = this.#plans.get(name, { at, virtualServices, traits });
    const hosts = this.#hosts.get(name, plans, { members, traits, defaults: routeDefaults(mesh.config.mesh) });
    return hosts.map((host) => ({ host, route: this.#routes.get(name, { at, host }) }));
  }

  #retain(live: ReadonlySet<string>): void {
    for (const memo of [this.#plans, this.#routes, this.#hosts, this.#listeners]) memo.retain(live);
    for (const name of this.#virtualServices.keys()) if (!live.has(name)) this.#virtualServices.delete(name);
  }
}

type BuiltRoute = { readonly host: BuiltVirtualHost; readonly route: EncodedResource };

type RouteContext = {
  readonly index: VirtualServiceIndex;
  readonly members: readonly ServiceAtPort[];
  readonly inputs: OutboundInputs;
};

type ListenerInputs = { readonly at: ServiceAtPort; readonly dnsDomain: string };

/** Clients name a service as they would in DNS, so every form of its name has a listener. */
function buildListeners({ at, dnsDomain }: ListenerInputs): readonly EncodedResource[] {
  return namesOf(at.service)
    .flatMap((name) => [name, ...shortForms(name, dnsDomain)])
    .map((host) => encodeBuilt(buildApiListener(at, `${host}:${at.port.port}`)));
}
