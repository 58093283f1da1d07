import { hostMatches, isWildcard } from '../../../apis/host.ts';
import type { MeshVirtualService } from '../../../model/mesh-snapshot.ts';

const nobody: readonly MeshVirtualService[] = [];

/** Virtual services by the hosts they are for. Answers keep the order of the list they came from. */
export class VirtualServiceIndex {
  readonly #ranks = new Map<MeshVirtualService, number>();
  readonly #exact = new Map<string, MeshVirtualService[]>();
  readonly #wild: { readonly host: string; readonly virtualService: MeshVirtualService }[] = [];

  constructor(virtualServices: readonly MeshVirtualService[]) {
    virtualServices.forEach((virtualService, rank) => {
      this.#ranks.set(virtualService, rank);
      for (const host of virtualService.hosts) this.#add(host, virtualService);
    });
  }

  /** Those with a host that covers some name the host covers. */
  get(host: string): readonly MeshVirtualService[] {
    const exact = isWildcard(host) ? this.#exactUnder(host) : (this.#exact.get(host) ?? nobody);
    const wild = this.#wild.length === 0 ? nobody : this.#wildOver(host);
    if (wild.length === 0 && exact.length <= 1) return exact;
    const rankOf = (virtualService: MeshVirtualService): number => this.#ranks.get(virtualService) ?? 0;
    return [...new Set([...exact, ...wild])].sort((a, b) => rankOf(a) - rankOf(b));
  }

  #add(host: string, virtualService: MeshVirtualService): void {
    const known = this.#exact.get(host);
    if (isWildcard(host)) this.#wild.push({ host, virtualService });
    else if (known === undefined) this.#exact.set(host, [virtualService]);
    else known.push(virtualService);
  }

  #exactUnder(host: string): readonly MeshVirtualService[] {
    return [...this.#exact].flatMap(([exact, virtualServices]) => (hostMatches(host, exact) ? virtualServices : []));
  }

  #wildOver(host: string): readonly MeshVirtualService[] {
    return this.#wild.filter((entry) => hostMatches(entry.host, host)).map(({ virtualService }) => virtualService);
  }
}
