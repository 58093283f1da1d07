import { memoByIdentity } from '../../kit/memo.ts';

type Labels = Readonly<Record<string, string>>;

/** Where a workload's proxies are: a view, and the protection that it was made for. */
type Position = { readonly viewKey: string; readonly security: string };

export type Placed = {
  readonly viewKey: string;
  /** The view that these proxies had before their protection became another: the new one goes on from its last accepted versions. */
  readonly before: string | undefined;
};

/** What differs between pods of one Deployment from rollout to rollout, and between those of one StatefulSet. */
const TEMPORARY: ReadonlySet<string> = new Set([
  'pod-template-hash',
  'controller-revision-hash',
  'statefulset.kubernetes.io/pod-name',
  'apps.kubernetes.io/pod-index',
]);

/** Beyond so many workloads all is forgotten, which costs them the versions that they would fall back to. */
const LIMIT = 10_000;

/**
 * Finds views for workloads, so that a policy that comes, goes or changes leads from one view to the next, which knows what the one before
 * had: whatever of it a proxy refuses has a last accepted version, for pods that come later too. Workloads with one protection share a
 * view; those that came to it from different ones do not, or one would fall back to what protected the other.
 */
export class ProtectionLines {
  readonly #positions = new Map<string, Position>();
  readonly #kin = new Map<string, Position>();
  readonly #moves = new Map<string, string>();
  #count = 0;

  /** `base` tells apart what does not follow from protection, `security` the protections of the mesh as it is. */
  place(base: string, labels: Labels, security: string): Placed {
    const { whole, lasting } = namesOf(labels);
    const [key, kinKey] = [`${base}\n${whole}`, `${base}\n${lasting}`];
    const kin = this.#kin.get(kinKey);
    const known = this.#positions.get(key) ?? (kin?.security === security ? kin : undefined);
    const placed = placeAfter(known, security, () => this.#next(base, security, known));
    const position = { viewKey: placed.viewKey, security };
    if (this.#positions.size >= LIMIT) this.#forget();
    this.#positions.set(key, position);
    this.#kin.set(kinKey, position);
    return placed;
  }

  #next(base: string, security: string, known: Position | undefined): string {
    if (known === undefined) return `${base} ${security}`;
    const move = `${known.viewKey}\n${security}`;
    const moved = this.#moves.get(move);
    if (moved !== undefined) return moved;
    this.#count += 1;
    const viewKey = `${base} ${security} ${this.#count}`;
    this.#moves.set(move, viewKey);
    return viewKey;
  }

  #forget(): void {
    for (const map of [this.#positions, this.#kin, this.#moves]) map.clear();
  }
}

function placeAfter(known: Position | undefined, security: string, next: () => string): Placed {
  if (known?.security === security) return { viewKey: known.viewKey, before: undefined };
  return { viewKey: next(), before: known?.viewKey };
}

const namesOf = memoByIdentity((labels: Labels) => {
  const sorted = Object.entries(labels).sort(([a], [b]) => (a < b ? -1 : 1));
  return {
    whole: JSON.stringify(sorted),
    lasting: JSON.stringify(sorted.filter(([name]) => !TEMPORARY.has(name))),
  };
});
