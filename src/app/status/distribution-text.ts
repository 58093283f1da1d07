import type { Distribution, ObjectDistribution, Refusal } from '../../galley/status/distribution.ts';
import { isRecord } from '../../kube/json.ts';
import type { ObjectKey } from '../../model/ids.ts';

/** What one replica tells another, in few bytes: there may be ten thousand objects. */
export type DistributionText = {
  readonly version: string;
  readonly isBehind: boolean;
  readonly objects: Readonly<Record<string, CompactObject>>;
};

/** Generation, programmed, pending, held back, refused, undecided, refusals; only the first where no proxy is concerned. */
type CompactObject =
  | readonly [number | null]
  | readonly [number | null, number, number, number, number, number, readonly Refusal[]];

/** Suspects that are told to others. */
const MOST_SUSPECTS = 20;

export function compact({ objects, isBehind }: Distribution, version: string): DistributionText {
  return { version, isBehind, objects: Object.fromEntries([...objects].map(([key, each]) => [key, compactOne(each)])) };
}

function compactOne(object: ObjectDistribution): CompactObject {
  const { programmed, pending, heldBack, refused, undecided, known } = object;
  const generation = object.generation ?? null;
  if (known === 0 && undecided === 0) return [generation];
  const refusals = object.refusals.map((each) => ({ ...each, suspects: each.suspects.slice(0, MOST_SUSPECTS) }));
  return [generation, programmed, pending, heldBack, refused, undecided, refusals];
}

/** Nothing for what no replica would say. */
export function readDistributionText(
  text: string,
): (Omit<DistributionText, 'objects'> & { objects: Objects }) | undefined {
  const value: unknown = parse(text);
  if (!isRecord(value)) return undefined;
  const { version, isBehind, objects } = value;
  if (typeof version !== 'string' || typeof isBehind !== 'boolean' || !isRecord(objects)) return undefined;
  const read = new Map<ObjectKey, ObjectDistribution>();
  for (const [key, each] of Object.entries(objects)) {
    const object = readOne(each);
    if (object === undefined) return undefined;
    read.set(key as ObjectKey, object);
  }
  return { version, isBehind, objects: read };
}

type Objects = ReadonlyMap<ObjectKey, ObjectDistribution>;

function readOne(value: unknown): ObjectDistribution | undefined {
  if (!Array.isArray(value)) return undefined;
  const items: readonly unknown[] = value;
  const [generation, ...rest] = items;
  const counts = rest.slice(0, 5);
  if (generation !== null && typeof generation !== 'number') return undefined;
  if (!counts.every((count) => typeof count === 'number')) return undefined;
  const [programmed = 0, pending = 0, heldBack = 0, refused = 0, undecided = 0] = counts;
  const refusals: readonly unknown[] = Array.isArray(rest[5]) ? rest[5] : [];
  return {
    generation: generation ?? undefined,
    object: undefined,
    known: programmed + pending + heldBack + refused,
    programmed,
    pending,
    heldBack,
    refused,
    undecided,
    refusals: refusals.filter(isRefusal),
  };
}

function isRefusal(value: unknown): value is Refusal {
  if (!isRecord(value)) return false;
  const { error, proxy, path, blame, suspects } = value;
  const texts = [error, proxy, path, blame].every((text) => typeof text === 'string');
  return texts && ['this', 'another', 'unclear'].includes(String(blame)) && Array.isArray(suspects);
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
