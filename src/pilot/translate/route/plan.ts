import { compareSpecificity, hostSubsetOf, isWildcard } from '../../../apis/host.ts';
import { memoByIdentity } from '../../../kit/memo.ts';
import { compareText } from '../../../kit/order.ts';
import type { Diagnostic } from '../../../model/diagnostic.ts';
import type { MeshVirtualService } from '../../../model/mesh-snapshot.ts';
import type { ProxyTraits, RoutePlan } from '../plan.ts';
import { type Client, MESH } from './applies.ts';
import { type Claim, DomainClaims } from './domain-claims.ts';
import { ruleApplies } from './http-rule.ts';
import type { VirtualHostInputs } from './virtual-host.ts';

/** What is decided about a virtual host before it is built. The rest of `VirtualHostInputs` is looked up for it. */
export type VirtualHostPlan = Pick<
  VirtualHostInputs,
  'name' | 'domains' | 'port' | 'member' | 'virtualServices' | 'gateways' | 'requireTls'
>;

export type VirtualHostPlans = {
  /** By name. */
  readonly virtualHosts: readonly VirtualHostPlan[];
  /** Whether the port in a request's host says which virtual host is meant, or is ignored. */
  readonly matchPorts: boolean;
  readonly diagnostics: readonly Diagnostic[];
};

type Asking = Pick<ProxyTraits, 'namespace' | 'labels' | 'dnsDomain'>;

/**
 * Which hosts a sidecar's route serves. Virtual services decide for the hosts they list, those with the most specific host that
 * covers one; several of one host decide together, the older first, as at gateways. One without any rule for this client decides
 * nothing. Hosts without a service are served too.
 */
export function planVirtualHosts(plan: RoutePlan, asking: Asking): VirtualHostPlans {
  const chooser = new Chooser(plan, asking);
  const claims = [...claimMembers(plan, chooser), ...claimOtherHosts(plan, chooser)];
  const matchPorts = !plan.sniffed && claims.some(({ port }) => port !== plan.port);
  const domains = new DomainClaims(claims, asking, matchPorts ? { proxy: plan.name === 'http_proxy' } : undefined);
  const taken = new Map(claims.map((claim) => [claim, plan.sniffed ? anyDomain : domains.take(claim)]));
  const podsOf = new Map(plan.dialled.map(({ at, addresses }) => [at, addresses]));
  const virtualHosts = claims.map((claim): VirtualHostPlan => {
    const { host, port, member, virtualServices } = claim;
    const pods = (member && podsOf.get(member)) ?? [];
    const own = taken.get(claim) ?? [];
    return {
      name: `${host}:${port}`,
      domains: pods.length === 0 ? own : [...own, ...domains.takePods(claim, pods)],
      port,
      member,
      virtualServices,
      gateways: meshOnly,
      requireTls: false,
    };
  });
  return {
    virtualHosts: virtualHosts.filter((host) => host.domains.length > 0).sort((a, b) => compareText(a.name, b.name)),
    matchPorts,
    diagnostics: domains.diagnostics,
  };
}

// Lists that are the same for the same content, because they are part of memo keys.
const anyDomain: readonly string[] = ['*'];
const meshOnly: readonly string[] = [MESH];
const nobody: readonly MeshVirtualService[] = [];
const alone = memoByIdentity((virtualService: MeshVirtualService): readonly MeshVirtualService[] => [virtualService]);

function claimMembers({ members }: RoutePlan, chooser: Chooser): readonly Claim[] {
  const byName = new Map<string, Claim>();
  for (const member of members) {
    const host = member.service.hostname;
    const { port } = member.port;
    const name = `${host}:${port}`;
    if (!byName.has(name)) byName.set(name, { host, port, member, virtualServices: chooser.choose(host, port) });
  }
  return [...byName.values()];
}

/** Hosts that only virtual services know. A wildcard that covers services decides for these, and for nothing else. */
function claimOtherHosts(plan: RoutePlan, chooser: Chooser): readonly Claim[] {
  if (plan.sniffed) return [];
  const port = plan.port ?? 80;
  const known = plan.members.map(({ service }) => service.hostname);
  const served = new Set(known);
  const hosts = new Set(plan.virtualServices.flatMap(({ hosts: own }) => own));
  const covers = (host: string): boolean => isWildcard(host) && known.some((one) => hostSubsetOf(one, host));
  const others = [...hosts].filter((host) => !served.has(host) && !covers(host));
  return others.flatMap((host) => {
    const virtualServices = chooser.choose(host, port);
    return virtualServices.length === 0 ? [] : [{ host, port, member: undefined, virtualServices }];
  });
}

type Entry = { readonly host: string; readonly rank: number; readonly virtualService: MeshVirtualService };

/** Finds who decides for a host; lives inside one call of `planVirtualHosts`. */
class Chooser {
  readonly #asking: Asking;
  readonly #exact: ReadonlyMap<string, readonly Entry[]>;
  readonly #wild: readonly Entry[];
  readonly #applies = new Map<string, boolean>();

  constructor({ virtualServices }: RoutePlan, asking: Asking) {
    this.#asking = asking;
    const entries = virtualServices.flatMap((virtualService, rank) =>
      virtualService.gateways.includes(MESH)
        ? virtualService.hosts.map((host) => ({ host, rank, virtualService }))
        : [],
    );
    this.#exact = Map.groupBy(entries, ({ host }) => host);
    this.#wild = entries
      .filter(({ host }) => isWildcard(host))
      .sort((a, b) => compareSpecificity(a.host, b.host) || a.rank - b.rank);
  }

  choose(host: string, port: number): readonly MeshVirtualService[] {
    const exact = (this.#exact.get(host) ?? []).filter((entry) => this.#isFor(entry, port));
    if (exact.length > 0) return listOf(exact);
    const closest = this.#wild.find((entry) => hostSubsetOf(host, entry.host) && this.#isFor(entry, port));
    if (closest === undefined) return nobody;
    return listOf(this.#wild.filter((entry) => entry.host === closest.host && this.#isFor(entry, port)));
  }

  #isFor({ rank, virtualService }: Entry, port: number): boolean {
    const key = `${rank}:${port}`;
    const known = this.#applies.get(key);
    if (known !== undefined) return known;
    const { namespace, labels } = this.#asking;
    const client: Client = { gateways: meshOnly, port, namespace, labels };
    const answer = virtualService.http.some((rule) => ruleApplies(rule, client));
    this.#applies.set(key, answer);
    return answer;
  }
}

function listOf([first, ...others]: readonly Entry[]): readonly MeshVirtualService[] {
  if (first === undefined) return nobody;
  if (others.length === 0) return alone(first.virtualService);
  return [...new Set([first, ...others].map(({ virtualService }) => virtualService))];
}
