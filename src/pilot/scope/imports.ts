import { hostMatches, isWildcard } from '../../apis/host.ts';
import { memoByIdentity } from '../../kit/memo.ts';

/** One host of an egress listener: `namespace` undefined is any. */
export type Import = { readonly namespace: string | undefined; readonly host: string };

const EVERYTHING: Import = { namespace: undefined, host: '*' };

/** Reads `namespace/dnsName`; `.` is the workload's namespace, `*` any, and `~` imports nothing. */
export function parseImports(hosts: readonly string[], ownNamespace: string): readonly Import[] {
  return hosts.flatMap((text): Import[] => {
    const slash = text.indexOf('/');
    const namespace = slash < 0 ? '*' : text.slice(0, slash);
    const host = text.slice(slash + 1).toLowerCase();
    if (namespace === '~') return [];
    if (namespace === '*') return [{ ...EVERYTHING, host }];
    return [{ namespace: namespace === '.' ? ownNamespace : namespace, host }];
  });
}

export type Importable = { readonly namespace: string; readonly hosts: readonly string[] };

/** A list prepared for being imported from: one host is looked up, not searched for. */
export type ImportIndex<T> = {
  readonly all: readonly T[];
  readonly byNamespace: ReadonlyMap<string, readonly T[]>;
  readonly exact: ReadonlyMap<string, readonly T[]>;
  readonly wild: readonly T[];
};

/** A maker of indexes that remembers them by the identity of the list. */
export function importIndexer<T>(describe: (item: T) => Importable): (list: readonly T[]) => ImportIndex<T> {
  return memoByIdentity((list: readonly T[]): ImportIndex<T> => {
    const exact = new Map<string, T[]>();
    const wild: T[] = [];
    for (const item of list) {
      const { hosts } = describe(item);
      for (const host of new Set(hosts.filter((one) => !isWildcard(one)))) {
        const known = exact.get(host);
        if (known === undefined) exact.set(host, [item]);
        else known.push(item);
      }
      if (hosts.some(isWildcard)) wild.push(item);
    }
    return { all: list, byNamespace: Map.groupBy(list, (item) => describe(item).namespace), exact, wild };
  });
}

/** What the imports select, in no order. A host and an import meet where some name is covered by both. */
export function selectImports<T>(
  index: ImportIndex<T>,
  imports: readonly Import[],
  describe: (item: T) => Importable,
): ReadonlySet<T> {
  const selected = new Set<T>();
  for (const wanted of imports) {
    for (const item of candidates(index, wanted)) {
      const { namespace, hosts } = describe(item);
      const isFrom = wanted.namespace === undefined || wanted.namespace === namespace;
      if (isFrom && hosts.some((host) => hostMatches(host, wanted.host))) selected.add(item);
    }
  }
  return selected;
}

export function importsEverything(imports: readonly Import[]): boolean {
  return imports.some(({ namespace, host }) => namespace === undefined && host === '*');
}

function candidates<T>(index: ImportIndex<T>, { namespace, host }: Import): readonly T[] {
  if (!isWildcard(host)) return [...(index.exact.get(host) ?? []), ...index.wild];
  return namespace === undefined ? index.all : (index.byNamespace.get(namespace) ?? []);
}
