import { collections, type Kind } from '../../apis/collections.ts';
import { memoByIdentity } from '../../kit/memo.ts';
import type { ObjectKey } from '../../model/ids.ts';
import type { MeshSnapshot } from '../../model/mesh-snapshot.ts';
import type { ConfigObject } from '../../model/object.ts';
import type { ProxyView } from '../../pilot/pilot.ts';
import type { EncodedResource } from '../../xds/resource.ts';
import type { Cohort } from './cohorts.ts';
import { Identities, ownersOf, ownersOfList } from './owners.ts';
import { type State, states, type Tally, type Troubles } from './tally.ts';
import { commonTroubles, ownTroubles } from './troubles.ts';

/** Objects of the lists that views share, and how many proxies have the lists. */
type Bundle = { readonly owners: ReadonlySet<ObjectKey>; programmed: number; pending: number };

type Owners = { readonly bundle: Bundle | undefined; readonly own: ReadonlySet<ObjectKey> };

export type Counting = { add(cohort: Cohort): void; end(): void };

const identities = new Identities();

/** Counts cohorts. What many views have in common is counted once for all of them. */
export class CohortCounter {
  /** The owners of each bundle of lists, as long as some view has it. */
  #bundles = new Map<string, ReadonlySet<ObjectKey>>();

  begin(tally: Tally, mesh: MeshSnapshot): Counting {
    const bundles = new Map<string, Bundle>();
    return {
      add: (cohort) => this.#add(cohort, { tally, mesh, bundles }),
      end: () => {
        for (const { owners, programmed, pending } of bundles.values()) {
          for (const owner of owners) {
            if (programmed > 0) tally.add(owner, 'programmed', programmed);
            if (pending > 0) tally.add(owner, 'pending', pending);
          }
        }
        this.#bundles = new Map([...bundles].map(([key, { owners }]) => [key, owners]));
      },
    };
  }

  #add(cohort: Cohort, { tally, mesh, bundles }: Context): void {
    const { view, count } = cohort;
    const state = cohort.isBeginning ? 'pending' : 'programmed';
    const owners = view.proxy.kind === 'proxyless' ? askedFor(cohort) : this.#ownersOf(view, bundles);
    if (owners.bundle !== undefined) owners.bundle[state] += count;
    for (const owner of owners.own) tally.add(owner, state, count);
    const stale = staleKeys(view.mesh, mesh);
    for (const key of stale) if (!has(owners, key)) tally.add(key, 'undecided', count);
    if (!cohort.isBeginning) addTroubles(cohort, { tally, owners, stale });
  }

  #ownersOf({ shared, own, sidecar }: ProxyView, bundles: Map<string, Bundle>): Owners {
    const key = shared.map((list) => identities.of(list)).join(' ');
    const known = bundles.get(key);
    const bundle = known ?? { owners: this.#bundles.get(key) ?? union(shared), programmed: 0, pending: 0 };
    if (known === undefined) bundles.set(key, bundle);
    const ownOwners = new Set([
      ...own.flatMap((list) => [...ownersOfList(list)]),
      ...(sidecar === undefined ? [] : [sidecar]),
    ]);
    for (const owner of ownOwners) if (bundle.owners.has(owner)) ownOwners.delete(owner);
    return { bundle, own: ownOwners };
  }
}

type Context = { readonly tally: Tally; readonly mesh: MeshSnapshot; readonly bundles: Map<string, Bundle> };

function has({ bundle, own }: Owners, key: ObjectKey): boolean {
  return bundle?.owners.has(key) === true || own.has(key);
}

function union(lists: readonly (readonly EncodedResource[])[]): ReadonlySet<ObjectKey> {
  const owners = new Set<ObjectKey>();
  for (const list of lists) for (const owner of ownersOfList(list)) owners.add(owner);
  return owners;
}

/** A proxyless client has what it asked for; the rest of its view is none of its business. */
function askedFor({ types }: Cohort): Owners {
  const own = new Set<ObjectKey>();
  for (const { set, names } of types) {
    for (const name of names ?? set.base.resources.keys()) {
      const resource = set.base.resources.get(name);
      for (const owner of resource === undefined ? [] : ownersOf(resource)) own.add(owner);
    }
  }
  return { bundle: undefined, own };
}

type TroubleContext = { readonly tally: Tally; readonly owners: Owners; readonly stale: ReadonlySet<ObjectKey> };

/** Moves the proxies of a cohort from `programmed` to where they are. */
function addTroubles(cohort: Cohort, { tally, owners, stale }: TroubleContext): void {
  const { count, view, odd } = cohort;
  const isOwn = (key: ObjectKey): boolean => has(owners, key);
  const common = commonTroubles(cohort);
  noteSidecar(common, view);
  for (const [owner, state] of common.states) {
    if (isOwn(owner) && !stale.has(owner)) tally.move(owner, 'programmed', { to: state, count });
  }
  for (const owner of stale) if (isOwn(owner)) tally.move(owner, 'programmed', { to: 'pending', count });
  noteRefusals(tally, common, isOwn);
  for (const delivery of odd) {
    const own = ownTroubles(delivery);
    noteSidecar(own, view);
    for (const [owner, state] of own.states) {
      const before = common.stateOf(owner);
      if (isOwn(owner) && !stale.has(owner) && isWorse(state, before))
        tally.move(owner, before, { to: state, count: 1 });
    }
    noteRefusals(tally, own, isOwn);
  }
}

/** A Sidecar decides all of its view, so it is through once everything is. */
function noteSidecar(troubles: Troubles, { sidecar }: ProxyView): void {
  if (sidecar !== undefined && [...troubles.states.values()].includes('pending')) troubles.note(sidecar, 'pending');
}

function noteRefusals(tally: Tally, { refused }: Troubles, isOwn: (key: ObjectKey) => boolean): void {
  for (const resource of refused)
    for (const owner of ownersOf(resource)) if (isOwn(owner)) tally.refuse(owner, resource);
}

function isWorse(state: State, than: State): boolean {
  return states.indexOf(state) < states.indexOf(than);
}

const statusKinds: readonly Kind[] = Object.values(collections).flatMap(({ kind, source }) =>
  source === 'istio' ? [kind] : [],
);

const noKeys: ReadonlySet<ObjectKey> = new Set();

/** The objects of the newest mesh that an older one, of which a view was made, had in another version or not at all. */
function staleKeys({ config: older }: MeshSnapshot, { config: newest }: MeshSnapshot): ReadonlySet<ObjectKey> {
  if (older.objects === newest.objects) return noKeys;
  const moved = statusKinds.filter((kind) => older.objects[kind] !== newest.objects[kind]);
  if (moved.length === 0) return noKeys;
  return new Set(moved.flatMap((kind) => [...newKeys(newest.objects[kind], older.objects[kind])]));
}

const newKeysOf = memoByIdentity(
  (_: readonly ConfigObject[]) => new WeakMap<readonly ConfigObject[], readonly ObjectKey[]>(),
);

function newKeys(newest: readonly ConfigObject[], older: readonly ConfigObject[]): readonly ObjectKey[] {
  const known = newKeysOf(newest).get(older);
  if (known !== undefined) return known;
  const before = new Set(older);
  const keys = newest.filter((object) => !before.has(object)).map(({ key }) => key);
  newKeysOf(newest).set(older, keys);
  return keys;
}
