import type { IssueCode } from '../codes.ts';
import { issueOf } from '../finding.ts';
import type { Issue } from '../issue.ts';
import type { MetaForValidation } from '../meta.ts';

type Validate<T> = (spec: T, meta: MetaForValidation) => readonly Issue[];

/**
 * Kinds that are read, judged, stored and passed on before anything in the mesh changes by them: whoever applies one hears so,
 * once per object. Whoever makes a kind work takes this out of its row.
 */
export function withoutEffectYet<T>(validate: Validate<T>): Validate<T> {
  return (spec, meta) => [...validate(spec, meta), noEffectYet];
}

const noEffectYet: Issue = issueOf('warning', 'XEB0122', ['kind'], {
  problem: 'has no effect yet: this version stores and validates it, but does not act on it',
});

/** What kinds that nothing acts on are told. */
export const codesWithoutEffect: ReadonlySet<string> = new Set<IssueCode>(['XEB0122']);
