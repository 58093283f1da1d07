import { collections, type Kind } from '../collections.ts';
import type { Issue } from '../issue.ts';
import { renderPath } from '../issue.ts';

type Meta = { readonly name?: string; readonly namespace?: string };

/** What is said about an object with this spec: one line per issue, such as `error XEB0105 spec.port`. */
export function judge(kind: Kind, spec: unknown, { name = 'thing', namespace = 'shop' }: Meta = {}): readonly string[] {
  const checked = collections[kind].check({ spec }, { name, namespace, annotations: {} });
  return checked.issues.filter(({ code }) => !saidOfAll.includes(code)).map(renderIssue);
}

/** Said of every object of the kinds that have no effect yet, so the table of such a kind leaves it out. */
const saidOfAll: readonly string[] = ['XEB0122', 'XEB0123'];

/** A case of a table: what it is, the spec or a part of it, and what is said about it. */
export type Case = readonly [name: string, given: object, ...issues: readonly string[]];

export function renderIssue({ level, code, path }: Issue): string {
  return `${level} ${code} ${renderPath(path)}`;
}
