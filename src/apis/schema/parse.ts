import type { z } from 'zod';
import type { Issue } from '../issue.ts';
import { explain, stepsOf } from './explain.ts';
import { normalise, respell, type Spelling, type UnknownFields } from './normalise.ts';
import { repair } from './repair.ts';

type Step = string | number;

/**
 * A body that was read. `spec` is absent when an issue is an error. `draft` is there even then, if it can be: the body with
 * its unreadable places emptied, so that everything else can be judged too; `blind` are the paths of these places.
 * `spellings` lead from paths of the spec back to what the author wrote.
 */
export type Parsed<T> = {
  readonly spec: T | undefined;
  readonly issues: readonly Issue[];
  readonly draft: T | undefined;
  readonly blind: readonly (readonly Step[])[];
  readonly spellings: readonly Spelling[];
};

const mostRepairs = 4;

/** More problems of one object nobody reads, and finding words for each (or emptying each place) costs more than reading the object. */
const mostProblems = 100;

/** Reads a body by its schema. What is clean costs one pass; spelling, suggestions and explanations cost more. */
export function parseBody<T>(
  schema: z.ZodType<T>,
  body: unknown,
  path: readonly Step[],
  unknown: UnknownFields = 'ignored',
): Parsed<T> {
  const clean = schema.safeParse(body);
  if (clean.success) return { spec: clean.data, issues: [], draft: clean.data, blind: [], spellings: [] };
  const { value, issues, spellings } = normalise(schema, body, path, unknown);
  const second = schema.safeParse(value);
  if (second.success) {
    const spec = issues.some(({ level }) => level === 'error') ? undefined : second.data;
    return { spec, issues, draft: second.data, blind: [], spellings };
  }
  const raws = second.error.issues;
  const found = raws.slice(0, mostProblems).map((raw) => explain(raw, { schema, value, prefix: path }));
  const { draft, blind } =
    raws.length > mostProblems ? { draft: undefined, blind: [] } : draftOf(schema, value, second.error);
  return {
    spec: undefined,
    issues: [...issues, ...written(found, spellings)],
    draft,
    blind: blind.map((steps) => [...path, ...steps]),
    spellings,
  };
}

/**
 * Everything that is wrong with a body: what could not be read, and what `judge` says about the rest. Nothing is said that
 * rests on a place which could not be read, and paths are those of the author's text.
 */
export function issuesOf<T>(
  { draft, issues, blind, spellings }: Omit<Parsed<T>, 'spec'>,
  judge: (draft: T) => readonly Issue[],
): readonly Issue[] {
  if (draft === undefined) return issues;
  const judged = judge(draft);
  // A warning may rest on what is not there beside it, and can wait until all can be read.
  const seen =
    blind.length === 0 ? judged : judged.filter(({ level, path }) => level === 'error' && !isBlind(path, blind));
  return [...issues, ...written(worstOf(seen), spellings)];
}

/** All problems, or as many as anybody reads: errors first, so that a bad object stays one. */
function worstOf(issues: readonly Issue[]): readonly Issue[] {
  if (issues.length <= mostProblems) return issues;
  const errors = issues.filter(({ level }) => level === 'error');
  return [...errors, ...issues.filter(({ level }) => level !== 'error')].slice(0, mostProblems);
}

function written(issues: readonly Issue[], spellings: readonly Spelling[]): readonly Issue[] {
  if (spellings.length === 0) return issues;
  return issues.map((issue) => ({ ...issue, path: respell(issue.path, spellings) }));
}

function draftOf<T>(
  schema: z.ZodType<T>,
  value: unknown,
  error: z.ZodError<T>,
): { readonly draft: T | undefined; readonly blind: readonly (readonly Step[])[] } {
  const blind: (readonly Step[])[] = [];
  let current = value;
  let broken: readonly z.core.$ZodIssue[] = error.issues;
  for (let round = 0; round < mostRepairs; round += 1) {
    // From the back, so that taking one place out does not move another.
    for (const raw of broken.toReversed()) {
      const steps = stepsOf(raw.path);
      blind.push(steps);
      current = repair(schema, current, steps);
    }
    const result = schema.safeParse(current);
    if (result.success) return { draft: result.data, blind };
    broken = result.error.issues;
  }
  return { draft: undefined, blind };
}

/** Whether what is said about `path` rests on a place that could not be read. */
export function isBlind(path: readonly Step[], blind: readonly (readonly Step[])[]): boolean {
  return blind.some((hidden) => {
    const shared = Math.min(hidden.length, path.length);
    return hidden.slice(0, shared).every((step, index) => step === path[index]);
  });
}
