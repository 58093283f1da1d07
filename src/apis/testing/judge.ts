import { collections, type Kind } from '../collections.ts';
import type { Issue } from '../issue.ts';
import { renderPath } from '../issue.ts';

type Meta = {
  readonly name?: string;
  readonly namespace?: string;
  readonly annotations?: Readonly<Record<string, string>>;
};

/** What is said about an object with this spec: one line per issue, such as `error XEB0105 spec.port`. */
export function judge(kind: Kind, spec: unknown, meta?: Meta): readonly string[] {
  return issuesOf(kind, spec, meta).map(renderIssue);
}

/** The same with what a person reads: `error XEB0105 spec.port: is not a port (got number 0, allowed 1 to 65535)`. */
export function judgeInWords(kind: Kind, spec: unknown, meta?: Meta): readonly string[] {
  return issuesOf(kind, spec, meta).map((issue) => `${renderIssue(issue)}: ${issue.message}`);
}

function issuesOf(
  kind: Kind,
  spec: unknown,
  { name = 'thing', namespace = 'shop', annotations = {} }: Meta = {},
): readonly Issue[] {
  const checked = collections[kind].check({ spec }, { name, namespace, annotations });
  return checked.issues.filter(({ code }) => !saidOfAll.includes(code));
}

/** Said of every object of the kinds that have no effect yet, so the table of such a kind leaves it out. */
const saidOfAll: readonly string[] = ['XEB0122'];

/** A case of a table: what it is, the spec or a part of it, and what is said about it. */
export type Case = readonly [name: string, given: object, ...issues: readonly string[]];

export function renderIssue({ level, code, path }: Issue): string {
  return `${level} ${code} ${renderPath(path)}`;
}
