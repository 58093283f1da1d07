import type { EncodedResource } from './resource.ts';
import { diffSets, earlierVersions, hashVersions, type ResourceSet, verdictsOf } from './resource-set.ts';

/** Names that replaced resources have; `undefined` where no version was ever accepted. */
type Overrides = ReadonlyMap<string, EncodedResource | undefined>;

export type ServedDiff = {
  readonly changed: readonly EncodedResource[];
  readonly removed: readonly string[];
  /** Names whose new version is held back, so that a client which has an older one keeps it. */
  readonly kept: readonly string[];
  /** All of the above. */
  readonly names: readonly string[];
};

/** A resource set as it is sent: versions that were rejected give way to the last accepted ones. Immutable and shared. */
export class ServedSet {
  readonly base: ResourceSet;
  readonly overrides: Overrides;
  readonly #diffs = new WeakMap<ServedSet, ServedDiff>();
  readonly #missing = new WeakMap<EncodedResource, readonly string[]>();
  readonly #needed = new Map<string, ReadonlySet<string>>();
  #wholeDiff: ServedDiff | undefined;
  #version: string | undefined;

  constructor(base: ResourceSet, overrides: Overrides) {
    this.base = base;
    this.overrides = overrides;
  }

  get(name: string): EncodedResource | undefined {
    if (this.overrides.size > 0 && this.overrides.has(name)) return this.overrides.get(name);
    return this.base.resources.get(name);
  }

  /** Whether the name exists but no version of it may be sent. */
  isHeldBack(name: string): boolean {
    return this.overrides.has(name) && this.overrides.get(name) === undefined;
  }

  /** The names in another type's resource that nobody has, good or bad. Found once per resource. */
  missingFor(resource: EncodedResource): readonly string[] {
    const known = this.#missing.get(resource);
    if (known !== undefined) return known;
    const { typeUrl, resources } = this.base;
    const refs = resource.needs.filter((need) => need.typeUrl === typeUrl && !resources.has(need.name));
    const missing = refs.map(({ name }) => name);
    this.#missing.set(resource, missing);
    return missing;
  }

  /** All names of a type that these resources need. Found once. */
  neededOf(typeUrl: string): ReadonlySet<string> {
    const known = this.#needed.get(typeUrl);
    if (known !== undefined) return known;
    const needed = new Set<string>();
    for (const { needs } of this.resources)
      for (const need of needs) if (need.typeUrl === typeUrl) needed.add(need.name);
    this.#needed.set(typeUrl, needed);
    return needed;
  }

  get resources(): readonly EncodedResource[] {
    return this.diffFrom(undefined).changed;
  }

  get version(): string {
    this.#version ??= hashVersions(this.resources);
    return this.#version;
  }

  /** What turns a client that has all of `older`, or nothing, into one that has all of this. Found once per pair. */
  diffFrom(older: ServedSet | undefined): ServedDiff {
    if (older === undefined) {
      this.#wholeDiff ??= wholeDiff(this);
      return this.#wholeDiff;
    }
    const known = this.#diffs.get(older);
    if (known !== undefined) return known;
    const diff = diffOf(older, this);
    this.#diffs.set(older, diff);
    return diff;
  }
}

/** Makes served sets and remembers the one of each resource set until a verdict changes it. */
export class ServedSets {
  readonly #served = new WeakMap<ResourceSet, { readonly set: ServedSet; revision: number }>();

  of(base: ResourceSet): ServedSet {
    const { revision } = verdictsOf(base);
    const known = this.#served.get(base);
    if (known?.revision === revision) return known.set;
    const overrides = overridesOf(base);
    if (known !== undefined && sameOverrides(known.set.overrides, overrides)) {
      known.revision = revision;
      return known.set;
    }
    const set = new ServedSet(base, overrides);
    this.#served.set(base, { set, revision });
    return set;
  }
}

function overridesOf(base: ResourceSet): Overrides {
  const verdicts = verdictsOf(base);
  const overrides = new Map<string, EncodedResource | undefined>();
  for (const name of verdicts.rejectedNames(base.typeUrl)) {
    const resource = base.resources.get(name);
    if (resource === undefined || !verdicts.isRejected(resource)) continue;
    overrides.set(name, verdicts.findAccepted(earlierVersions(base, name)));
  }
  return overrides;
}

function sameOverrides(a: Overrides, b: Overrides): boolean {
  if (a.size !== b.size) return false;
  for (const [name, resource] of a) if (!b.has(name) || b.get(name) !== resource) return false;
  return true;
}

function wholeDiff({ base, overrides }: ServedSet): ServedDiff {
  const changed: EncodedResource[] = [];
  for (const [name, resource] of base.resources) {
    const served = overrides.has(name) ? overrides.get(name) : resource;
    if (served !== undefined) changed.push(served);
  }
  return { changed, removed: [], kept: [], names: changed.map(({ name }) => name) };
}

function diffOf(older: ServedSet, newer: ServedSet): ServedDiff {
  const base = older.base === newer.base ? { changed: [], removed: [] } : diffSets(older.base, newer.base);
  const overridden = [...older.overrides.keys(), ...newer.overrides.keys()].filter((name) =>
    newer.base.resources.has(name),
  );
  const candidates = new Set([...base.changed.map(({ name }) => name), ...overridden]);
  const changed: EncodedResource[] = [];
  const kept: string[] = [];
  for (const name of candidates) {
    const resource = newer.get(name);
    if (resource === undefined) kept.push(name);
    else if (resource.version !== older.get(name)?.version) changed.push(resource);
  }
  return {
    changed,
    removed: base.removed,
    kept,
    names: [...changed.map(({ name }) => name), ...base.removed, ...kept],
  };
}
