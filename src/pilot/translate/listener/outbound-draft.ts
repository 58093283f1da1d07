import type { EgressListener } from '../../../apis/networking/networking.ts';
import type { Diagnostic } from '../../../model/diagnostic.ts';
import type { MeshVirtualService, Traced } from '../../../model/mesh-snapshot.ts';
import { isTls } from '../../../model/service.ts';
import type { DialledPods, RoutePlan, ServiceAtPort } from '../plan.ts';
import { type L4Member, type OutboundListenerPlan, type OutboundPlan, WILDCARD_ADDRESS } from './outbound-plan.ts';

/** Where a listener is, and what it is for. */
export type ListenerSite = Pick<OutboundListenerPlan, 'address' | 'port' | 'bindToPort' | 'egress'>;

type ListenerDraft = ListenerSite & {
  route: string | undefined;
  readonly http: Set<ServiceAtPort>;
  readonly l4: L4Member[];
};

export type RouteDraft = {
  readonly name: string;
  readonly port: number | undefined;
  readonly sniffed: boolean;
  readonly members: Set<ServiceAtPort>;
  readonly virtualServices: Set<MeshVirtualService>;
  readonly dialled: DialledPods[];
};

/** Gathers listeners and routes while services are gone through; lives inside one call of `planOutbound`. */
export class OutboundDraft {
  readonly #listeners = new Map<string, ListenerDraft>();
  readonly #routes = new Map<string, RouteDraft>();
  readonly #ranks: ReadonlyMap<MeshVirtualService, number>;
  readonly diagnostics: Diagnostic[] = [];

  constructor(virtualServices: readonly MeshVirtualService[]) {
    this.#ranks = new Map(virtualServices.map((virtualService, rank) => [virtualService, rank]));
  }

  addHttp(site: ListenerSite, route: string, at: ServiceAtPort): void {
    const listener = this.#listener(site);
    if (listener === undefined) return;
    listener.route ??= route;
    listener.http.add(at);
  }

  /** A listener that takes HTTP for hosts it may not know yet. */
  addHttpListener(site: ListenerSite, route: string): void {
    const listener = this.#listener(site);
    if (listener !== undefined) listener.route ??= route;
  }

  addL4(site: ListenerSite, member: L4Member): void {
    this.#listener(site)?.l4.push(member);
  }

  route(name: string, port: number | undefined, sniffed = false): RouteDraft {
    const known = this.#routes.get(name);
    if (known !== undefined) return known;
    const route = {
      name,
      port,
      sniffed,
      members: new Set<ServiceAtPort>(),
      virtualServices: new Set<MeshVirtualService>(),
      dialled: [],
    };
    this.#routes.set(name, route);
    return route;
  }

  hasRoute(name: string): boolean {
    return this.#routes.has(name);
  }

  finish(): OutboundPlan {
    return {
      listeners: [...this.#listeners].map(([name, draft]) => finishListener(name, draft)),
      routes: [...this.#routes.values()].map((route) => this.#finishRoute(route)),
      diagnostics: this.diagnostics,
    };
  }

  #finishRoute({ members, virtualServices, ...route }: RouteDraft): RoutePlan {
    const rankOf = (virtualService: MeshVirtualService): number => this.#ranks.get(virtualService) ?? 0;
    const ranked = [...virtualServices].sort((a, b) => rankOf(a) - rankOf(b));
    return { ...route, members: [...members], virtualServices: ranked };
  }

  /** A listener belongs to the egress entry that was first to want it. */
  #listener(site: ListenerSite): ListenerDraft | undefined {
    const name = listenerName(site.address, site.port);
    const known = this.#listeners.get(name);
    if (known !== undefined) return known.egress === site.egress ? known : undefined;
    const listener: ListenerDraft = { ...site, route: undefined, http: new Set(), l4: [] };
    this.#listeners.set(name, listener);
    return listener;
  }
}

export function listenerName(address: string, port: number): string {
  return `${address}_${port}`;
}

export function siteOf(address: string, port: number, egress?: Traced<EgressListener>): ListenerSite {
  return { address, port, bindToPort: false, egress };
}

function finishListener(name: string, draft: ListenerDraft): OutboundListenerPlan {
  const { address, port, bindToPort, egress, route, http, l4 } = draft;
  const isShared =
    address === WILDCARD_ADDRESS || bindToPort || l4.filter(({ at }) => isTls(at.port.protocol)).length > 1;
  const members = l4.map((member) => ({ ...member, bySni: isShared && isTls(member.at.port.protocol) }));
  return { name, address, port, bindToPort, route, http: [...http], l4: members, egress };
}
