import { type EncodedResource, type Origin, shortHash } from './resource.ts';
import type { Verdicts } from './verdicts.ts';

/** All resources of one xDS type in one view. Immutable; a thousand proxies that see the same hold the same object. */
export type ResourceSet = {
  readonly typeUrl: string;
  /** In the order in which they are sent. */
  readonly resources: ReadonlyMap<string, EncodedResource>;
};

export type SetDiff = {
  /** New resources, and those whose version is another now. */
  readonly changed: readonly EncodedResource[];
  readonly removed: readonly string[];
};

/** What a set knows beside its resources: where it came from, and what it costs to find out only once. */
type Lineage = {
  readonly verdicts: Verdicts;
  /** By name, the versions before the present one, newest first, back to the last that a proxy accepted. */
  readonly earlier: ReadonlyMap<string, readonly EncodedResource[]>;
  /** Diffs from older sets; an entry goes with the older set. */
  readonly diffs: WeakMap<ResourceSet, SetDiff>;
};

/** Versions that nobody accepted yet and that are kept as candidates, in case the acceptance is under way. */
const CANDIDATES = 3;

const lineages = new WeakMap<ResourceSet, Lineage>();

/** Where the lineage of a view's set begins. */
export function emptyResourceSet(typeUrl: string, verdicts: Verdicts): ResourceSet {
  return register({ typeUrl, resources: new Map() }, { verdicts, earlier: new Map(), diffs: new WeakMap() });
}

/** The set after `previous`: `previous` itself when nothing changed. Of two resources with one name the last counts. */
export function nextResourceSet(previous: ResourceSet, resources: Iterable<EncodedResource>): ResourceSet {
  const { verdicts, earlier } = lineageOf(previous);
  const next = new Map<string, EncodedResource>();
  const changed: EncodedResource[] = [];
  let isSame = true;
  for (const resource of resources) {
    const known = previous.resources.get(resource.name);
    const kept = preferKnown(resource, [known, ...(earlier.get(resource.name) ?? [])], verdicts);
    if (kept.version !== known?.version) changed.push(kept);
    if (kept !== known) isSame = false;
    next.set(kept.name, kept);
  }
  if (isSame && next.size === previous.resources.size) return previous;

  const removed = [...previous.resources.keys()].filter((name) => !next.has(name));
  const diff = { changed, removed };
  return register(
    { typeUrl: previous.typeUrl, resources: next },
    { verdicts, earlier: nextEarlier({ previous, earlier, verdicts }, diff), diffs: new WeakMap([[previous, diff]]) },
  );
}

/** What turns `older` into `newer`, found once per pair of sets. */
export function diffSets(older: ResourceSet, newer: ResourceSet): SetDiff {
  const { diffs } = lineageOf(newer);
  const known = diffs.get(older);
  if (known !== undefined) return known;
  const changed = [...newer.resources.values()].filter(
    (resource) => older.resources.get(resource.name)?.version !== resource.version,
  );
  const removed = [...older.resources.keys()].filter((name) => !newer.resources.has(name));
  const diff = { changed, removed };
  diffs.set(older, diff);
  return diff;
}

/** Versions of a name before the present one, newest first; the last is the one that a proxy accepted, if any was. */
export function earlierVersions(set: ResourceSet, name: string): readonly EncodedResource[] {
  return lineageOf(set).earlier.get(name) ?? [];
}

/** The registry of verdicts that the set's lineage began with. */
export function verdictsOf(set: ResourceSet): Verdicts {
  return lineageOf(set).verdicts;
}

/** A hash over all names and versions. */
export function hashVersions(resources: Iterable<Pick<EncodedResource, 'name' | 'version'>>): string {
  let text = '';
  for (const { name, version } of resources) text += `${name}\n${version}\n`;
  return shortHash(Buffer.from(text));
}

function register(set: ResourceSet, lineage: Lineage): ResourceSet {
  lineages.set(set, lineage);
  return set;
}

function lineageOf(set: ResourceSet): Lineage {
  const lineage = lineages.get(set);
  if (lineage === undefined) throw new Error(`a set of ${set.typeUrl} that nextResourceSet did not make`);
  return lineage;
}

/** Equal bytes keep their object, unless they come from other objects now: a report must name the present ones. */
function preferKnown(
  resource: EncodedResource,
  versions: readonly (EncodedResource | undefined)[],
  verdicts: Verdicts,
): EncodedResource {
  const known = versions.find((each) => each?.version === resource.version);
  if (known === undefined || known === resource) return resource;
  if (sameOrigins(known.origins, resource.origins)) return known;
  if (verdicts.isAccepted(known)) verdicts.accept(resource);
  return resource;
}

function sameOrigins(a: readonly Origin[], b: readonly Origin[]): boolean {
  return a.length === b.length && a.every((origin, at) => sameOrigin(origin, b[at]));
}

function sameOrigin(a: Origin, b: Origin | undefined): boolean {
  return a.kind === b?.kind && a.namespace === b.namespace && a.name === b.name && a.path === b.path;
}

type Past = Pick<Lineage, 'earlier' | 'verdicts'> & { readonly previous: ResourceSet };

/** Costs what changed, and what has not been accepted since it changed. */
function nextEarlier(
  { previous, earlier, verdicts }: Past,
  { changed, removed }: SetDiff,
): ReadonlyMap<string, readonly EncodedResource[]> {
  const next = new Map<string, readonly EncodedResource[]>();
  for (const [name, versions] of earlier) {
    const present = previous.resources.get(name);
    if (present !== undefined && !verdicts.isAccepted(present)) next.set(name, versions);
  }
  for (const name of removed) next.delete(name);
  for (const { name } of changed) {
    const present = previous.resources.get(name);
    if (present !== undefined) next.set(name, cutAtAccepted([present, ...(next.get(name) ?? [])], verdicts));
  }
  return next;
}

function cutAtAccepted(versions: readonly EncodedResource[], verdicts: Verdicts): readonly EncodedResource[] {
  const candidates: EncodedResource[] = [];
  for (const version of versions) {
    if (verdicts.isAccepted(version)) return [...candidates, version];
    if (candidates.length < CANDIDATES && !verdicts.isRejected(version)) candidates.push(version);
  }
  return candidates;
}
