import type { z } from 'zod';
import type { IssueCode } from './codes.ts';
import { issueOf } from './finding.ts';
import type { Issue } from './issue.ts';
import type { MetaForValidation } from './meta.ts';
import { explain } from './schema/explain.ts';
import { isPlain, type UnknownFields } from './schema/normalise.ts';
import { issuesOf, type Parsed, parseBody } from './schema/parse.ts';
import { nearest } from './schema/words.ts';

/** An object that was read and judged: `spec` is there when no issue is an error. */
export type Checked<T> = { readonly spec: T | undefined; readonly issues: readonly Issue[] };

/** A column of `kubectl get`, as a CRD names it. */
export type PrinterColumn = {
  readonly name: string;
  readonly type: 'string' | 'date' | 'integer';
  readonly jsonPath: string;
  readonly description: string;
  /** Above 0: in `-o wide` only. */
  readonly priority?: number;
};

/** What is known about one kind. */
export type CollectionOf<Name extends string, T> = {
  readonly kind: Name;
  /** Empty for Kubernetes' core group. */
  readonly group: string;
  readonly plural: string;
  readonly shortNames: readonly string[];
  readonly categories: readonly string[];
  /** Istio's own; those that every kind has are not in it. */
  readonly columns: readonly PrinterColumn[];
  /** All that are accepted, the newest first; they are read as one. */
  readonly versions: readonly string[];
  readonly scope: 'namespaced' | 'cluster';
  readonly source: 'istio' | 'kubernetes';
  readonly schema: z.ZodType<T>;
  /** Reads a whole object as it came (`apiVersion`, `kind`, `metadata`, `spec` …). Paths of issues start at the object. */
  parse(object: unknown): Parsed<T>;
  /** The rules that a schema cannot say. */
  validate(spec: T, meta: MetaForValidation): readonly Issue[];
  /** `parse` and `validate` in one, with all problems at once even where a part of the object cannot be read. */
  check(object: unknown, meta: MetaForValidation): Checked<T>;
};

export type CollectionFacts<Name extends string, T> = Omit<CollectionOf<Name, T>, 'parse' | 'check' | 'validate'> & {
  readonly validate: (spec: T, meta: MetaForValidation) => readonly Issue[];
  /** Refused where a part that is left out would let more in. By default ignored, and said. */
  readonly unknownFields?: UnknownFields;
};

/** An Istio kind has its body in `spec`, is read strictly, and says what it did not understand. */
export function istioCollection<Name extends string, T>(facts: CollectionFacts<Name, T>): CollectionOf<Name, T> {
  const parse = (object: unknown): Parsed<T> => {
    if (!isPlain(object)) return unreadable(wrongObject(object));
    const issues = [...versionIssues(facts, object), ...topLevelIssues(object)];
    if (!isPlain(object['spec'])) return unreadable(...issues, wrongSpec(object['spec']));
    const body = parseBody(facts.schema, object['spec'], ['spec'], facts.unknownFields);
    if (issues.length === 0) return body;
    return { ...body, spec: undefined, issues: [...issues, ...body.issues] };
  };
  const validate = (spec: T, meta: MetaForValidation): readonly Issue[] => [
    ...annotationIssues(facts.kind, meta),
    ...facts.validate(spec, meta),
  ];
  return complete({ ...facts, validate }, parse);
}

const DRY_RUN = 'istio.io/dry-run';

/** A dry run that is none is worse than an error: the object takes effect. */
function annotationIssues(kind: string, { annotations }: MetaForValidation): readonly Issue[] {
  if (kind === 'AuthorizationPolicy' || !Object.hasOwn(annotations, DRY_RUN)) return [];
  const finding = { problem: `has no effect: ${kind} has no dry run, it is in force`, fix: 'remove it' };
  return [issueOf('warning', 'XEB0118', ['metadata', 'annotations', DRY_RUN], finding)];
}

/** A Kubernetes kind is read tolerantly: an API server has checked it, and what xebec does not need it does not see. */
export function kubernetesCollection<Name extends string, T>(facts: CollectionFacts<Name, T>): CollectionOf<Name, T> {
  const parse = (object: unknown): Parsed<T> => {
    if (!isPlain(object)) return unreadable(wrongObject(object));
    const wrongVersion = versionIssues(facts, object);
    const result = facts.schema.safeParse(object);
    if (result.success && wrongVersion.length === 0) {
      return { spec: result.data, issues: [], draft: result.data, blind: [], spellings: [] };
    }
    const found = result.success
      ? []
      : result.error.issues.map((raw) => explain(raw, { schema: facts.schema, value: object, prefix: [] }));
    return unreadable(...wrongVersion, ...found);
  };
  return complete(facts, parse);
}

function complete<Name extends string, T>(
  facts: CollectionFacts<Name, T>,
  parse: (object: unknown) => Parsed<T>,
): CollectionOf<Name, T> {
  const check = (object: unknown, meta: MetaForValidation): Checked<T> => {
    const parsed = parse(object);
    const issues = issuesOf(parsed, (draft) => facts.validate(draft, meta));
    return { spec: issues.some(({ level }) => level === 'error') ? undefined : parsed.spec, issues };
  };
  return { ...facts, parse, check };
}

type Identity = Pick<CollectionFacts<string, unknown>, 'group' | 'kind' | 'versions'>;

/** An object of another version or kind; one that does not say what it is was found by somebody who knows. */
function versionIssues(
  { group, kind, versions }: Identity,
  object: Readonly<Record<string, unknown>>,
): readonly Issue[] {
  const accepted = versions.map((version) => (group === '' ? version : `${group}/${version}`));
  const issues: Issue[] = [];
  const { apiVersion: given, kind: named } = object;
  if (given !== undefined && !accepted.some((version) => version === given)) {
    const allowed = accepted.join(', ');
    issues.push(
      error('XEB0010', ['apiVersion'], { problem: `is not a version of ${kind} that is read`, got: given, allowed }),
    );
  }
  if (named !== undefined && named !== kind) {
    issues.push(error('XEB0010', ['kind'], { problem: 'is another kind', got: named, allowed: kind }));
  }
  return issues;
}

const topLevel: readonly string[] = ['apiVersion', 'kind', 'metadata', 'spec', 'status'];

function topLevelIssues(object: Readonly<Record<string, unknown>>): readonly Issue[] {
  return Object.keys(object)
    .filter((key) => !topLevel.includes(key))
    .map((key) => {
      const meant = nearest(key, topLevel);
      const fix = meant === undefined ? 'if it belongs to the spec, indent it below spec' : `did you mean ${meant}?`;
      return error('XEB0009', [key], { problem: 'is not a part of an object', allowed: topLevel.join(', '), fix });
    });
}

function wrongObject(object: unknown): Issue {
  return error('XEB0001', [], { problem: 'is not an object', got: object, allowed: 'an object' });
}

function wrongSpec(spec: unknown): Issue {
  if (spec === undefined) return error('XEB0002', ['spec'], { problem: 'is required and missing', fix: 'add it' });
  if (spec === null) {
    return error('XEB0002', ['spec'], { problem: 'is empty', fix: 'indent what belongs to it below it' });
  }
  return error('XEB0001', ['spec'], { problem: 'has the wrong type', got: spec, allowed: 'an object' });
}

function error(code: IssueCode, path: readonly string[], finding: Parameters<typeof issueOf>[3]): Issue {
  return issueOf('error', code, path, finding);
}

function unreadable<T>(...issues: readonly Issue[]): Parsed<T> {
  return { spec: undefined, issues, draft: undefined, blind: [], spellings: [] };
}
