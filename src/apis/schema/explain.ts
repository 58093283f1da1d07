import type { z } from 'zod';
import { codes, type IssueCode } from '../codes.ts';
import { issueOf } from '../finding.ts';
import type { Issue } from '../issue.ts';
import { enumerate, nearest } from './words.ts';

type Step = string | number;
type RawIssue = z.core.$ZodIssue;

const wordFor: Readonly<Record<string, string>> = {
  string: 'text',
  number: 'a number',
  int: 'a whole number',
  boolean: 'true or false',
  array: 'a list',
  object: 'an object',
  record: 'an object',
};

/** Says in plain words what a schema found. `value` is what was parsed, `prefix` the path that leads to it. */
export function explain(raw: RawIssue, value: unknown, prefix: readonly Step[]): Issue {
  const inner = stepsOf(raw.path);
  const path = [...prefix, ...inner];
  const got = valueAt(value, inner);
  switch (raw.code) {
    case 'invalid_type':
      return got === undefined ? missing(path) : wrongType(path, got, expectedOf(raw));
    case 'invalid_value':
      return notListed(path, got, raw.values.map(String));
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
function expectedOf({ message, expected }: z.core.$ZodIssueInvalidType): string {
  return message.startsWith('Invalid input') ? (wordFor[expected] ?? expected) : message;
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

function missing(path: readonly Step[]): Issue {
  return issueOf('error', 'XEB0002', path, { problem: 'is required and missing' });
}

function wrongType(path: readonly Step[], got: unknown, allowed: string): Issue {
  const scalar = typeof got === 'number' || typeof got === 'boolean';
  const fix = allowed === 'text' && scalar ? { fix: 'put it in quotes' } : {};
  return issueOf('error', 'XEB0001', path, { problem: 'has the wrong type', got, allowed, ...fix });
}

function notListed(path: readonly Step[], got: unknown, values: readonly string[]): Issue {
  if (got === undefined) return missing(path);
  const meant = typeof got === 'string' ? nearest(got, values) : undefined;
  const fix = meant === undefined ? {} : { fix: `did you mean ${meant}?` };
  return issueOf('error', 'XEB0003', path, {
    problem: 'is not a known value',
    got,
    allowed: enumerate(values),
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
