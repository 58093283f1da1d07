import type { AccessRule as RoleRule } from '../../apis/security/security.ts';
import type { ServiceTarget } from '../../model/service.ts';
import { matchesPattern, parsePattern } from '../translate/access/pattern.ts';
import type { Place } from '../translate/policy/diagnose.ts';
import { type ReadCondition, readCondition } from './access-condition.ts';
import { type RuleContext, stepInto } from './access-test.ts';
import type { Subject } from './subject.ts';

type Constraint = NonNullable<RoleRule['constraints']>[number];

/** What a workload is, and so is known before any request. */
export function isStaticConstraint(key: string): boolean {
  return /^destination\.(?:labels\[.*\]|name|namespace|user)$/.test(key);
}

/** `target` is undefined where only labels are asked for. */
export function staticConstraintHolds(
  { key = '', values = [] }: Constraint,
  subject: Subject,
  target: ServiceTarget | undefined,
): boolean {
  const fact = factOf(key, subject, target);
  return fact !== undefined && values.some((value) => value === '*' || matchesPattern(parsePattern(value), fact));
}

function factOf(key: string, subject: Subject, target: ServiceTarget | undefined): string | undefined {
  switch (key) {
    case 'destination.name':
      return target?.service.name;
    case 'destination.namespace':
      return target?.service.namespace;
    default: {
      const label = /^destination\.labels\[(.*)\]$/.exec(key)?.[1];
      // The workload's account (destination.user) is not known here: a rule that asks for it gives nothing.
      return label === undefined ? undefined : subject.labels[label];
    }
  }
}

/** What is left to ask of requests. */
export function readConstraints({ constraints = [] }: RoleRule, context: RuleContext, at: Place): ReadCondition {
  const read = constraints.map(({ key = '', values }, index) => {
    const place = stepInto(stepInto(at, 'constraints'), `[${index}]`);
    if (key === 'destination.user') {
      const message = 'destination.user is not known to the proxy, so the rule gives nothing; use destination.labels';
      return { tests: [], flaws: [{ place: stepInto(place, 'key'), message }] };
    }
    return isStaticConstraint(key)
      ? { tests: [], flaws: [] }
      : readCondition({ key, ...(values === undefined ? {} : { values }) }, context, place);
  });
  return { tests: read.flatMap(({ tests }) => tests), flaws: read.flatMap(({ flaws }) => flaws) };
}
