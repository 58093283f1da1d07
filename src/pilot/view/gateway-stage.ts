import { KeyedMemo, keepIfSame, latest } from '../../kit/memo.ts';
import type { Diagnostic } from '../../model/diagnostic.ts';
import type { MeshSnapshot, MeshVirtualService } from '../../model/mesh-snapshot.ts';
import type { ConfigObject } from '../../model/object.ts';
import { namesOf, type ServiceTarget } from '../../model/service.ts';
import type { EncodedResource } from '../../xds/resource.ts';
import type { GatewayScope, ScopedGateway } from '../scope/scope.ts';
import { type Built, type ClusterType, ROUTE_URL } from '../translate/built.ts';
import { type ClusterDefaults, clusterDefaults } from '../translate/cluster/defaults.ts';
import { buildBlackHoleCluster } from '../translate/cluster/static.ts';
import type { ClientPlace } from '../translate/endpoint/place.ts';
import type { ListenerSettings } from '../translate/filters/settings.ts';
import {
  buildSniCluster,
  exportedBy,
  type SniClusterInputs,
  subsetsOf,
} from '../translate/gateway/auto-passthrough.ts';
import { secretsFor } from '../translate/gateway/credentials.ts';
import type { GatewayConnectionPlan, GatewayPlan, GatewayPlanInputs } from '../translate/gateway/gateway-plan.ts';
import {
  type BuiltGateway,
  buildGatewayListener,
  type EndingCertificate,
  type GatewayListenerInputs,
} from '../translate/gateway/listener.ts';
import { planGateway } from '../translate/gateway/plan.ts';
import type { TlsDefaults } from '../translate/gateway/tls-parameters.ts';
import { keepEqual } from '../translate/listener/keep-equal.ts';
import type { GatewayRoutePlan, ProxyTraits, ServiceAtPort } from '../translate/plan.ts';
import { routeDefaults } from '../translate/route/defaults.ts';
import { destinationHosts } from '../translate/route/destination.ts';
import { planGatewayVirtualHosts } from '../translate/route/gateway-plan.ts';
import type { VirtualHostPlan } from '../translate/route/plan.ts';
import type { WorkloadSecurity } from '../translate/security.ts';
import { memberResources } from './cluster-stage.ts';
import { encodeBuilt } from './encode.ts';
import { IdentityMemo } from './identity-memo.ts';
import { keepLists } from './keep-lists.ts';
import { membersOf, type Rules } from './members.ts';
import type { Outbound } from './outbound-stage.ts';
import { ConfigurationMemo, VirtualHostMemo } from './route-stage.ts';

export type GatewayInputs = {
  readonly mesh: MeshSnapshot;
  readonly gateway: GatewayScope;
  readonly rules: Rules;
  readonly targets: readonly ServiceTarget[];
  readonly traits: ProxyTraits;
  readonly security: WorkloadSecurity;
  readonly settings: ListenerSettings;
  readonly place: ClientPlace;
  readonly placeKey: string;
};

export type GatewayOutput = Outbound & {
  readonly endings: readonly EndingCertificate[];
};

const noTlsDefaults: TlsDefaults = {};

const sniClusters = new IdentityMemo<ServiceAtPort, SniClusterInputs, Built<ClusterType>>(buildSniCluster);

type RoutePlanInputs = { readonly plan: GatewayRoutePlan; readonly virtualServices: readonly MeshVirtualService[] };

/** Everything a gateway gets. Gateways with one scope, equal traits and equal targets share one stage. */
export class GatewayStage {
  readonly #members = latest(
    (inputs: { readonly services: GatewayScope['scope']['services']; readonly rules: Rules }) =>
      membersOf(inputs.services, inputs.rules),
  );
  readonly #plan = latest((inputs: GatewayPlanInputs, previous: GatewayPlan | undefined): GatewayPlan => {
    const { ports, routes, diagnostics } = planGateway(inputs);
    return {
      ports: keepEqual(previous?.ports ?? [], ports),
      routes: keepEqual(previous?.routes ?? [], routes),
      diagnostics,
    };
  });
  readonly #listeners = new KeyedMemo<string, GatewayListenerInputs, BuiltGateway>(buildGatewayListener);
  readonly #hostPlans = new Map<string, readonly VirtualHostPlan[]>();
  readonly #planned = new KeyedMemo<string, RoutePlanInputs, readonly VirtualHostPlan[]>((inputs, name) => {
    const plans = planGatewayVirtualHosts(inputs.plan, inputs.virtualServices);
    const kept = keepEqual(this.#hostPlans.get(name) ?? [], plans);
    this.#hostPlans.set(name, kept);
    return kept;
  });
  readonly #hosts = new VirtualHostMemo();
  readonly #configurations = new ConfigurationMemo();
  #objects: readonly ConfigObject<'Gateway'>[] = [];
  #virtualServices: readonly MeshVirtualService[] = [];
  readonly #l4 = new Map<
    string,
    Pick<GatewayListenerInputs, 'virtualServices' | 'destinations' | 'secrets' | 'exported'>
  >();

  readonly get = latest((inputs: GatewayInputs, previous: GatewayOutput | undefined): GatewayOutput => {
    const { mesh, gateway, rules, targets, traits } = inputs;
    const members = this.#members({ services: gateway.scope.services, rules });
    this.#objects = keepIfSame(
      this.#objects,
      gateway.gateways.map(({ object }) => object),
    );
    this.#virtualServices = keepIfSame(this.#virtualServices, boundTo(gateway.gateways, mesh));
    const plan = this.#plan({ gateways: this.#objects, targets });
    const defaults = clusterDefaults(mesh.config.mesh);
    const { kind, identityFolder } = traits;
    const context = { kind, identityFolder, owner: traits, defaults, place: inputs.place, placeKey: inputs.placeKey };
    const { clusters, assignments, secrets, diagnostics } = memberResources(mesh, members, context);
    const listeners = this.#buildListeners(plan, inputs, members);
    const routes = this.#buildRoutes(plan.routes, inputs, members);
    const asked = new Set(listeners.flatMap(({ listener }) => routesOf(listener)));
    return keepLists(previous, {
      clusters: [
        ...clusters,
        ...this.#sniClusters(plan, members, defaults),
        encodeBuilt(buildBlackHoleCluster(defaults)),
      ],
      assignments,
      listeners: listeners.flatMap(({ listener }) => (listener === undefined ? [] : [encodeBuilt(listener)])),
      // Those of a host that is closed are built, for what they tell, and asked for by nobody.
      routes: routes.resources.filter(({ name }) => asked.has(name)),
      secrets: [...secrets, ...listeners.flatMap((built) => built.secrets.map(encodeBuilt))],
      diagnostics: [
        ...plan.diagnostics,
        ...diagnostics,
        ...listeners.flatMap((built) => built.diagnostics),
        ...routes.diagnostics,
      ],
      endings: listeners.flatMap(({ endings }) => endings),
    });
  });

  #sniClusters(
    { ports }: GatewayPlan,
    members: readonly ServiceAtPort[],
    defaults: ClusterDefaults,
  ): readonly EncodedResource[] {
    const exported = new Set(ports.flatMap(({ connections }) => exportedOf(connections, members)));
    return [...exported].flatMap((at) =>
      subsetsOf(at).map((subset) => encodeBuilt(sniClusters.get(at, subset, { at, subset, defaults }))),
    );
  }

  #buildListeners(
    plan: GatewayPlan,
    { mesh, traits, settings, security }: GatewayInputs,
    members: readonly ServiceAtPort[],
  ): readonly BuiltGateway[] {
    const tlsDefaults = mesh.config.mesh.tlsDefaults ?? noTlsDefaults;
    const l4 = this.#virtualServices.filter(({ tls, tcp }) => tls.length + tcp.length > 0);
    const built = plan.ports.map((port) => {
      const names = new Set(
        port.connections.map(({ server: { gateway } }) => `${gateway.meta.namespace}/${gateway.meta.name}`),
      );
      const bound = l4.filter(({ gateways }) => gateways.some((name) => names.has(name)));
      const hosts = new Set(bound.flatMap((virtualService) => destinationHosts(virtualService)));
      const before = this.#l4.get(port.name);
      const kept = {
        virtualServices: keepIfSame(before?.virtualServices, bound),
        destinations: keepIfSame(
          before?.destinations,
          members.filter(({ service }) => namesOf(service).some((name) => hosts.has(name))),
        ),
        // Nobody's key is so much as looked at for whoever may have no keys.
        secrets: keepIfSame(
          before?.secrets,
          traits.isProven ? secretsFor(port.connections, mesh.secrets, traits.namespace) : [],
        ),
        exported: keepIfSame(before?.exported, exportedOf(port.connections, members)),
      };
      this.#l4.set(port.name, kept);
      return this.#listeners.get(port.name, { plan: port, ...kept, traits, settings, security, tlsDefaults });
    });
    const live = new Set(plan.ports.map(({ name }) => name));
    this.#listeners.retain(live);
    for (const name of this.#l4.keys()) if (!live.has(name)) this.#l4.delete(name);
    return built;
  }

  #buildRoutes(
    plans: readonly GatewayRoutePlan[],
    { mesh, traits }: GatewayInputs,
    members: readonly ServiceAtPort[],
  ): {
    readonly resources: readonly EncodedResource[];
    readonly diagnostics: readonly Diagnostic[];
  } {
    const diagnostics: Diagnostic[] = [];
    const defaults = routeDefaults(mesh.config.mesh);
    const resources = plans.map((plan) => {
      const hosts = this.#planned.get(plan.name, { plan, virtualServices: this.#virtualServices });
      const built = this.#hosts.get(plan.name, hosts, { members, traits, defaults });
      diagnostics.push(...built.flatMap((host) => host.diagnostics));
      return this.#configurations.get(plan.name, built, { fallThrough: undefined, defaults, matchPorts: false });
    });
    const live = new Set(plans.map(({ name }) => name));
    for (const memo of [this.#planned, this.#hosts, this.#configurations]) memo.retain(live);
    for (const name of this.#hostPlans.keys()) if (!live.has(name)) this.#hostPlans.delete(name);
    return { resources, diagnostics };
  }
}

function routesOf(listener: BuiltGateway['listener']): readonly string[] {
  return (listener?.needs ?? []).filter(({ typeUrl }) => typeUrl === ROUTE_URL).map(({ name }) => name);
}

/** What any of the servers lets in to by the server name alone, each once. */
function exportedOf(
  connections: readonly GatewayConnectionPlan[],
  members: readonly ServiceAtPort[],
): readonly ServiceAtPort[] {
  return [...new Set(connections.flatMap((connection) => exportedBy(connection, members)))];
}

/** Bound to any of the gateways, each once, in the order of the snapshot. */
function boundTo(gateways: readonly ScopedGateway[], { virtualServices }: MeshSnapshot): readonly MeshVirtualService[] {
  const bound = new Set(gateways.flatMap((gateway) => gateway.virtualServices));
  return virtualServices.filter((virtualService) => bound.has(virtualService));
}
