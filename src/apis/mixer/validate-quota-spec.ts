import { Field } from '../finding.ts';
import type { Issue } from '../issue.ts';
import type { QuotaRule, QuotaSpecSpec } from './mixer.ts';

export function validateQuotaSpec({ rules = [] }: QuotaSpecSpec): readonly Issue[] {
  const issues: Issue[] = [];
  const field = Field.top(issues, 'spec').at('rules');
  if (rules.length === 0) field.error('XEB0458', { problem: 'is empty', fix: 'add a rule with quotas' });
  field.each(rules, checkRule);
  return issues;
}

function checkRule(field: Field, { match = [], quotas = [] }: QuotaRule): void {
  for (const [index, { clause = {} }] of match.entries()) {
    for (const [attribute, matcher] of Object.entries(clause)) {
      checkMatcher(field.at('match', index, 'clause', attribute), matcher);
    }
  }
  const at = field.at('quotas');
  if (quotas.length === 0) at.error('XEB0458', { problem: 'is empty', fix: 'name a quota and its charge' });
  at.each(quotas, (place, { quota, charge = 0 }) => {
    if (!quota) place.at('quota').error('XEB0458', { problem: 'is required and missing', fix: 'name the quota' });
    if (charge <= 0)
      place.at('charge').error('XEB0458', { problem: 'must be positive', got: charge, allowed: '1 or more' });
  });
}

type Matcher = NonNullable<NonNullable<QuotaRule['match']>[number]['clause']>[string];

function checkMatcher(field: Field, matcher: Matcher): void {
  const kind = (['exact', 'prefix', 'regex'] as const).find((member) => matcher[member] !== undefined);
  if (kind === undefined) {
    field.warn('XEB0458', { problem: 'matches nothing', allowed: 'exact, prefix or regex' });
  } else if (matcher[kind] === '') {
    field.at(kind).error('XEB0120', { problem: 'is empty', fix: 'write what to match, or remove the clause' });
  }
}
