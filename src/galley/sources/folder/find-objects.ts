import { collectionFor, collections } from '../../../apis/collections.ts';
import type { Issue } from '../../../apis/issue.ts';
import { objectKey } from '../../../model/ids.ts';
import type { ObjectRef } from '../../../model/object.ts';
import { isRecord } from '../../is-record.ts';
import type { Path } from '../../yaml/places.ts';
import { classifyForeign } from '../foreign-kinds.ts';
import { readMeta } from '../read-meta.ts';
import type { SourceObject } from '../source.ts';

const DEFAULT_NAMESPACE = 'default';

/** An object and where it starts in its document (`['items', 3]` in a List). */
export type FoundObject = { readonly object: SourceObject; readonly path: Path };
export type FoundProblem = Issue & { readonly ref: ObjectRef | undefined };

export type Findings = {
  readonly found: readonly FoundObject[];
  readonly problems: readonly FoundProblem[];
  /** Something that was meant to be an object cannot be named. */
  readonly isBroken: boolean;
};

type Header = { readonly apiVersion: string; readonly kind: string };

/** Finds the mesh's objects in the value of one document, inside a List too. */
export function findObjects(value: unknown): Findings {
  if (value === null || value === undefined) return { found: [], problems: [], isBroken: false };
  const found: FoundObject[] = [];
  const problems: FoundProblem[] = [];
  let isBroken = false;
  const visit = (item: unknown, path: Path, inherited: Header | undefined): void => {
    if (!isRecord(item)) {
      isBroken = true;
      problems.push(malformed(path, 'is not an object: a document starts with apiVersion, kind and metadata'));
      return;
    }
    const header = headerOf(item, inherited);
    if (header === undefined) {
      isBroken = true;
      problems.push(headless(path, item));
      return;
    }
    if (header.kind.endsWith('List') && Array.isArray(item['items'])) {
      const member = memberOf(header);
      for (const [index, child] of item['items'].entries()) visit(child, [...path, 'items', index], member);
      return;
    }
    const object = readObject(item, header);
    if ('key' in object) found.push({ object, path });
    else if (object.problem !== undefined) {
      isBroken ||= object.problem.level === 'error';
      problems.push({ ...object.problem, path: [...path, ...object.problem.path] });
    }
  };
  visit(value, [], undefined);
  return { found, problems, isBroken };
}

function headerOf(item: Readonly<Record<string, unknown>>, inherited: Header | undefined): Header | undefined {
  const apiVersion = item['apiVersion'] ?? inherited?.apiVersion;
  const kind = item['kind'] ?? inherited?.kind;
  if (typeof apiVersion !== 'string' || typeof kind !== 'string' || apiVersion === '' || kind === '') return undefined;
  return { apiVersion, kind };
}

/** The items of a `VirtualServiceList` need not repeat what they are. */
function memberOf({ apiVersion, kind }: Header): Header | undefined {
  return kind === 'List' ? undefined : { apiVersion, kind: kind.slice(0, -'List'.length) };
}

function readObject(
  body: Readonly<Record<string, unknown>>,
  { apiVersion, kind }: Header,
): SourceObject | { readonly problem: FoundProblem | undefined } {
  const collection = collectionFor(apiVersion, kind);
  const metadata = isRecord(body['metadata']) ? body['metadata'] : {};
  if (collection === undefined) {
    const foreign = classifyForeign(apiVersion, kind, Object.values(collections));
    if (foreign.kind === 'ignored') return { problem: undefined };
    const { namespace, name } = readMeta(metadata, textOr(metadata['namespace'], ''));
    const ref = { kind, namespace, name };
    return { problem: { code: 'XEB1007', level: foreign.level, path: ['kind'], message: foreign.message, ref } };
  }
  const namespace = collection.scope === 'cluster' ? '' : textOr(metadata['namespace'], DEFAULT_NAMESPACE);
  const meta = readMeta(metadata, namespace);
  if (meta.name === '') {
    const problem = malformed(['metadata'], `this ${kind} has no metadata.name: give it one`);
    return { problem };
  }
  const key = objectKey(collection.kind, namespace, meta.name);
  return { key, apiVersion, kind: collection.kind, meta, body, locate: undefined };
}

/** Values of charts and settings of tools lie about in folders: what has no trait of an object is only a warning. */
function headless(path: Path, item: Readonly<Record<string, unknown>>): FoundProblem {
  const traits = ['apiVersion', 'kind', 'metadata'];
  const missing = traits.filter((trait) => item[trait] === undefined);
  const problem = malformed(path, `is not a Kubernetes object: it has no ${missing.join(' and no ')}`);
  return { ...problem, level: missing.length === traits.length ? 'warning' : 'error' };
}

function malformed(path: Path, message: string): FoundProblem {
  return { code: 'XEB1006', level: 'error', path, message, ref: undefined };
}

function textOr(value: unknown, fallback: string): string {
  return typeof value === 'string' && value !== '' ? value : fallback;
}
