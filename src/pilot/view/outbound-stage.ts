import { KeyedMemo, keepIfSame, latest, memoByIdentity } from '../../kit/memo.ts';
import type { Diagnostic } from '../../model/diagnostic.ts';
import type { MeshSnapshot } from '../../model/mesh-snapshot.ts';
import type { EncodedResource } from '../../xds/resource.ts';
import type { EgressScope, SidecarScope } from '../scope/scope.ts';
import { clusterDefaults } from '../translate/cluster/defaults.ts';
import { buildBlackHoleCluster, buildPassthroughCluster } from '../translate/cluster/static.ts';
import { buildDnsListener, type DnsListenerInputs } from '../translate/dns/listener.ts';
import type { ClientPlace } from '../translate/endpoint/place.ts';
import type { ListenerSettings } from '../translate/filters/settings.ts';
import { fallThroughCluster } from '../translate/listener/fall-through.ts';
import { keepEqual } from '../translate/listener/keep-equal.ts';
import { buildOutboundListener, type OutboundListenerInputs } from '../translate/listener/outbound.ts';
import type { HeadlessPort, OutboundEgress, OutboundListenerPlan } from '../translate/listener/outbound-plan.ts';
import { planOutbound } from '../translate/listener/plan.ts';
import { buildVirtualOutbound, type VirtualOutboundInputs } from '../translate/listener/virtual-outbound.ts';
import type { ProxyTraits, RoutePlan, ServiceAtPort } from '../translate/plan.ts';
import { routeDefaults } from '../translate/route/defaults.ts';
import { type ClusterContext, memberResources } from './cluster-stage.ts';
import { encodeBuilt } from './encode.ts';
import { headlessNames, headlessPorts } from './endpoint-lookup.ts';
import { keepLists } from './keep-lists.ts';
import { membersOf, type Rules } from './members.ts';
import { RouteStage } from './route-stage.ts';

export type OutboundInputs = {
  readonly mesh: MeshSnapshot;
  readonly scope: SidecarScope;
  readonly rules: Rules;
  readonly traits: ProxyTraits;
  readonly settings: ListenerSettings;
  readonly place: ClientPlace;
  readonly placeKey: string;
};

export type Outbound = {
  readonly clusters: readonly EncodedResource[];
  readonly assignments: readonly EncodedResource[];
  readonly secrets: readonly EncodedResource[];
  readonly listeners: readonly EncodedResource[];
  readonly routes: readonly EncodedResource[];
  readonly diagnostics: readonly Diagnostic[];
};

type EncodedListener = { readonly resource: EncodedResource | undefined; readonly diagnostics: readonly Diagnostic[] };
type Plan = {
  readonly listeners: readonly OutboundListenerPlan[];
  readonly routes: readonly RoutePlan[];
  readonly diagnostics: readonly Diagnostic[];
};
type AllListenersInputs = Omit<OutboundListenerInputs, 'plan'> & {
  readonly listeners: readonly OutboundListenerPlan[];
};
type BuiltListeners = {
  readonly resources: readonly EncodedResource[];
  readonly diagnostics: readonly Diagnostic[];
};
type PlanInputs = {
  readonly egress: readonly OutboundEgress[];
  readonly headless: readonly HeadlessPort[];
  readonly traits: ProxyTraits;
  readonly httpProxyPort: number;
};

/** What leads a sidecar's workload to others. Sidecars with one scope and equal traits share one stage. */
export class OutboundStage {
  readonly #egress = latest(({ egress, rules }: { readonly egress: readonly EgressScope[]; readonly rules: Rules }) =>
    egress.map(
      (scope): OutboundEgress => ({
        listener: scope.listener,
        members: membersOf(scope.services, rules),
        virtualServices: scope.virtualServices,
      }),
    ),
  );
  readonly #plan = latest((inputs: PlanInputs, previous: Plan | undefined): Plan => {
    const { listeners, routes, diagnostics } = planOutbound(inputs);
    return {
      listeners: keepEqual(previous?.listeners ?? [], listeners),
      routes: keepEqual(previous?.routes ?? [], routes),
      diagnostics,
    };
  });
  readonly #listeners = new KeyedMemo<string, OutboundListenerInputs, EncodedListener>((inputs) => {
    const { resources, diagnostics } = buildOutboundListener(inputs);
    const [first] = resources;
    return { resource: first && encodeBuilt(first), diagnostics };
  });
  readonly #allListeners = latest(({ listeners, ...rest }: AllListenersInputs): BuiltListeners => {
    const built = listeners.map((plan) => this.#listeners.get(plan.name, { plan, ...rest }));
    this.#listeners.retain(new Set(listeners.map(({ name }) => name)));
    return {
      resources: built.flatMap(({ resource }) => (resource === undefined ? [] : [resource])),
      diagnostics: built.flatMap(({ diagnostics }) => diagnostics),
    };
  });
  readonly #virtual = latest((inputs: VirtualOutboundInputs) => buildVirtualOutbound(inputs));
  readonly #dns = latest((inputs: DnsListenerInputs) => buildDnsListener(inputs));
  readonly #routes = new RouteStage();
  #headless: readonly HeadlessPort[] = [];
  #names: DnsListenerInputs['headless'] = [];

  readonly get = latest((inputs: OutboundInputs, previous: Outbound | undefined): Outbound => {
    const { mesh, scope, rules, traits, settings } = inputs;
    const members = membersOf(scope.services, rules);
    this.#headless = keepIfSame(this.#headless, headlessPorts(mesh, members));
    const { httpProxyPort } = settings;
    const egress = this.#egress({ egress: scope.egress, rules });
    const plan = this.#plan({ egress, headless: this.#headless, traits, httpProxyPort });
    const context = contextOf(inputs);
    const { clusters, assignments, secrets, diagnostics } = memberResources(mesh, members, context);
    const fallThrough = fallThroughCluster(scope.outboundTrafficPolicy);
    const listeners = this.#allListeners({ listeners: plan.listeners, traits, settings, fallThrough });
    const routes = this.#routes.get({
      plans: plan.routes,
      members,
      traits,
      fallThrough,
      defaults: routeDefaults(mesh.config.mesh),
    });
    return keepLists(previous, {
      clusters: [...clusters, ...fixedClusters(context)],
      assignments,
      secrets,
      listeners: [...listeners.resources, ...this.#buildFixed(inputs, members)],
      routes: routes.resources,
      diagnostics: [...plan.diagnostics, ...diagnostics, ...listeners.diagnostics, ...routes.diagnostics],
    });
  });

  #buildFixed(
    { mesh, scope, traits, settings }: OutboundInputs,
    members: readonly ServiceAtPort[],
  ): readonly EncodedResource[] {
    const fallThrough = fallThroughCluster(scope.outboundTrafficPolicy);
    this.#names = traits.dnsCapture ? keepIfSame(this.#names, headlessNames(mesh, members)) : this.#names;
    const fixed = [
      this.#virtual({ settings, traits, fallThrough }),
      this.#dns({ services: scope.services, headless: this.#names, traits }),
    ];
    return fixed.flatMap((listener) => (listener === undefined ? [] : [encodeBuilt(listener)]));
  }
}

function contextOf({ mesh, traits, place, placeKey }: OutboundInputs): ClusterContext {
  const { kind, identityFolder } = traits;
  return { kind, identityFolder, owner: traits, defaults: clusterDefaults(mesh.config.mesh), place, placeKey };
}

const passthrough = memoByIdentity(buildPassthroughCluster);
const blackHole = memoByIdentity(buildBlackHoleCluster);

function fixedClusters({ defaults }: ClusterContext): readonly EncodedResource[] {
  return [encodeBuilt(passthrough(defaults)), encodeBuilt(blackHole(defaults))];
}
