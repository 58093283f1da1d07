import { KeyedMemo, keepIfSame, latest, memoByIdentity } from '../../kit/memo.ts';
import type { Diagnostic } from '../../model/diagnostic.ts';
import type { ClusterName } from '../../model/ids.ts';
import type { EncodedResource } from '../../xds/resource.ts';
import type { BuiltVirtualHost } from '../translate/built.ts';
import { keepEqual } from '../translate/listener/keep-equal.ts';
import type { ProxyTraits, RoutePlan, ServiceAtPort } from '../translate/plan.ts';
import { buildRouteConfiguration, type RouteConfigurationInputs } from '../translate/route/configuration.ts';
import type { RouteDefaults } from '../translate/route/defaults.ts';
import { destinationHosts, groupByName } from '../translate/route/destination.ts';
import { planVirtualHosts, type VirtualHostPlan, type VirtualHostPlans } from '../translate/route/plan.ts';
import { buildVirtualHost, type VirtualHostInputs } from '../translate/route/virtual-host.ts';
import { encodeBuilt } from './encode.ts';

export type RouteInputs = {
  readonly plans: readonly RoutePlan[];
  /** Every port of every service that routes may lead to. */
  readonly members: readonly ServiceAtPort[];
  readonly traits: ProxyTraits;
  /** Where requests for unknown hosts go; sniffed routes have no such place. */
  readonly fallThrough: ClusterName;
  readonly defaults: RouteDefaults;
};

export type BuiltRoutes = {
  readonly resources: readonly EncodedResource[];
  readonly diagnostics: readonly Diagnostic[];
};

/** The route configurations of a sidecar: planned by name, then built virtual host by virtual host. */
export class RouteStage {
  readonly #plans = new Map<string, VirtualHostPlans>();
  readonly #planned = new KeyedMemo<
    string,
    { readonly plan: RoutePlan; readonly traits: ProxyTraits },
    VirtualHostPlans
  >(({ plan, traits }, name) => this.#replan(plan, traits, name));
  readonly #hosts = new VirtualHostMemo();
  readonly #configurations = new ConfigurationMemo();

  readonly get = latest(({ plans, members, traits, fallThrough, defaults }: RouteInputs): BuiltRoutes => {
    const diagnostics: Diagnostic[] = [];
    const resources = plans.map((plan) => {
      const { virtualHosts, matchPorts, diagnostics: planning } = this.#planned.get(plan.name, { plan, traits });
      const built = this.#hosts.get(plan.name, virtualHosts, { members, traits, defaults });
      diagnostics.push(...planning, ...built.flatMap((host) => host.diagnostics));
      const rest = plan.sniffed ? undefined : fallThrough;
      return this.#configurations.get(plan.name, built, { fallThrough: rest, defaults, matchPorts });
    });
    const live = new Set(plans.map(({ name }) => name));
    for (const memo of [this.#planned, this.#configurations, this.#hosts]) memo.retain(live);
    for (const name of this.#plans.keys()) if (!live.has(name)) this.#plans.delete(name);
    return { resources, diagnostics };
  });

  #replan(plan: RoutePlan, traits: ProxyTraits, name: string): VirtualHostPlans {
    const plans = planVirtualHosts(plan, traits);
    const kept = { ...plans, virtualHosts: keepEqual(this.#plans.get(name)?.virtualHosts ?? [], plans.virtualHosts) };
    this.#plans.set(name, kept);
    return kept;
  }
}

type HostContext = {
  readonly members: readonly ServiceAtPort[];
  readonly traits: ProxyTraits;
  readonly defaults: RouteDefaults;
};

/** What is remembered of the virtual hosts of one route configuration, by their names. */
type RouteHosts = {
  readonly built: KeyedMemo<string, VirtualHostInputs, BuiltVirtualHost>;
  readonly destinations: Map<string, readonly ServiceAtPort[]>;
};

/** Virtual hosts of several route configurations, each built again only when something it reads moved. */
export class VirtualHostMemo {
  readonly #routes = new Map<string, RouteHosts>();

  /** All virtual hosts of a route configuration. */
  get(route: string, plans: readonly VirtualHostPlan[], context: HostContext): readonly BuiltVirtualHost[] {
    const hosts = this.#hostsOf(route);
    const built = plans.map((plan) => this.#build(hosts, plan, context));
    // Hosts come and go below a route configuration that stays.
    if (hosts.built.size > plans.length) forgetAllBut(new Set(plans.map(({ name }) => name)), hosts);
    return built;
  }

  retain(routes: ReadonlySet<string>): void {
    for (const route of this.#routes.keys()) if (!routes.has(route)) this.#routes.delete(route);
  }

  #build(
    { built, destinations }: RouteHosts,
    plan: VirtualHostPlan,
    { members, traits, defaults }: HostContext,
  ): BuiltVirtualHost {
    const found = destinationsOf(plan, membersByHost(members));
    const kept = found.length === 0 ? nobody : keepIfSame(destinations.get(plan.name), found);
    if (kept.length > 0) destinations.set(plan.name, kept);
    const { kind, namespace, labels, identityFolder } = traits;
    const tellsProtocol = kind !== 'proxyless' && identityFolder !== '';
    return built.get(plan.name, { ...plan, destinations: kept, kind, tellsProtocol, namespace, labels, defaults });
  }

  #hostsOf(route: string): RouteHosts {
    const known = this.#routes.get(route);
    if (known !== undefined) return known;
    const made = {
      built: new KeyedMemo<string, VirtualHostInputs, BuiltVirtualHost>(buildVirtualHost),
      destinations: new Map(),
    };
    this.#routes.set(route, made);
    return made;
  }
}

function forgetAllBut(names: ReadonlySet<string>, { built, destinations }: RouteHosts): void {
  built.retain(names);
  for (const name of destinations.keys()) if (!names.has(name)) destinations.delete(name);
}

const nobody: readonly ServiceAtPort[] = [];

const membersByHost = memoByIdentity(groupByName);

function destinationsOf(
  { virtualServices }: VirtualHostPlan,
  byHost: ReadonlyMap<string, readonly ServiceAtPort[]>,
): readonly ServiceAtPort[] {
  if (virtualServices.length === 0) return nobody;
  const hosts = new Set(virtualServices.flatMap((virtualService) => destinationHosts(virtualService)));
  return [...hosts].flatMap((host) => byHost.get(host) ?? []);
}

/** Route configurations by name, put together again only when one of their virtual hosts moved. */
export class ConfigurationMemo {
  readonly #hosts = new Map<string, readonly BuiltVirtualHost[]>();
  readonly #memo = new KeyedMemo<string, RouteConfigurationInputs, EncodedResource>((inputs) =>
    encodeBuilt(buildRouteConfiguration(inputs)),
  );

  get(
    name: string,
    built: readonly BuiltVirtualHost[],
    rest: Pick<RouteConfigurationInputs, 'fallThrough' | 'defaults' | 'matchPorts'>,
  ): EncodedResource {
    const virtualHosts = keepIfSame(this.#hosts.get(name), built);
    this.#hosts.set(name, virtualHosts);
    return this.#memo.get(name, { name, virtualHosts, ...rest });
  }

  retain(names: ReadonlySet<string>): void {
    this.#memo.retain(names);
    for (const name of this.#hosts.keys()) if (!names.has(name)) this.#hosts.delete(name);
  }
}
