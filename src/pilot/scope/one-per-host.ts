import { memoByIdentity } from '../../kit/memo.ts';
import type { Service } from '../../model/service.ts';

/**
 * Of services of one host name, the one of the own namespace, else the first. Most namespaces have no service whose name is
 * contested, and share one list. `services` are oldest first.
 */
export function onePerHost(services: readonly Service[], namespace: string): readonly Service[] {
  const { oldest, contenders, chosen } = contest(services);
  if (!contenders.has(namespace)) return oldest;
  const known = chosen.get(namespace);
  if (known !== undefined) return known;
  const own = choose(services, namespace);
  chosen.set(namespace, own);
  return own;
}

type Contest = {
  /** The first of each host name; the list itself where none is contested. */
  readonly oldest: readonly Service[];
  /** Namespaces with a service that is not the first of its name. */
  readonly contenders: ReadonlySet<string>;
  /** What these have chosen, as far as they were asked. */
  readonly chosen: Map<string, readonly Service[]>;
};

const contest = memoByIdentity((services: readonly Service[]): Contest => {
  const first = new Map<string, Service>();
  const contenders = new Set<string>();
  for (const service of services) {
    if (first.has(service.hostname)) contenders.add(service.namespace);
    else first.set(service.hostname, service);
  }
  const oldest = contenders.size === 0 ? services : [...first.values()];
  return { oldest, contenders, chosen: new Map() };
});

function choose(services: readonly Service[], namespace: string): readonly Service[] {
  const winners = new Map<string, Service>();
  for (const service of services) {
    const known = winners.get(service.hostname);
    const isCloser = service.namespace === namespace && known?.namespace !== namespace;
    if (known === undefined || isCloser) winners.set(service.hostname, service);
  }
  return services.filter((service) => winners.get(service.hostname) === service);
}
