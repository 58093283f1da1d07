import type { MeshConfig } from '../../apis/mesh/mesh-config.ts';
import { memoByIdentity, sameFields } from '../../kit/memo.ts';
import type { Diagnostic } from '../../model/diagnostic.ts';
import type { ObjectKey } from '../../model/ids.ts';
import type { MeshSecurity } from '../../model/mesh-security.ts';
import type { MeshSnapshot, MeshVirtualService } from '../../model/mesh-snapshot.ts';
import { type ConfigObject, refOf } from '../../model/object.ts';
import type { Proxy } from '../../model/proxy.ts';
import type { ServiceTarget, Workload } from '../../model/service.ts';
import type { XdsSnapshot } from '../../xds/ports.ts';
import type { EncodedResource } from '../../xds/resource.ts';
import type { Verdicts } from '../../xds/verdicts.ts';
import { workloadOf } from '../proxy/workload-of.ts';
import { collectDiagnostics } from '../registry/diagnose.ts';
import type { SidecarScope } from '../scope/scope.ts';
import { Scopes } from '../scope/scopes.ts';
import { destinationRulesFor } from '../scope/workload-rules.ts';
import { SecuritySelection } from '../security/workload-security.ts';
import { clusterDefaults } from '../translate/cluster/defaults.ts';
import { buildInboundPassthroughCluster } from '../translate/cluster/static.ts';
import type { ClientPlace } from '../translate/endpoint/place.ts';
import { type ListenerSettings, readListenerSettings } from '../translate/filters/settings.ts';
import type { ProxyTraits } from '../translate/plan.ts';
import type { WorkloadSecurity } from '../translate/security.ts';
import { labelsOfPlace } from './cluster-stage.ts';
import { encodeBuilt } from './encode.ts';
import { GatewayStage } from './gateway-stage.ts';
import { tellHiddenAuthorizers } from './hidden-authorizers.ts';
import { IdentityMemo } from './identity-memo.ts';
import { CanonicalTargets, type InboundInputs, InboundStage } from './inbound-stage.ts';
import { membersOf, type Rules } from './members.ts';
import { type OutboundInputs, OutboundStage } from './outbound-stage.ts';
import { ProtectionLines } from './protection-lines.ts';
import { ProxylessStage } from './proxyless-stage.ts';
import { Interned, placeOf, rulesKeyOf, traitsOf } from './traits.ts';
import { SharedLines, View, type ViewInputs } from './view.ts';

type Shared<Stage> = { readonly stage: Stage; readonly lines: SharedLines };

/** What a proxy was given, and what it was made of. */
export type Answer = {
  readonly mesh: MeshSnapshot;
  readonly snapshot: XdsSnapshot;
  /** The resources, in lists that other views share, and in lists of this view's own. */
  readonly shared: readonly (readonly EncodedResource[])[];
  readonly own: readonly (readonly EncodedResource[])[];
  /** Decides what of the mesh the proxy sees. */
  readonly sidecar: ObjectKey | undefined;
  /** Of the stages and views that made it. */
  readonly keys: readonly string[];
};

type Made = Omit<Answer, 'mesh'>;

/** For how long views without proxies are kept. */
const KEEP_MS = 15 * 60_000;

/** Of views, and what they are made with, so many are kept without proxies; then the oldest go first. */
const KEPT_UNUSED = 1_000;

/** A proxy reduced to what decides what it gets. */
type Asking = {
  readonly scope: SidecarScope;
  readonly rules: Rules;
  readonly traits: ProxyTraits;
  readonly place: ClientPlace;
  readonly placeKey: string;
  /** Tells outbound stages apart. */
  readonly outboundKey: string;
  readonly targets: readonly ServiceTarget[];
  readonly security: WorkloadSecurity;
  /** Tells views apart that have one outbound stage. */
  readonly viewKey: string;
  /** The view from before its protection became another. */
  readonly viewBefore: string | undefined;
};

/** What of the mesh decides what a proxy asks for: most changes leave all of it as it is. */
type AskingInputs = {
  readonly scope: SidecarScope;
  readonly workload: Workload | undefined;
  readonly own: readonly ServiceTarget[];
  /** Rules may ask for labels of the proxy. */
  readonly virtualServices: readonly MeshVirtualService[];
  readonly localityLbSetting: MeshConfig['localityLbSetting'];
  readonly meshSecurity: MeshSecurity;
};

const settingsByIdle = memoByIdentity((_: MeshConfig) => new Map<string, ListenerSettings>());

function settingsOf(mesh: MeshConfig, { idleTimeout }: ProxyTraits): ListenerSettings {
  return entryOf(settingsByIdle(mesh), idleTimeout, () => readListenerSettings(mesh, idleTimeout));
}

const inboundPassthrough = memoByIdentity(buildInboundPassthroughCluster);
const nowhere: ClientPlace = { locality: undefined, network: '', node: undefined, labels: {} };
const none: readonly EncodedResource[] = [];
const noTargets: readonly ServiceTarget[] = [];

/**
 * What each proxy gets. Proxies are sorted into views by what they have in common, a view is made when somebody asks for it, and
 * made again only where the mesh moved.
 */
export class Views {
  readonly #verdicts: Verdicts;
  readonly #scopes = new Scopes();
  readonly #traits = new Interned<ProxyTraits>();
  readonly #places = new Interned<ClientPlace>();
  readonly #targets = new CanonicalTargets();
  readonly #security = new SecuritySelection();
  readonly #lines = new ProtectionLines();
  readonly #outbound = new Map<string, Shared<OutboundStage>>();
  readonly #proxyless = new Map<string, Shared<ProxylessStage>>();
  readonly #gateways = new Map<string, Shared<GatewayStage>>();
  readonly #inbound = new Map<string, InboundStage>();
  readonly #views = new Map<string, View>();
  readonly #askings = new WeakMap<Proxy, { readonly inputs: AskingInputs; readonly asking: Asking }>();
  readonly #asked = new WeakMap<Proxy, Answer>();
  /** What was made of the newest mesh, by what tells views apart. */
  readonly #made = new Map<string, Made>();
  /** The views that were asked for since the mesh changed. */
  readonly #shown = new Set<View>();
  #mesh: MeshSnapshot | undefined;
  /** When each key of a map above was last seen in use. */
  readonly #lastUse = new Map<string, number>();
  #crowd = KEPT_UNUSED;

  constructor(verdicts: Verdicts) {
    this.#verdicts = verdicts;
  }

  snapshotFor(mesh: MeshSnapshot, proxy: Proxy): XdsSnapshot {
    const known = this.#asked.get(proxy);
    if (known?.mesh === mesh) return known.snapshot;
    const made = this.#build(mesh, proxy);
    this.#asked.set(proxy, { mesh, ...made });
    return made.snapshot;
  }

  /** What a proxy was last given, of whatever mesh. */
  lastAnswer(proxy: Proxy): Answer | undefined {
    return this.#asked.get(proxy);
  }

  /** Whether there are so many views that `retain` should be called before the mesh changes: proxies may call themselves anything. */
  get isCrowded(): boolean {
    return this.#views.size > this.#crowd;
  }

  /**
   * Forgets what no proxy has used for a while. Not at once: a pod that restarts must find the last accepted version of what its
   * predecessor refused.
   */
  retain(mesh: MeshSnapshot, proxies: readonly Proxy[], now: number): void {
    const used = new Set(proxies.flatMap((proxy) => this.#asked.get(proxy)?.keys ?? []));
    const maps = [this.#outbound, this.#proxyless, this.#gateways, this.#inbound, this.#views];
    for (const key of maps.flatMap((map) => [...map.keys()]))
      if (used.has(key) || !this.#lastUse.has(key)) this.#lastUse.set(key, now);
    const unused = [...this.#lastUse].filter(([key]) => !used.has(key)).sort(([, a], [, b]) => a - b);
    const tooMany = unused.length - KEPT_UNUSED;
    for (const [index, [key, last]] of unused.entries()) {
      if (index >= tooMany && now - last < KEEP_MS) continue;
      this.#lastUse.delete(key);
      for (const map of maps) map.delete(key);
      this.#made.clear();
    }
    this.#crowd = this.#views.size + KEPT_UNUSED;
    this.#scopes.retain(mesh, proxies);
  }

  /**
   * What translation has to tell of what these proxies have, and of what was made of the newest mesh: each thing once however many
   * views say it. Views that are only kept would tell of objects as they were. Of what ends, what has ended by `now`.
   */
  diagnostics(proxies: readonly Proxy[] = [], now = 0): readonly Diagnostic[] {
    const used = new Set(proxies.flatMap((proxy) => this.#asked.get(proxy)?.keys ?? []));
    const telling = [...this.#views].filter(([key, view]) => this.#shown.has(view) || used.has(key));
    const said = telling.flatMap(([, { diagnostics, endings }]) => {
      const ended = endings.filter(({ at }) => at <= now).map(({ diagnostic }) => diagnostic);
      return ended.length === 0 ? diagnostics : [...diagnostics, ...ended];
    });
    return collectDiagnostics([], said);
  }

  #build(mesh: MeshSnapshot, proxy: Proxy): Made {
    if (mesh !== this.#mesh) {
      this.#made.clear();
      this.#shown.clear();
    }
    this.#mesh = mesh;
    switch (proxy.kind) {
      case 'router':
        return this.#buildGateway(mesh, proxy);
      case 'proxyless': {
        const asking = this.#ask(mesh, proxy, this.#scopes.sidecarScopeFor(mesh, proxy));
        return entryOf(this.#made, asking.viewKey, () => this.#buildProxyless(mesh, asking));
      }
      case 'sidecar': {
        const asking = this.#ask(mesh, proxy, this.#scopes.sidecarScopeFor(mesh, proxy));
        return entryOf(this.#made, asking.viewKey, () => this.#buildSidecar(mesh, asking));
      }
    }
  }

  #buildSidecar(mesh: MeshSnapshot, asking: Asking): Made {
    const { outboundKey, viewKey } = asking;
    const { stage, lines } = this.#sharedOf(this.#outbound, outboundKey, () => new OutboundStage());
    const outbound = stage.get(stageInputs(mesh, asking));
    const inbound = entryOf(this.#inbound, viewKey, () => new InboundStage()).get(inboundInputs(mesh, asking));
    const view = this.#viewOf(viewKey, lines, asking.viewBefore);
    view.diagnostics = [...outbound.diagnostics, ...inbound.diagnostics, ...toldOf(asking)];
    const passthrough = encodeBuilt(inboundPassthrough(clusterDefaults(mesh.config.mesh)));
    const own = { ownClusters: appended(inbound.clusters, passthrough), ownListeners: inbound.listeners };
    return this.#show(view, { ...outbound, ...own }, { asking, keys: [outboundKey, viewKey] });
  }

  #buildProxyless(mesh: MeshSnapshot, asking: Asking): Made {
    const { outboundKey } = asking;
    const { stage, lines } = this.#sharedOf(this.#proxyless, outboundKey, () => new ProxylessStage());
    const outbound = stage.get(stageInputs(mesh, asking));
    const view = this.#viewOf(outboundKey, lines);
    view.diagnostics = outbound.diagnostics;
    const inputs = { ...outbound, ownClusters: none, ownListeners: none };
    return this.#show(view, inputs, { asking, keys: [outboundKey] });
  }

  #buildGateway(mesh: MeshSnapshot, proxy: Proxy): Made {
    const gateway = this.#scopes.gatewayScopeFor(mesh, proxy);
    const asking = this.#ask(mesh, proxy, gateway.scope);
    const names = gateway.gateways.map(({ object }) => object.key).join(' ');
    const viewKey = `${asking.viewKey} ${names}`;
    const before = asking.viewBefore === undefined ? undefined : `${asking.viewBefore} ${names}`;
    const { stage, lines } = this.#sharedOf(this.#gateways, viewKey, () => new GatewayStage(), before);
    const { scope: _, ...inputs } = stageInputs(mesh, asking);
    const output = stage.get({ ...inputs, gateway, targets: asking.targets, security: asking.security });
    const view = this.#viewOf(viewKey, lines, before);
    view.diagnostics = [...output.diagnostics, ...toldOf(asking)];
    view.endings = output.endings;
    return this.#show(view, { ...output, ownClusters: none, ownListeners: none }, { asking, keys: [viewKey] });
  }

  #show(view: View, inputs: ViewInputs, { asking, keys }: { asking: Asking; keys: readonly string[] }): Made {
    const { clusters, assignments, listeners, routes, secrets, ownClusters, ownListeners } = inputs;
    this.#shown.add(view);
    return {
      snapshot: view.snapshot(inputs),
      shared: [clusters, assignments, listeners, routes, secrets],
      own: [ownClusters, ownListeners],
      sidecar: asking.scope.sidecar?.key,
      keys,
    };
  }

  #ask(mesh: MeshSnapshot, proxy: Proxy, scope: SidecarScope): Asking {
    const inputs: AskingInputs = {
      scope,
      workload: workloadOf(mesh, proxy),
      own: targetsOf(mesh, proxy),
      virtualServices: proxy.kind === 'router' ? mesh.virtualServices : virtualServicesOf(scope),
      localityLbSetting: mesh.config.mesh.localityLbSetting,
      meshSecurity: mesh.security,
    };
    const known = this.#askings.get(proxy);
    if (known !== undefined && sameFields(known.inputs, inputs)) return known.asking;
    const asking = this.#reduce(proxy, inputs);
    this.#askings.set(proxy, { inputs, asking });
    return asking;
  }

  #reduce(proxy: Proxy, inputs: AskingInputs): Asking {
    const { scope, workload, own, virtualServices, localityLbSetting, meshSecurity } = inputs;
    const labels = Object.keys(proxy.labels).length > 0 ? proxy.labels : (workload?.labels ?? {});
    const known = { ...proxy, labels };
    const traits = this.#traits.get(traitsOf(known, virtualServices));
    const rules = destinationRulesFor(scope, labels);
    const asked = placeLabels.get(scope, '', { services: scope.services, rules, localityLbSetting });
    const place = this.#places.get(asked === undefined ? nowhere : placeOf(known, workload, asked));
    const placeKey = asked === undefined ? '' : place.key;
    const sidecar = scope.sidecar?.key ?? '';
    const outboundKey = [scope.namespace, sidecar, rulesKeyOf(scope, labels), traits.key, placeKey].join('\n');
    const { key, targets } = this.#targets.get([...new Set(own)]);
    const subject = { kind: proxy.kind, namespace: proxy.namespace, labels, targets };
    const security = this.#security.get(meshSecurity, subject);
    const { viewKey, before } = this.#lines.place(`${outboundKey} ${key}`, labels, security.key);
    return {
      scope,
      rules,
      traits: traits.value,
      place: place.value,
      placeKey,
      outboundKey,
      targets,
      security: security.value,
      viewKey,
      viewBefore: before,
    };
  }

  #viewOf(key: string, lines: SharedLines, before = ''): View {
    return entryOf(this.#views, key, () => new View(this.#verdicts, lines, this.#views.get(before)));
  }

  #sharedOf<Stage>(known: Map<string, Shared<Stage>>, key: string, make: () => Stage, before = ''): Shared<Stage> {
    return entryOf(known, key, () => {
      return { stage: make(), lines: new SharedLines(this.#verdicts, known.get(before)?.lines) };
    });
  }
}

function toldOf({ security, scope }: Asking): readonly Diagnostic[] {
  return tellHiddenAuthorizers(security.access)(scope.services);
}

const virtualServicesOf = memoByIdentity(({ egress }: SidecarScope) =>
  egress.flatMap(({ virtualServices }) => virtualServices),
);

type PlaceInputs = Pick<SidecarScope, 'services'> & {
  readonly rules: Rules;
  readonly localityLbSetting: MeshSnapshot['config']['mesh']['localityLbSetting'];
};

const placeLabels = new IdentityMemo<SidecarScope, PlaceInputs, ReadonlySet<string> | undefined>(
  ({ services, rules, localityLbSetting }) => {
    const asked = membersOf(services, rules).map((at) => labelsOfPlace(at, localityLbSetting));
    return asked.every((labels) => labels === undefined) ? undefined : new Set(asked.flatMap((labels) => labels ?? []));
  },
);

/** A proxy mostly has one address, and then this is the mesh's own list. */
function targetsOf(mesh: MeshSnapshot, { name, addresses }: Proxy): readonly ServiceTarget[] {
  const hostPod = mesh.hostPods.get(name);
  if (hostPod !== undefined) return hostPod.targets;
  const [only = '', ...others] = addresses;
  if (others.length === 0) return mesh.targetsByAddress.get(only) ?? noTargets;
  return addresses.flatMap((address) => mesh.targetsByAddress.get(address) ?? noTargets);
}

function stageInputs(mesh: MeshSnapshot, { scope, rules, traits, place, placeKey }: Asking): OutboundInputs {
  return { mesh, scope, rules, traits, place, placeKey, settings: settingsOf(mesh.config.mesh, traits) };
}

function inboundInputs(mesh: MeshSnapshot, { scope, rules, traits, targets, security }: Asking): InboundInputs {
  return {
    targets,
    security,
    ...(scope.sidecar === undefined ? noSidecar : sidecarInbound(scope.sidecar)),
    rules,
    traits,
    settings: settingsOf(mesh.config.mesh, traits),
    defaults: clusterDefaults(mesh.config.mesh),
  };
}

type SidecarInbound = Pick<InboundInputs, 'ingress' | 'connectionPool'>;

const noSidecar: SidecarInbound = { ingress: [], connectionPool: undefined };

/** What a Sidecar says about its workload's own ports, with the places where it says so. */
const sidecarInbound = memoByIdentity((sidecar: ConfigObject<'Sidecar'>): SidecarInbound => {
  const object = refOf(sidecar);
  const { ingress = [], inboundConnectionPool } = sidecar.spec;
  return {
    ingress: ingress.map((spec, index) => ({ spec, object, path: `spec.ingress[${index}]` })),
    connectionPool:
      inboundConnectionPool === undefined
        ? undefined
        : { spec: inboundConnectionPool, object, path: 'spec.inboundConnectionPool' },
  };
});

const withPassthrough = memoByIdentity(
  (_: readonly EncodedResource[]) => new Map<EncodedResource, readonly EncodedResource[]>(),
);

/** The list and one more; the same list while both are the same. */
function appended(list: readonly EncodedResource[], item: EncodedResource): readonly EncodedResource[] {
  return entryOf(withPassthrough(list), item, () => [...list, item]);
}

function entryOf<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  const known = map.get(key);
  if (known !== undefined) return known;
  const made = make();
  map.set(key, made);
  return made;
}
