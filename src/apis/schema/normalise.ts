import type { z } from 'zod';
import { issueOf } from '../finding.ts';
import type { Issue } from '../issue.ts';
import { enumNumbers } from './fields.ts';
import { required, structureOf, takesNull } from './structure.ts';
import { type Members, type Plain, remedyFor, type Surrounding } from './unknown-field.ts';

/** More unknown members of one object nobody reads about, and guessing what each was meant to be takes time. */
const mostUnknown = 100;

type Step = string | number;

/** What becomes of members that no schema knows. */
export type UnknownFields = 'ignored' | 'refused';

type Walk = {
  readonly unknown: UnknownFields;
  readonly issues: Issue[];
  /** Where the walk is, by the names of the schema. */
  readonly path: Step[];
  /** The same place as the author wrote it. */
  readonly written: Step[];
  readonly spellings: Spelling[];
  /** The objects that the place is in. */
  readonly around: Surrounding[];
};

/** A member that was written otherwise than its canonical path says: `retry_on`. */
export type Spelling = { readonly path: readonly Step[]; readonly written: string };

/** A body with the spellings of protobuf JSON made canonical, and what was said about it on the way. */
export type Normalised = {
  readonly value: unknown;
  readonly issues: readonly Issue[];
  readonly spellings: readonly Spelling[];
};

/**
 * Rewrites what protobuf JSON allows into the one form the schemas know: proto names (`retry_on`) become JSON names, enum
 * numbers become names, numbers in quotes become numbers, null members are dropped unless null
 * means something there. Unknown members are dropped with a
 * word that names the nearest known one. Wrong types stay, for the schema to refuse.
 */
export function normalise(
  schema: z.ZodType,
  value: unknown,
  path: readonly Step[],
  unknown: UnknownFields = 'ignored',
): Normalised {
  const walk: Walk = { unknown, issues: [], path: [...path], written: [...path], spellings: [], around: [] };
  return { value: visit(schema, value, walk), issues: walk.issues, spellings: walk.spellings };
}

/** A canonical path as the author wrote it, so that it can be found in the author's text. */
export function respell(path: readonly Step[], spellings: readonly Spelling[]): readonly Step[] {
  const written = [...path];
  for (const { path: canonical, written: key } of spellings) {
    const last = canonical.length - 1;
    if (path.length > last && canonical.every((step, index) => path[index] === step)) written[last] = key;
  }
  return written;
}

function visit(schema: z.core.$ZodType, value: unknown, walk: Walk): unknown {
  const structure = structureOf(schema);
  switch (structure.kind) {
    case 'object':
      return isPlain(value) ? visitObject(structure.members, value, walk) : value;
    case 'list':
      return Array.isArray(value) ? visitEach(structure.element, value, walk) : value;
    case 'map':
      return isPlain(value) ? visitMap(structure.element, value, walk) : value;
    case 'enum':
      return typeof value === 'number' ? (nameOf(schema, value) ?? value) : value;
    case 'number':
      return typeof value === 'string' ? numberOf(value) : value;
    default:
      return value;
  }
}

function visitObject(members: Members, value: Plain, walk: Walk): unknown {
  const result: Record<string, unknown> = {};
  walk.around.push({ path: [...walk.written], members, value });
  for (const [key, member] of Object.entries(value)) {
    const name = Object.hasOwn(members, key) ? key : jsonName(key);
    const schema = Object.hasOwn(members, name) ? members[name] : undefined;
    if (schema === undefined) {
      tellUnknown(walk, key);
    } else if (Object.hasOwn(result, name)) {
      const problem = `is the same field as ${name}, which is given as well`;
      walk.issues.push(issueOf('error', 'XEB0012', [...walk.written, key], { problem, fix: 'keep one of them' }));
    } else if (member !== undefined && (member !== null || takesNull(schema))) {
      if (name !== key) walk.spellings.push({ path: [...walk.path, name], written: key });
      result[name] = step(walk, [name, key], () => visit(schema, member, walk));
    }
  }
  walk.around.pop();
  return result;
}

function visitEach(element: z.core.$ZodType, list: readonly unknown[], walk: Walk): unknown {
  return list.map((item, index) => step(walk, [index, index], () => visit(element, item, walk)));
}

function visitMap(element: z.core.$ZodType, map: Plain, walk: Walk): unknown {
  const entries = Object.entries(map).filter(([key]) => key !== '__proto__');
  return Object.fromEntries(
    entries.map(([key, member]) => [key, step(walk, [key, key], () => visit(element, member, walk))]),
  );
}

function step<T>(walk: Walk, [name, written]: readonly [Step, Step], visitMember: () => T): T {
  walk.path.push(name);
  walk.written.push(written);
  const result = visitMember();
  walk.path.pop();
  walk.written.pop();
  return result;
}

function tellUnknown(walk: Walk, key: string): void {
  if (walk.issues.length >= mostUnknown) return;
  const [path, fix] = [[...walk.written, key], remedyFor(key, walk.around)];
  const isIgnored = walk.unknown === 'ignored';
  const problem = isIgnored
    ? 'is not a known field and is ignored'
    : 'is not a known field, and may be what the policy depends on';
  walk.issues.push(issueOf(isIgnored ? 'warning' : 'error', 'XEB0008', path, { problem, fix }));
}

/** The JSON name of a proto name: `retry_on` is `retryOn`. */
function jsonName(name: string): string {
  return name.replace(/_+([a-zA-Z0-9])/g, (_, letter: string) => letter.toUpperCase());
}

function nameOf(schema: z.core.$ZodType, number: number): string | undefined {
  return enumNumbers.get(required(schema))?.names.get(number);
}

function numberOf(text: string): number | string {
  return /^-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/.test(text) ? Number(text) : text;
}

export function isPlain(value: unknown): value is Plain {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
