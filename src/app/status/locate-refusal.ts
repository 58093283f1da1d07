import { renderPath } from '../../apis/issue.ts';
import { type ObjectKey, objectKey } from '../../model/ids.ts';
import type { ConfigObject } from '../../model/object.ts';
import type { EncodedResource, Origin } from '../../xds/resource.ts';
import { ownersOf } from './owners.ts';
import { fieldHints, innermostCause, plainWords, quotedIn } from './refusal-words.ts';
import { findRoutePlace } from './route-place.ts';
import { commonPath, findPlace, type SpecPath, stepsOf, valueAt } from './spec-search.ts';

/** Whose fault a refusal is by the words of the proxy, and where in each object they lead. */
export type Located = {
  /** Those that the words are about; where that cannot be told, all that the resource came from. */
  readonly suspects: readonly ObjectKey[];
  readonly isCertain: boolean;
  readonly paths: ReadonlyMap<ObjectKey, string>;
  /** The words without what people know already. */
  readonly words: string;
};

type Case = {
  readonly resource: EncodedResource;
  readonly words: string;
  readonly quoted: readonly string[];
  readonly owners: readonly ObjectKey[];
  readonly objectOf: (key: ObjectKey) => ConfigObject | undefined;
};

/** The ways to find the guilty, the surest first. The first that leaves some out decides. */
const ways: readonly ((refusal: Case) => readonly ObjectKey[])[] = [onlyOne, byPlace, byDestination, byQuotation];

export function locateRefusal(
  error: string,
  resource: EncodedResource,
  objectOf: (key: ObjectKey) => ConfigObject | undefined,
): Located {
  const words = plainWords(error, resource.name);
  const owners = ownersOf(resource);
  const refusal = { resource, words, quoted: quotedIn(words), owners, objectOf };
  const named = ways.map((way) => way(refusal)).find((found) => found.length > 0 && found.length < owners.length);
  const suspects = owners.length === 1 ? owners : (named ?? owners);
  const paths = new Map(suspects.map((key) => [key, renderPath(placeIn(key, refusal))]));
  return { suspects, isCertain: suspects.length === 1, paths, words: innermostCause(words) };
}

function onlyOne({ owners }: Case): readonly ObjectKey[] {
  return owners.length === 1 ? owners : [];
}

function byPlace({ words, resource, owners }: Case): readonly ObjectKey[] {
  const found = findRoutePlace(words, resource)?.owners ?? [];
  return found.filter((key) => owners.includes(key));
}

const CLUSTER = /outbound\|(\d+)\|([^|]*)\|([\w.*-]+)/;

/** Who sends traffic to the cluster that is named. */
function byDestination({ words, owners, objectOf }: Case): readonly ObjectKey[] {
  const [, , subset = '', host] = CLUSTER.exec(words) ?? [];
  if (host === undefined) return [];
  return owners.filter((key) => destinationIn(objectOf(key), subset, host) !== undefined);
}

function destinationIn(object: ConfigObject | undefined, subset: string, host: string): SpecPath | undefined {
  return findPlace(object?.spec, ['spec'], (path, value) => {
    if (path.at(-1) !== 'destination' || typeof value !== 'object' || value === null) return false;
    const destination: { readonly host?: unknown; readonly subset?: unknown } = value;
    const isHost =
      typeof destination.host === 'string' && (host === destination.host || host.startsWith(`${destination.host}.`));
    return isHost && (destination.subset ?? '') === subset;
  });
}

/** Whose spec has what the words quote. */
function byQuotation({ quoted, owners, objectOf }: Case): readonly ObjectKey[] {
  for (const text of quoted) {
    const found = owners.filter((key) => leafWith(objectOf(key)?.spec, ['spec'], text) !== undefined);
    if (found.length > 0 && found.length < owners.length) return found;
  }
  return [];
}

function leafWith(value: unknown, at: SpecPath, text: string): SpecPath | undefined {
  const exact = findPlace(value, at, (path, leaf) => leaf === text || path.at(-1) === text);
  if (exact !== undefined || text.length < 4) return exact;
  return findPlace(value, at, (_, leaf) => typeof leaf === 'string' && (leaf.includes(text) || isPartOf(leaf, text)));
}

/** `reviews` within `reviews.shop.svc.cluster.local`. */
function isPartOf(leaf: string, text: string): boolean {
  return leaf.length >= 4 && (text.startsWith(`${leaf}.`) || text === leaf);
}

/** The most exact field: the value that is quoted, the destination, the rule that is pointed at, the field of the words. */
function placeIn(key: ObjectKey, refusal: Case): SpecPath {
  const { resource, words, quoted, objectOf } = refusal;
  const object = objectOf(key);
  const origins = resource.origins.filter((origin) => keyOf(origin) === key).map(({ path }) => stepsOf(path));
  const rule = origins.length === 1 ? undefined : ruleOf(origins, object, refusal);
  const base = rule ?? commonPath(origins);
  const [, , subset = '', host] = CLUSTER.exec(words) ?? [];
  const destination = host === undefined ? undefined : destinationIn(object, subset, host);
  return quotedLeaf(object, base, quoted) ?? destination ?? hintedField(object, base, words) ?? base;
}

const everywhere: SpecPath = ['spec'];

/** Below the place first, then anywhere. */
function quotedLeaf(object: ConfigObject | undefined, base: SpecPath, quoted: readonly string[]): SpecPath | undefined {
  for (const at of [base, everywhere]) {
    for (const text of quoted) {
      const leaf = leafWith(valueAt(object, at), at, text);
      if (leaf !== undefined) return leaf;
    }
  }
  return undefined;
}

/** Of several rules of one object, the one whose match the refused route has. */
function ruleOf(
  origins: readonly SpecPath[],
  object: ConfigObject | undefined,
  { words, resource }: Case,
): SpecPath | undefined {
  for (const text of findRoutePlace(words, resource)?.words ?? []) {
    const rule = origins.find((origin) => leafWith(valueAt(object, origin), origin, text) !== undefined);
    if (rule !== undefined) return rule;
  }
  return undefined;
}

function hintedField(object: ConfigObject | undefined, base: SpecPath, words: string): SpecPath | undefined {
  const fields = fieldHints.flatMap(([pattern, names]) => (pattern.test(words) ? names : []));
  for (const at of [base, everywhere]) {
    for (const field of fields) {
      const place = findPlace(valueAt(object, at), at, (path) => path.at(-1) === field && path.length > at.length);
      if (place !== undefined) return place;
    }
  }
  return undefined;
}

function keyOf({ kind, namespace, name }: Origin): ObjectKey {
  return objectKey(kind, namespace, name);
}
