import { hostMatches, isWildcard } from '../../../apis/host.ts';
import type { MeshVirtualService } from '../../../model/mesh-snapshot.ts';

type Entry = { readonly virtualService: MeshVirtualService; readonly rank: number };

/** Virtual services by the hosts they are for. Answers keep the order of the list they came from. */
export class VirtualServiceIndex {
  readonly #exact = new Map<string, Entry[]>();
  readonly #wild: (Entry & { readonly host: string })[] = [];
  readonly #answers = new Map<string, readonly MeshVirtualService[]>();

  constructor(virtualServices: readonly MeshVirtualService[]) {
    virtualServices.forEach((virtualService, rank) => {
      for (const host of virtualService.hosts) this.#add(host, { virtualService, rank });
    });
  }

  /** Those with a host that covers some name the host covers. */
  get(host: string): readonly MeshVirtualService[] {
    const known = this.#answers.get(host);
    if (known !== undefined) return known;
    const answer = this.#find(host);
    this.#answers.set(host, answer);
    return answer;
  }

  #add(host: string, entry: Entry): void {
    if (isWildcard(host)) {
      this.#wild.push({ ...entry, host });
      return;
    }
    const entries = this.#exact.get(host);
    if (entries === undefined) this.#exact.set(host, [entry]);
    else entries.push(entry);
  }

  #find(host: string): readonly MeshVirtualService[] {
    const exact = isWildcard(host) ? this.#exactUnder(host) : (this.#exact.get(host) ?? []);
    const wild = this.#wild.filter((entry) => hostMatches(entry.host, host));
    const ranked = new Map([...exact, ...wild].map(({ rank, virtualService }) => [rank, virtualService]));
    return [...ranked].sort(([a], [b]) => a - b).map(([, virtualService]) => virtualService);
  }

  #exactUnder(host: string): readonly Entry[] {
    return [...this.#exact].flatMap(([exact, entries]) => (hostMatches(host, exact) ? entries : []));
  }
}
