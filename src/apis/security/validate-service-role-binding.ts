import { Field } from '../finding.ts';
import type { Issue } from '../issue.ts';
import { checkSubnet } from '../rules/names.ts';
import { warnDeprecated } from '../rules/scalars.ts';
import type { ServiceRoleBindingSpec, Subject } from './security.ts';
import { checkAccessRules } from './validate-service-role.ts';

export function validateServiceRoleBinding(spec: ServiceRoleBindingSpec): readonly Issue[] {
  const issues: Issue[] = [];
  const field = Field.top(issues, 'spec');
  const { subjects = [], actions = [] } = spec;
  if (subjects.length === 0) {
    field.at('subjects').error('XEB0121', { problem: 'is empty', fix: 'add a subject; user: "*" is everybody' });
  }
  field.at('subjects').each(subjects, checkSubject);
  checkRole(field, spec);
  checkAccessRules(field.at('actions'), actions);
  return issues;
}

const subjectMembers = [
  'user',
  'names',
  'notNames',
  'group',
  'groups',
  'notGroups',
  'namespaces',
  'notNamespaces',
  'ips',
  'notIps',
] as const;

/** What a property says that a field says as well. */
const fieldsOfProperty: ReadonlyMap<string, readonly (typeof subjectMembers)[number][]> = new Map([
  ['source.principal', ['names', 'notNames'] as const],
  ['request.auth.claims[groups]', ['groups', 'notGroups'] as const],
  ['source.namespace', ['namespaces', 'notNamespaces'] as const],
  ['source.ip', ['ips', 'notIps'] as const],
]);

function checkSubject(field: Field, subject: Subject): void {
  const { properties = {}, group } = subject;
  if (!subjectMembers.some((member) => isSaid(subject[member])) && Object.keys(properties).length === 0) {
    const allowed = [...subjectMembers, 'properties'].join(', ');
    field.error('XEB0342', { problem: 'names nobody', got: subject, allowed, fix: 'add a member' });
  }
  for (const name of ['names', 'notNames'] as const) {
    field.at(name).each(subject[name], (at, value) => {
      if (value !== '*') return;
      const fix = 'use user: "*" for everybody, or names: ["allAuthenticatedUsers"]';
      at.error('XEB0342', { problem: 'cannot be *', got: value, fix });
    });
  }
  // An address that cannot be compared would let everybody in, as notIps, or nobody.
  for (const name of ['ips', 'notIps'] as const) field.at(name).each(subject[name], checkSubnet);
  if (group) warnDeprecated(field.at('group'), 'groups');
  for (const property of Object.keys(properties)) {
    const beside = fieldsOfProperty.get(property)?.find((member) => isSaid(subject[member]));
    if (beside === undefined) continue;
    const finding = { problem: `repeats what ${beside} says`, got: property, fix: 'keep one of them' };
    field.at('properties', property).error('XEB0342', finding);
  }
}

function isSaid(value: string | readonly string[] | undefined): boolean {
  return value !== undefined && value.length > 0;
}

function checkRole(field: Field, { roleRef, role = '', actions = [] }: ServiceRoleBindingSpec): void {
  const given = [
    ...(roleRef === undefined ? [] : ['roleRef']),
    ...(role === '' ? [] : ['role']),
    ...(actions.length === 0 ? [] : ['actions']),
  ];
  if (given.length === 0) {
    field.error('XEB0343', { problem: 'gives nothing', allowed: 'roleRef, role or actions', fix: 'add one of them' });
  }
  const [first = '', ...others] = given;
  for (const other of others) {
    field.at(other).error('XEB0343', { problem: `cannot stand beside ${first}`, fix: 'keep one of them' });
  }
  if (role === '/') {
    const allowed = 'name, or /name for a role of the root namespace';
    field.at('role').error('XEB0343', { problem: 'names no role', got: role, allowed });
  }
  if (roleRef !== undefined) checkRoleRef(field.at('roleRef'), roleRef);
}

function checkRoleRef(field: Field, { kind, name }: NonNullable<ServiceRoleBindingSpec['roleRef']>): void {
  if (kind !== 'ServiceRole') {
    field.at('kind').error('XEB0343', { problem: 'is not a kind of role', got: kind, allowed: 'ServiceRole' });
  }
  if (!name) {
    field.at('name').error('XEB0343', { problem: 'is missing or empty', fix: 'name the ServiceRole' });
  }
}
