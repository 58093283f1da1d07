import { collectionFor, collections } from '../../../apis/collections.ts';
import type { Issue } from '../../../apis/issue.ts';
import { describe } from '../../../apis/schema/words.ts';
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
    if (isList(header)) {
      const member = memberOf(header);
      const items = item['items'] ?? [];
      if (!Array.isArray(items)) {
        isBroken = true;
        problems.push(
          malformed([...path, 'items'], `the items of a ${header.kind} are a list: start each of them with -`),
        );
        return;
      }
      for (const [index, child] of items.entries()) visit(child, [...path, 'items', index], member);
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

/** A `List`, or the list of a kind that is read: `VirtualServiceList`. */
function isList(header: Header): boolean {
  const member = memberOf(header);
  if (member === undefined) return true;
  return header.kind.endsWith('List') && collectionFor(member.apiVersion, member.kind) !== undefined;
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
  if (meta.name === '') return { problem: nameless(kind, body['metadata']) };
  const key = objectKey(collection.kind, namespace, meta.name);
  return { key, apiVersion, kind: collection.kind, meta, body, locate: undefined };
}

function nameless(kind: string, metadata: unknown): FoundProblem {
  if (metadata === undefined || metadata === null)
    return malformed([], `this ${kind} has no metadata: give it a name there`);
  if (!isRecord(metadata)) {
    return malformed(
      ['metadata'],
      `the metadata of this ${kind} are ${describe(metadata)}, not an object: write name: below it`,
    );
  }
  const name = metadata['name'];
  if (name === undefined || name === null || name === '') {
    return malformed(['metadata'], `this ${kind} has no metadata.name: give it one`);
  }
  const path = ['metadata', 'name'];
  return malformed(path, `the name of this ${kind} must be text (got ${describe(name)}): put it in quotes`);
}

/** Values of charts and settings of tools lie about in folders: what has no trait of an object is only a warning. */
function headless(path: Path, item: Readonly<Record<string, unknown>>): FoundProblem {
  const traits = ['apiVersion', 'kind', 'metadata'];
  const missing = traits.filter((trait) => item[trait] === undefined || item[trait] === null || item[trait] === '');
  const wrong = traits.slice(0, 2).find((trait) => !missing.includes(trait) && typeof item[trait] !== 'string');
  if (wrong !== undefined) {
    return malformed([...path, wrong], `${wrong} must be text (got ${describe(item[wrong])}): write it as text`);
  }
  const isOther = missing.length === traits.length;
  const remedy = isOther ? 'move it out of the folder if it is not meant to be one' : 'add it';
  const problem = malformed(path, `is not a Kubernetes object: it has no ${missing.join(' and no ')}: ${remedy}`);
  return { ...problem, level: isOther ? 'warning' : 'error' };
}

function malformed(path: Path, message: string): FoundProblem {
  return { code: 'XEB1006', level: 'error', path, message, ref: undefined };
}

function textOr(value: unknown, fallback: string): string {
  return typeof value === 'string' && value !== '' ? value : fallback;
}
