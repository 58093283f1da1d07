import type { z } from 'zod';
import { issueOf } from '../finding.ts';
import type { Issue } from '../issue.ts';
import { enumNumbers } from './fields.ts';
import { nearest } from './words.ts';

type Step = string | number;
type Walk = {
  readonly issues: Issue[];
  /** Where the walk is, by the names of the schema. */
  readonly path: Step[];
  /** The same place as the author wrote it. */
  readonly written: Step[];
  readonly spellings: Spelling[];
};
type Plain = Readonly<Record<string, unknown>>;

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
 * numbers become names, numbers in quotes become numbers, null members are dropped. Unknown members are dropped with a
 * warning that names the nearest known one. Wrong types stay, for the schema to refuse.
 */
export function normalise(schema: z.ZodType, value: unknown, path: readonly Step[]): Normalised {
  const walk: Walk = { issues: [], path: [...path], written: [...path], spellings: [] };
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
  const { def } = (schema as z.core.$ZodTypes)._zod;
  switch (def.type) {
    case 'optional':
      return visit(def.innerType, value, walk);
    case 'object':
      return isPlain(value) ? visitObject(def.shape, value, walk) : value;
    case 'array':
      return Array.isArray(value) ? visitEach(def.element, value, walk) : value;
    case 'record':
      return isPlain(value) ? visitRecord(def.valueType, value, walk) : value;
    default:
      return visitScalar(schema, value);
  }
}

function visitScalar(schema: z.core.$ZodType, value: unknown): unknown {
  const { type } = schema._zod.def;
  if (type === 'enum' && typeof value === 'number') return enumNumbers.get(schema)?.names.get(value) ?? value;
  return type === 'number' && typeof value === 'string' ? numberOf(value) : value;
}

function visitObject(shape: z.core.$ZodShape, value: Plain, walk: Walk): unknown {
  const result: Record<string, unknown> = {};
  for (const [key, member] of Object.entries(value)) {
    const name = memberName(shape, key);
    if (name === undefined) {
      refuse(walk, key, unknownMember(key, Object.keys(shape)));
    } else if (Object.hasOwn(result, name)) {
      walk.issues.push(
        issueOf('error', 'XEB0012', [...walk.written, key], {
          problem: `is the same field as ${name}, which is given as well`,
          fix: 'keep one of them',
        }),
      );
    } else if (member !== null && member !== undefined) {
      if (name !== key) walk.spellings.push({ path: [...walk.path, name], written: key });
      result[name] = step(walk, [name, key], () => visit(shape[name] as z.core.$ZodType, member, walk));
    }
  }
  return result;
}

function visitEach(element: z.core.$ZodType, list: readonly unknown[], walk: Walk): unknown {
  return list.map((item, index) => step(walk, [index, index], () => visit(element, item, walk)));
}

function visitRecord(element: z.core.$ZodType, record: Plain, walk: Walk): unknown {
  const entries = Object.entries(record).filter(([key]) => key !== '__proto__');
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

function refuse(walk: Walk, key: string, issue: Pick<Issue, 'message'>): void {
  walk.issues.push({ code: 'XEB0008', level: 'warning', path: [...walk.written, key], ...issue });
}

function unknownMember(key: string, known: readonly string[]): Pick<Issue, 'message'> {
  const meant = nearest(key, known);
  const hint = meant === undefined ? 'remove it, or see what is known by `kubectl explain`' : `did you mean ${meant}?`;
  return { message: `is not a known field and is ignored; ${hint}` };
}

function memberName(shape: z.core.$ZodShape, key: string): string | undefined {
  if (Object.hasOwn(shape, key)) return key;
  if (!key.includes('_')) return undefined;
  const name = key.replace(/_+([a-zA-Z0-9])/g, (_, letter: string) => letter.toUpperCase());
  return Object.hasOwn(shape, name) ? name : undefined;
}

function numberOf(text: string): number | string {
  return /^-?\d+(?:\.\d+)?(?:[eE][+-]?\d+)?$/.test(text) ? Number(text) : text;
}

export function isPlain(value: unknown): value is Plain {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
