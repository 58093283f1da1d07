import { Field } from '../finding.ts';
import type { Issue } from '../issue.ts';
import { checkPort } from '../rules/scalars.ts';
import type { AccessRule, ServiceRoleSpec } from './security.ts';

export function validateServiceRole({ rules = [] }: ServiceRoleSpec): readonly Issue[] {
  const issues: Issue[] = [];
  const field = Field.top(issues, 'spec').at('rules');
  if (rules.length === 0) field.error('XEB0121', { problem: 'is empty', fix: 'add a rule' });
  checkAccessRules(field, rules);
  return issues;
}

/** The rules of a role, or the actions of a binding. */
export function checkAccessRules(field: Field, rules: readonly AccessRule[]): void {
  field.each(rules, checkAccessRule);
}

function checkAccessRule(field: Field, rule: AccessRule): void {
  const { services = [], ports = [], notPorts = [], constraints } = rule;
  if (services.length === 0) {
    field.at('services').error('XEB0340', { problem: 'is required and missing', fix: 'name services, or "*"' });
  }
  for (const [is, isNot] of [
    ['methods', 'notMethods'],
    ['ports', 'notPorts'],
  ] as const) {
    if ((rule[is] ?? []).length === 0 || (rule[isNot] ?? []).length === 0) continue;
    field.at(isNot).error('XEB0340', { problem: `cannot stand beside ${is}`, fix: 'keep one of them' });
  }
  field.at('ports').each(ports, checkPort);
  field.at('notPorts').each(notPorts, checkPort);
  field.at('constraints').each(constraints, (at, { key = '', values = [] }) => {
    if (key === '') at.at('key').error('XEB0341', { problem: 'is missing or empty', fix: 'name what is compared' });
    if (values.length === 0) at.at('values').error('XEB0341', { problem: 'is missing or empty', fix: 'add a value' });
    if (key !== 'destination.port' || ports.length + notPorts.length === 0) return;
    const beside = ports.length > 0 ? 'ports' : 'notPorts';
    at.at('key').error('XEB0341', { problem: `repeats what ${beside} say`, got: key, fix: 'keep one of them' });
  });
}
