import type { z } from 'zod';
import { codes, type IssueCode } from '../codes.ts';
import { issueOf } from '../finding.ts';
import type { Issue } from '../issue.ts';
import { correctionOf, durationOf, objectShape, schemaAt } from './shape.ts';
import { enumerate, nearest } from './words.ts';

type Step = string | number;
type RawIssue = z.core.$ZodIssue;

const wordFor: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  record: 'an object',
};

/** What was parsed by which schema, and the path that leads to it. */
export type Reading = {
  readonly schema: z.core.$ZodType;
  readonly value: unknown;
  readonly prefix: readonly Step[];
};

/** Says in plain words what a schema found. */
export function explain(raw: RawIssue, { schema, value, prefix }: Reading): Issue {
  const inner = stepsOf(raw.path);
  const path = [...prefix, ...inner];
  const got = valueAt(value, inner);
  const wanted = schemaAt(schema, inner);
  switch (raw.code) {
    case 'invalid_type':
      return got === undefined
        ? missing(path, wanted)
        : wrongType(path, got, { wanted, allowed: allowedBy(raw, wanted) });
    case 'invalid_value':
      return got === undefined ? missing(path, wanted) : notListed(path, got, raw.values.map(String));
    case 'too_small':
    case 'too_big':
      return outOfRange(path, got, raw);
    case 'custom':
      return custom(path, got, raw);
    default:
      return issueOf('error', 'XEB0001', path, { problem: 'is not valid', got });
  }
}

/** A schema that has its own word for what it takes has given it as the message. */
function allowedBy({ message, expected }: z.core.$ZodIssueInvalidType, wanted: z.core.$ZodType | undefined): string {
  if (!message.startsWith('Invalid input')) return message;
  return expected === 'object' ? objectShape(wanted) : (wordFor[expected] ?? expected);
}

/** The part of a zod path that can be a step of ours. */
export function stepsOf(path: readonly PropertyKey[]): readonly Step[] {
  return path.map((step) => (typeof step === 'symbol' ? String(step) : step));
}

export function valueAt(value: unknown, path: readonly Step[]): unknown {
  let current = value;
  for (const step of path) {
    if (typeof current !== 'object' || current === null || !Object.hasOwn(current, step)) return undefined;
    const next: unknown = Reflect.get(current, step);
    current = next;
  }
  return current;
}

function missing(path: readonly Step[], wanted: z.core.$ZodType | undefined): Issue {
  const shape = objectShape(wanted);
  const fix = shape === 'an object' ? 'add it' : `add it, ${shape}`;
  return issueOf('error', 'XEB0002', path, { problem: 'is required and missing', fix });
}

type Wanted = { readonly wanted: z.core.$ZodType | undefined; readonly allowed: string };

function wrongType(path: readonly Step[], got: unknown, { wanted, allowed }: Wanted): Issue {
  const fix = correction(got, { wanted, allowed });
  return issueOf('error', 'XEB0001', path, { problem: 'has the wrong type', got, allowed, ...(fix && { fix }) });
}

function correction(got: unknown, { wanted, allowed }: Wanted): string | undefined {
  if (got === null) return 'remove it, or write what belongs here';
  const scalar = typeof got === 'number' || typeof got === 'boolean';
  if (allowed === 'text' && scalar) return 'put it in quotes';
  return durationOf(allowed, got) ?? (wanted === undefined ? undefined : correctionOf(wanted, got));
}

function notListed(path: readonly Step[], got: unknown, values: readonly string[]): Issue {
  const meant = typeof got === 'string' ? nearest(got, values) : undefined;
  const fix = meant === undefined ? {} : { fix: `did you mean ${meant}?` };
  return issueOf('error', 'XEB0003', path, {
    problem: 'is not a known value',
    got,
    // The zero value of some enums is a name for what nobody may write.
    allowed: enumerate(values.filter((value) => value !== 'INVALID')),
    ...fix,
  });
}

function outOfRange(
  path: readonly Step[],
  got: unknown,
  raw: z.core.$ZodIssueTooSmall | z.core.$ZodIssueTooBig,
): Issue {
  const allowed = raw.code === 'too_small' ? `${raw.minimum} or more` : `${raw.maximum} or less`;
  return issueOf('error', 'XEB0007', path, { problem: 'is out of range', got, allowed });
}

function custom(path: readonly Step[], got: unknown, raw: z.core.$ZodIssueCustom): Issue {
  const { code, allowed } = raw.params ?? {};
  const facts = typeof allowed === 'string' ? { allowed } : {};
  return issueOf('error', isCode(code) ? code : 'XEB0001', path, { problem: raw.message, got, ...facts });
}

function isCode(code: unknown): code is IssueCode {
  return typeof code === 'string' && Object.hasOwn(codes, code);
}
