import type { Permission, Policy, Principal } from '../../../gen/types.ts';
import { all, type MatchNode, toPermission, toPrincipal } from './node.ts';
import { type AccessAction, type AccessRule, type AccessTest, isHttpOnly } from './plan.ts';
import { buildTest } from './question.ts';
import { refuses } from './stance.ts';

/** A rule as it can be decided of whole requests. */
export function buildRule(rule: AccessRule, action: AccessAction): Policy {
  const conditions = rule.conditions.map((test) => ({ test, node: buildTest(test, action) }));
  const ofPrincipals = conditions.filter(({ test }) => isOfPrincipal(test)).map(({ node }) => node);
  const ofPermissions = conditions.filter(({ test }) => !isOfPrincipal(test)).map(({ node }) => node);
  return {
    permissions: groups(rule.operations, ofPermissions, action).map((nodes): Permission => toPermission(all(nodes))),
    principals: groups(rule.sources, ofPrincipals, action).map((nodes): Principal => toPrincipal(all(nodes))),
  };
}

function isOfPrincipal({ about }: AccessTest): boolean {
  switch (about) {
    case 'destination-ip':
    case 'destination-port':
    case 'sni':
    case 'host':
    case 'method':
    case 'path':
    case 'header':
    case 'inline-header':
    case 'metadata':
      return false;
    default:
      return true;
  }
}

function groups(
  tests: AccessRule['sources'],
  more: readonly MatchNode[],
  action: AccessAction,
): readonly (readonly MatchNode[])[] {
  const groupsOfTests = tests.length === 0 ? [[]] : tests;
  return groupsOfTests.map((group) => [...group.map((test) => buildTest(test, action)), ...more]);
}

/**
 * A rule as it can be decided of connections. What asks for more than they have lets nobody in; where it keeps somebody out, it
 * keeps out all whom the rest of it is about. Undefined where it matches no connection.
 */
export function withoutHttp(rule: AccessRule, action: AccessAction): AccessRule | undefined {
  if (!asksHttp(rule)) return rule;
  if (refuses(action)) {
    return {
      ...rule,
      sources: rule.sources.map((tests) => tests.filter((test) => !isHttpOnly(test))),
      operations: rule.operations.map((tests) => tests.filter((test) => !isHttpOnly(test))),
      conditions: rule.conditions.filter((test) => !isHttpOnly(test)),
    };
  }
  if (rule.conditions.some(isHttpOnly)) return undefined;
  const sources = rule.sources.filter((tests) => !tests.some(isHttpOnly));
  const operations = rule.operations.filter((tests) => !tests.some(isHttpOnly));
  if (rule.sources.length > 0 && sources.length === 0) return undefined;
  if (rule.operations.length > 0 && operations.length === 0) return undefined;
  return { ...rule, sources, operations };
}

export function httpTests({ sources, operations, conditions }: AccessRule): readonly AccessTest[] {
  return [...sources.flat(), ...operations.flat(), ...conditions].filter(isHttpOnly);
}

function asksHttp(rule: AccessRule): boolean {
  return httpTests(rule).length > 0;
}
