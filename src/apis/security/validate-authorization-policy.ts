import { Field } from '../finding.ts';
import type { Issue } from '../issue.ts';
import type { MetaForValidation } from '../meta.ts';
import { checkSelectorLabels, checkSubnet } from '../rules/names.ts';
import { checkTargets } from '../rules/targets.ts';
import { checkCondition, restsOnAuthentication } from './check-condition.ts';
import { checkPath } from './check-path.ts';
import {
  checkMethod,
  checkPattern,
  checkPortText,
  checkPrincipal,
  checkServiceAccounts,
  checkValues,
  warnEmptyList,
} from './check-values.ts';
import type {
  AuthorizationOperation,
  AuthorizationPolicySpec,
  AuthorizationRule,
  AuthorizationSource,
} from './security.ts';

type Action = NonNullable<AuthorizationPolicySpec['action']>;

/** Access hangs on every value, so one that cannot be compared is refused, as today's Istio does; 1.4 let some through. */
export function validateAuthorizationPolicy(
  spec: AuthorizationPolicySpec,
  { annotations }: MetaForValidation,
): readonly Issue[] {
  const issues: Issue[] = [];
  const field = Field.top(issues, 'spec');
  const { selector, rules = [], action = 'ALLOW' } = spec;
  checkDryRun(Field.top(issues, 'metadata').at('annotations', DRY_RUN), annotations[DRY_RUN], action);
  checkTargets(field, spec);
  if (selector !== undefined) checkSelectorLabels(field.at('selector', 'matchLabels'), selector.matchLabels);
  checkAction(field, spec);
  field.at('rules').each(rules, (at, rule) => checkRule(at, rule, action));
  return issues;
}

const DRY_RUN = 'istio.io/dry-run';

function checkDryRun(at: Field, value: string | undefined, action: Action): void {
  if (value === undefined) return;
  if (!/^(?:1|t|T|TRUE|true|True|0|f|F|FALSE|false|False)$/.test(value)) {
    const problem = 'is neither true nor false, so the policy is in force';
    at.warn('IST0125', { problem, got: value, fix: 'write "true"' });
  } else if (action === 'AUDIT' || action === 'CUSTOM') {
    at.warn('XEB0118', { problem: `has no effect with action ${action}`, fix: 'remove it' });
  }
}

function checkAction(field: Field, { action = 'ALLOW', rules = [], provider }: AuthorizationPolicySpec): void {
  if ((action === 'DENY' || action === 'CUSTOM') && rules.length === 0) {
    const problem = `is required for ${action}, which matches nothing without it`;
    field.at('rules').error('XEB0320', { problem, fix: 'add a rule; {} matches every request' });
  }
  if (action === 'CUSTOM' && !provider?.name) {
    const fix = 'name an extension provider of the mesh configuration';
    field.at('provider', 'name').error('XEB0320', { problem: 'is required for CUSTOM', fix });
  }
  if (action !== 'CUSTOM' && provider !== undefined) {
    const problem = `cannot stand beside action ${action}`;
    field.at('provider').error('XEB0320', { problem, fix: 'use CUSTOM, or remove it' });
  }
}

function checkRule(field: Field, rule: AuthorizationRule, action: Action): void {
  const { from, to, when } = rule;
  for (const member of ['from', 'to', 'when'] as const) {
    if (rule[member]?.length === 0) warnEmptyList(field.at(member));
  }
  field.at('from').each(from, (at, { source }) => checkSource(at.at('source'), source, action));
  field.at('to').each(to, (at, { operation }) => checkOperation(at.at('operation'), operation));
  field.at('when').each(when, (at, condition) => {
    checkCondition(at, condition);
    if (action === 'CUSTOM' && restsOnAuthentication(condition.key)) refuseForCustom(at.at('key'));
  });
  if (action === 'DENY' && onlyHttp(rule)) {
    const problem = 'names only what HTTP has, so it denies all of TCP';
    field.warn('XEB0327', { problem, fix: 'name the ports in to.operation.ports' });
  }
}

function refuseForCustom(at: Field): void {
  at.error('XEB0324', { problem: 'is not possible with action CUSTOM', fix: 'let the provider decide it' });
}

const identities = [
  'principals',
  'notPrincipals',
  'requestPrincipals',
  'notRequestPrincipals',
  'namespaces',
  'notNamespaces',
  'serviceAccounts',
  'notServiceAccounts',
] as const;

const blocks = ['ipBlocks', 'notIpBlocks', 'remoteIpBlocks', 'notRemoteIpBlocks'] as const;

function checkSource(field: Field, source: AuthorizationSource | undefined, action: Action): void {
  if (source === undefined || !isSaid(source)) {
    const fix = 'add a member, or remove the entry';
    field.error('XEB0321', {
      problem: 'names nobody',
      got: source,
      allowed: [...identities, ...blocks].join(', '),
      fix,
    });
    return;
  }
  for (const name of ['principals', 'notPrincipals'] as const)
    checkValues(field.at(name), source[name], checkPrincipal);
  for (const name of ['requestPrincipals', 'notRequestPrincipals', 'namespaces', 'notNamespaces'] as const) {
    checkValues(field.at(name), source[name], checkPattern);
  }
  for (const name of blocks) checkValues(field.at(name), source[name], checkSubnet);
  checkAccounts(field, source);
  if (action !== 'CUSTOM') return;
  for (const name of identities) {
    if ((source[name] ?? []).length > 0) refuseForCustom(field.at(name));
  }
}

function checkAccounts(field: Field, source: AuthorizationSource): void {
  for (const name of ['serviceAccounts', 'notServiceAccounts'] as const) {
    checkServiceAccounts(field.at(name), source[name]);
    if (source[name] === undefined) continue;
    const beside = (['principals', 'notPrincipals', 'namespaces', 'notNamespaces'] as const).find(
      (other) => source[other] !== undefined,
    );
    if (beside === undefined) continue;
    field.at(name).error('XEB0328', { problem: `cannot stand beside ${beside}`, fix: 'keep one of them' });
  }
}

const operationValues = {
  hosts: checkPattern,
  notHosts: checkPattern,
  ports: checkPortText,
  notPorts: checkPortText,
  methods: checkMethod,
  notMethods: checkMethod,
  paths: checkPath,
  notPaths: checkPath,
} as const;

const operationNames = [
  'hosts',
  'notHosts',
  'ports',
  'notPorts',
  'methods',
  'notMethods',
  'paths',
  'notPaths',
] as const;

function checkOperation(field: Field, operation: AuthorizationOperation | undefined): void {
  if (operation === undefined || !isSaid(operation)) {
    const fix = 'add a member, or remove the entry';
    field.error('XEB0321', { problem: 'names nothing', got: operation, allowed: operationNames.join(', '), fix });
    return;
  }
  for (const name of operationNames) checkValues(field.at(name), operation[name], operationValues[name]);
}

function isSaid(members: Readonly<Record<string, readonly string[] | undefined>>): boolean {
  return Object.values(members).some((values) => values !== undefined && values.length > 0);
}

/** A part of a rule that TCP has nothing for is left out there, and a rule that loses its only part matches everything. */
function onlyHttp({ from = [], to = [] }: AuthorizationRule): boolean {
  if (to.length > 0) return !to.some(({ operation }) => operation?.ports ?? operation?.notPorts);
  return from.length > 0 && !from.some(({ source }) => source !== undefined && hasPeer(source));
}

function hasPeer(source: AuthorizationSource): boolean {
  return [...identities, ...blocks].some((name) => !/request/i.test(name) && source[name] !== undefined);
}
