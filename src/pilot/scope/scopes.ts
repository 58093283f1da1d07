import { KeyedMemo, keepIfSame, memoByIdentity, sameFields } from '../../kit/memo.ts';
import type { MeshSnapshot, MeshVirtualService } from '../../model/mesh-snapshot.ts';
import type { ConfigObject } from '../../model/object.ts';
import type { Proxy } from '../../model/proxy.ts';
import type { Service } from '../../model/service.ts';
import { compareServices } from '../registry/order.ts';
import { sameValue } from '../registry/same-value.ts';
import { MESH_GATEWAY } from '../snapshot/complete-names.ts';
import { compareVirtualServices } from '../snapshot/virtual-service-index.ts';
import { buildEgress } from './egress.ts';
import { GatewayScopes } from './gateway-scopes.ts';
import { keepList } from './keep-shared.ts';
import { RuleScopes } from './rule-scopes.ts';
import type { EgressScope, GatewayScope, OutboundPolicy, SidecarScope } from './scope.ts';
import { chooseSidecar } from './sidecar-choice.ts';
import { VisibleList } from './visible-list.ts';

export type ScopesOptions = {
  /** Istio's PILOT_SCOPE_GATEWAY_TO_NAMESPACE: a Gateway selects pods of its own namespace only. */
  readonly scopeGatewaysToNamespace: boolean;
};

/**
 * Who sees what. Scopes are built when a proxy first needs one and shared by all that see the same; from one snapshot to the next
 * a scope stays the same object unless something in it changed. Ask for the newest snapshot: older ones are answered correctly,
 * but what is remembered is then lost.
 */
export class Scopes {
  readonly #services = new VisibleList<Service>(compareServices);
  readonly #virtualServices = new VisibleList<MeshVirtualService>(compareVirtualServices);
  readonly #rules = new RuleScopes();
  readonly #gateways: GatewayScopes;
  readonly #built = new KeyedMemo<string, ScopeInputs, SidecarScope>((inputs, key) => this.#build(inputs, key));
  readonly #kept = new Map<string, SidecarScope>();

  constructor(options: ScopesOptions = { scopeGatewaysToNamespace: false }) {
    this.#gateways = new GatewayScopes(options);
  }

  sidecarScopeFor(snapshot: MeshSnapshot, proxy: Pick<Proxy, 'namespace' | 'labels'>): SidecarScope {
    return this.#scope(snapshot, proxy.namespace, sidecarOf(snapshot, proxy));
  }

  /** Gateways have the default scope of their namespace, whatever Sidecars say. */
  gatewayScopeFor(snapshot: MeshSnapshot, proxy: Pick<Proxy, 'namespace' | 'labels'>): GatewayScope {
    return this.#gateways.get(snapshot, proxy, this.#scope(snapshot, proxy.namespace, undefined));
  }

  /** Forgets the scopes of proxies that are gone. */
  retain(snapshot: MeshSnapshot, proxies: Iterable<Pick<Proxy, 'namespace' | 'labels' | 'kind'>>): void {
    const live = [...proxies];
    const keys = new Set(
      live.map((proxy) => scopeKey(proxy.namespace, proxy.kind === 'router' ? undefined : sidecarOf(snapshot, proxy))),
    );
    this.#built.retain(keys);
    this.#rules.retain(keys);
    for (const key of this.#kept.keys()) if (!keys.has(key)) this.#kept.delete(key);
    this.#gateways.retain(live.filter(({ kind }) => kind === 'router'));
  }

  #scope(snapshot: MeshSnapshot, namespace: string, sidecar: ConfigObject<'Sidecar'> | undefined): SidecarScope {
    this.#services.update(snapshot.services);
    this.#virtualServices.update(boundToMesh(snapshot.virtualServices));
    const { rootNamespace, outboundTrafficPolicy } = snapshot.config.mesh;
    const key = scopeKey(namespace, sidecar);
    const scope = this.#built.get(key, {
      namespace,
      sidecar,
      services: this.#services.in(namespace),
      virtualServices: this.#virtualServices.in(namespace),
      rules: snapshot.destinationRules,
      rootNamespace,
      meshPolicy: outboundTrafficPolicy,
    });
    this.#kept.set(key, scope);
    return scope;
  }

  #build(inputs: ScopeInputs, key: string): SidecarScope {
    const { namespace, sidecar, rules, rootNamespace, meshPolicy } = inputs;
    const before = this.#kept.get(key);
    const { egress, services: imported } = buildEgress(inputs, before?.services);
    const services = keepList(before?.services, imported);
    const scope = {
      namespace,
      sidecar,
      egress: keepIfSame(
        before?.egress,
        egress.map((one, index) => keepEgress(before?.egress[index], one)),
      ),
      ingress: sidecar?.spec.ingress,
      outboundTrafficPolicy: keepPolicy(before, policyOf(sidecar, meshPolicy)),
      services,
      ...this.#rules.get(key, { rules, rootNamespace, namespace, services }),
    };
    return before !== undefined && sameFields(before, scope) ? before : scope;
  }
}

type ScopeInputs = {
  readonly namespace: string;
  readonly sidecar: ConfigObject<'Sidecar'> | undefined;
  readonly services: readonly Service[];
  readonly virtualServices: readonly MeshVirtualService[];
  readonly rules: MeshSnapshot['destinationRules'];
  readonly rootNamespace: string;
  readonly meshPolicy: MeshSnapshot['config']['mesh']['outboundTrafficPolicy'];
};

function scopeKey(namespace: string, sidecar: ConfigObject<'Sidecar'> | undefined): string {
  return sidecar === undefined ? namespace : `${namespace} ${sidecar.key}`;
}

function sidecarOf(
  { config }: MeshSnapshot,
  { namespace, labels }: Pick<Proxy, 'namespace' | 'labels'>,
): ConfigObject<'Sidecar'> | undefined {
  return chooseSidecar({
    sidecars: config.objects.Sidecar,
    rootNamespace: config.mesh.rootNamespace,
    namespace,
    labels,
  });
}

const boundToMesh = memoByIdentity((virtualServices: MeshSnapshot['virtualServices']) =>
  virtualServices.filter(({ gateways }) => gateways.includes(MESH_GATEWAY)),
);

/** A Sidecar's policy counts as soon as it is there: an empty one is REGISTRY_ONLY. */
function policyOf(sidecar: ConfigObject<'Sidecar'> | undefined, meshPolicy: ScopeInputs['meshPolicy']): OutboundPolicy {
  const own = sidecar?.spec.outboundTrafficPolicy;
  return { mode: (own ?? meshPolicy).mode ?? 'REGISTRY_ONLY', egressProxy: own?.egressProxy };
}

function keepPolicy(before: SidecarScope | undefined, policy: OutboundPolicy): OutboundPolicy {
  return before !== undefined && sameValue(before.outboundTrafficPolicy, policy)
    ? before.outboundTrafficPolicy
    : policy;
}

function keepEgress(before: EgressScope | undefined, next: EgressScope): EgressScope {
  if (before === undefined) return next;
  const isSameListener = before.listener?.spec === next.listener?.spec;
  const kept = {
    ...next,
    listener: isSameListener ? before.listener : next.listener,
    services: keepList(before.services, next.services),
    virtualServices: keepList(before.virtualServices, next.virtualServices),
  };
  return sameFields(before, kept) ? before : kept;
}
