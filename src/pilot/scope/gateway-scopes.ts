import { KeyedMemo, keepIfSame, memoByIdentity, sameFields } from '../../kit/memo.ts';
import { sortedEntries } from '../../kit/order.ts';
import type { MeshSnapshot, MeshVirtualService } from '../../model/mesh-snapshot.ts';
import type { ConfigObject } from '../../model/object.ts';
import type { Proxy } from '../../model/proxy.ts';
import { selects } from '../registry/label-index.ts';
import { MESH_GATEWAY } from '../snapshot/complete-names.ts';
import { compareVirtualServices } from '../snapshot/virtual-service-index.ts';
import type { GatewayHost, GatewayScope, ScopedGateway, SidecarScope } from './scope.ts';
import type { ScopesOptions } from './scopes.ts';
import { VisibleList } from './visible-list.ts';

type GatewayProxy = Pick<Proxy, 'namespace' | 'labels'>;

type Inputs = {
  readonly scope: SidecarScope;
  readonly objects: readonly ConfigObject<'Gateway'>[];
  readonly virtualServices: readonly MeshVirtualService[];
};

/** Which Gateways a pod serves, and with which VirtualServices. Pods of one namespace with equal labels share a scope. */
export class GatewayScopes {
  readonly #options: ScopesOptions;
  readonly #virtualServices = new VisibleList<MeshVirtualService>(compareVirtualServices);
  readonly #proxies = new Map<string, GatewayProxy>();
  readonly #built = new KeyedMemo<string, Inputs, GatewayScope>((inputs, key) => this.#build(inputs, key));
  readonly #kept = new Map<string, GatewayScope>();

  constructor(options: ScopesOptions) {
    this.#options = options;
  }

  get(snapshot: MeshSnapshot, proxy: GatewayProxy, scope: SidecarScope): GatewayScope {
    this.#virtualServices.update(boundToGateways(snapshot.virtualServices));
    const key = keyOf(proxy);
    this.#proxies.set(key, proxy);
    const built = this.#built.get(key, {
      scope,
      objects: snapshot.config.objects.Gateway,
      virtualServices: this.#virtualServices.in(proxy.namespace),
    });
    this.#kept.set(key, built);
    return built;
  }

  retain(proxies: readonly GatewayProxy[]): void {
    const keys = new Set(proxies.map(keyOf));
    this.#built.retain(keys);
    for (const key of this.#proxies.keys()) if (!keys.has(key)) this.#proxies.delete(key);
    for (const key of this.#kept.keys()) if (!keys.has(key)) this.#kept.delete(key);
  }

  #build({ scope, objects, virtualServices }: Inputs, key: string): GatewayScope {
    const before = this.#kept.get(key);
    const known = new Map(before?.gateways.map((gateway) => [gateway.object, gateway]));
    const byGateway = indexByGateway(virtualServices);
    const gateways = objects
      .filter((object) => this.#selects(object, this.#proxies.get(key)))
      .map((object) => {
        const bound = byGateway.get(`${object.meta.namespace}/${object.meta.name}`) ?? NONE;
        return keepGateway(known.get(object), { object, hosts: hostsOf(object), virtualServices: bound });
      });
    const next = { scope, gateways: keepIfSame(before?.gateways, gateways) };
    return before !== undefined && sameFields(before, next) ? before : next;
  }

  /** A Gateway without a selector is for every gateway pod. */
  #selects({ meta, spec }: ConfigObject<'Gateway'>, proxy: GatewayProxy | undefined): boolean {
    if (proxy === undefined) return false;
    const isNear = !this.#options.scopeGatewaysToNamespace || meta.namespace === proxy.namespace;
    return isNear && selects(spec.selector ?? {}, proxy.labels);
  }
}

const NONE: readonly MeshVirtualService[] = [];

function keyOf({ namespace, labels }: GatewayProxy): string {
  return JSON.stringify([namespace, sortedEntries(labels)]);
}

const boundToGateways = memoByIdentity((virtualServices: MeshSnapshot['virtualServices']) =>
  virtualServices.filter(({ gateways }) => gateways.some((gateway) => gateway !== MESH_GATEWAY)),
);

const indexByGateway = memoByIdentity((virtualServices: readonly MeshVirtualService[]) => {
  const byGateway = new Map<string, MeshVirtualService[]>();
  for (const virtualService of virtualServices) {
    for (const gateway of virtualService.gateways) {
      const known = byGateway.get(gateway);
      if (known === undefined) byGateway.set(gateway, [virtualService]);
      else known.push(virtualService);
    }
  }
  return byGateway;
});

/** A host may have a namespace in front: `.` is the Gateway's own, `*` is any. */
const hostsOf = memoByIdentity(({ meta, spec }: ConfigObject<'Gateway'>): ScopedGateway['hosts'] =>
  spec.servers.map(({ hosts }) => hosts.map((host) => parseGatewayHost(host, meta.namespace))),
);

function parseGatewayHost(text: string, ownNamespace: string): GatewayHost {
  const lower = text.toLowerCase();
  const slash = lower.indexOf('/');
  const host = lower.slice(slash + 1);
  const namespace = slash < 0 ? '*' : lower.slice(0, slash);
  if (namespace === '*') return { namespace: undefined, host };
  return { namespace: namespace === '.' ? ownNamespace : namespace, host };
}

function keepGateway(before: ScopedGateway | undefined, next: ScopedGateway): ScopedGateway {
  if (before === undefined) return next;
  const kept = { ...next, virtualServices: keepIfSame(before.virtualServices, next.virtualServices) };
  return sameFields(before, kept) ? before : kept;
}
