import { collections, type Kind } from '../../apis/collections.ts';
import type { Distribution, ObjectDistribution, Refusal } from '../../galley/status/distribution.ts';
import type { Clock } from '../../kit/clock.ts';
import { memoByIdentity } from '../../kit/memo.ts';
import type { ObjectKey } from '../../model/ids.ts';
import type { MeshSnapshot } from '../../model/mesh-snapshot.ts';
import type { ConfigObject } from '../../model/object.ts';
import type { ProxyView } from '../../pilot/pilot.ts';
import type { StreamDelivery } from '../../xds/delivery.ts';
import type { SnapshotHandle } from '../../xds/ports.ts';
import type { EncodedResource } from '../../xds/resource.ts';
import { CohortCounter } from './cohort-counter.ts';
import { type Served, sortIntoCohorts } from './cohorts.ts';
import { type Located, locateRefusal } from './locate-refusal.ts';
import { type Counts, type Reports, Tally } from './tally.ts';

export type LocalDeps = {
  readonly pilot: {
    mesh(): MeshSnapshot | undefined;
    builtFrom(): unknown;
    viewOf(handle: SnapshotHandle): ProxyView | undefined;
  };
  readonly xds: { deliveries(): Iterable<StreamDelivery>; readonly comings: number };
  readonly reports: Reports & { readonly verdicts: number };
  /** The newest configuration. */
  readonly config: () => unknown;
  readonly clock: Clock;
};

/** Refusals that are told of one object. */
const MOST_REFUSALS = 3;

const TURN_MS = 8;

const statusKinds: readonly Kind[] = Object.values(collections).flatMap(({ kind, source }) =>
  source === 'istio' ? [kind] : [],
);

const nothing: Counts = { refused: 0, pending: 0, heldBack: 0, programmed: 0, undecided: 0 };

/**
 * What the proxies of this process have of each object. Costs the views and what is under way, not proxies times objects, and is
 * found out again only when something moved.
 */
export class LocalDistribution {
  readonly #deps: LocalDeps;
  readonly #counter = new CohortCounter();
  readonly #located = new WeakMap<EncodedResource, Located>();
  #known: { readonly moment: string; readonly distribution: Distribution } | undefined;
  #mesh: MeshSnapshot | undefined;

  constructor(deps: LocalDeps) {
    this.#deps = deps;
  }

  /** Whether `read` would find something else. */
  get isMoved(): boolean {
    const { pilot, config } = this.#deps;
    return this.#known?.moment !== this.#moment() || this.#mesh !== pilot.mesh() || pilot.builtFrom() !== config();
  }

  async read(): Promise<Distribution> {
    if (!this.isMoved && this.#known !== undefined) return this.#known.distribution;
    const moment = this.#moment();
    const mesh = this.#deps.pilot.mesh();
    const { pilot, config } = this.#deps;
    const isBehind = pilot.builtFrom() !== config();
    const objects = mesh === undefined ? new Map<ObjectKey, ObjectDistribution>() : await this.#count(mesh);
    const distribution = { objects, isBehind, replicas: 1, silent: 0 };
    this.#mesh = mesh;
    // What is under way comes to an end without a word where a new view is what the old one was.
    const isOpen = [...objects.values()].some(({ pending, undecided }) => pending + undecided > 0);
    this.#known = { moment: isOpen ? '' : moment, distribution };
    return distribution;
  }

  #moment(): string {
    const { xds, reports } = this.#deps;
    return `${xds.comings} ${reports.verdicts}`;
  }

  async #count(mesh: MeshSnapshot): Promise<ReadonlyMap<ObjectKey, ObjectDistribution>> {
    const { clock } = this.#deps;
    const tally = new Tally();
    const counting = this.#counter.begin(tally, mesh);
    let started = clock.monotonic();
    for (const cohort of sortIntoCohorts(this.#newestStreams())) {
      counting.add(cohort);
      if (clock.monotonic() - started < TURN_MS) continue;
      await clock.yield();
      started = clock.monotonic();
    }
    counting.end();
    return this.#describe(mesh, tally);
  }

  /** A proxy that comes again has two streams until the old one is found dead. */
  #newestStreams(): Iterable<Served> {
    const newest = new Map<string, Served>();
    for (const delivery of this.#deps.xds.deliveries()) {
      const view = this.#deps.pilot.viewOf(delivery.handle);
      if (view !== undefined) newest.set(delivery.proxy, { view, delivery });
    }
    return newest.values();
  }

  #describe(mesh: MeshSnapshot, tally: Tally): ReadonlyMap<ObjectKey, ObjectDistribution> {
    const described = new Map<ObjectKey, ObjectDistribution>();
    for (const kind of statusKinds) {
      for (const object of mesh.config.objects[kind]) {
        const counts = tally.counts.get(object.key) ?? nothing;
        const { programmed, pending, heldBack, refused } = counts;
        described.set(object.key, {
          generation: object.meta.generation,
          object,
          known: programmed + pending + heldBack + refused,
          ...counts,
          refusals: this.#refusals(object.key, tally, mesh),
        });
      }
    }
    return described;
  }

  #refusals(key: ObjectKey, { refusals }: Tally, mesh: MeshSnapshot): readonly Refusal[] {
    const found: Refusal[] = [];
    for (const resource of refusals.get(key) ?? []) {
      const report = this.#deps.reports.find(resource);
      if (report === undefined) continue;
      const { suspects, isCertain, paths, words } = this.#locate(resource, report.error, mesh);
      const isMeant = suspects.includes(key);
      const blame = isMeant ? (isCertain ? 'this' : 'unclear') : 'another';
      found.push({ error: words, proxy: podOf(report.proxy), path: paths.get(key) ?? '', blame, suspects });
      if (found.length === MOST_REFUSALS) break;
    }
    return found;
  }

  #locate(resource: EncodedResource, error: string, mesh: MeshSnapshot): Located {
    const known = this.#located.get(resource);
    if (known !== undefined) return known;
    const located = locateRefusal(error, resource, (key) => objectsByKey(mesh.config.objects).get(key));
    this.#located.set(resource, located);
    return located;
  }
}

const objectsByKey = memoByIdentity(
  (objects: MeshSnapshot['config']['objects']): ReadonlyMap<ObjectKey, ConfigObject> =>
    new Map(statusKinds.flatMap((kind) => objects[kind].map((object) => [object.key, object] as const))),
);

/** `web-7c9` of `sidecar~10.0.0.1~web-7c9.shop~shop.svc.cluster.local`. */
function podOf(node: string): string {
  const name = node.split('~')[2] ?? node;
  return name.split('.')[0] ?? name;
}
