import { Field } from '../finding.ts';
import type { Issue } from '../issue.ts';
import { checkSelectorLabels } from '../rules/names.ts';
import { checkDuration } from '../rules/scalars.ts';
import { checkTargets } from '../rules/targets.ts';
import { checkJwks, checkJwksUri, warnIssuerWithoutKeys } from './check-jwks.ts';
import type { JwtRule, RequestAuthenticationSpec } from './security.ts';

export function validateRequestAuthentication(spec: RequestAuthenticationSpec): readonly Issue[] {
  const issues: Issue[] = [];
  const field = Field.top(issues, 'spec');
  const { selector, jwtRules = [] } = spec;
  checkTargets(field, spec);
  warnUnreachedTargets(field, spec);
  if (selector !== undefined) checkSelectorLabels(field.at('selector', 'matchLabels'), selector.matchLabels);
  if (jwtRules.length === 0) {
    field.at('jwtRules').warn('XEB0118', { problem: 'is empty, so no token is looked at', fix: 'add a rule' });
  }
  field.at('jwtRules').each(jwtRules, checkJwtRule);
  return issues;
}

const unreached = ['Service', 'ServiceEntry', 'GatewayClass'];

/** Targets that have no proxy of their own here: there are no waypoints. */
function warnUnreachedTargets(field: Field, spec: RequestAuthenticationSpec): void {
  const { selector, targetRef, targetRefs = [] } = spec;
  if (selector !== undefined) return;
  const places = [
    ...(targetRef === undefined ? [] : [{ at: field.at('targetRef'), target: targetRef }]),
    ...targetRefs.map((target, index) => ({ at: field.at('targetRefs', index), target })),
  ];
  for (const { at, target } of places) {
    if (!unreached.includes(target.kind ?? '')) continue;
    at.at('kind').warn('XEB0118', {
      problem: 'is not looked at',
      got: target.kind,
      fix: 'name a Gateway, or use selector',
    });
  }
}

function checkJwtRule(field: Field, rule: JwtRule): void {
  if (rule.issuer === '') field.at('issuer').error('XEB0331', { problem: 'is empty', fix: 'name the issuer' });
  checkNames(field.at('audiences'), rule.audiences, 'audience');
  checkKeys(field, rule);
  field.at('fromHeaders').each(rule.fromHeaders, (at, { name }) => {
    if (checkName(at.at('name'), name, 'header')) checkHeader(at.at('name'), name, 'warning');
  });
  checkNames(field.at('fromParams'), rule.fromParams, 'parameter');
  checkNames(field.at('fromCookies'), rule.fromCookies, 'cookie');
  checkNames(field.at('spaceDelimitedClaims'), rule.spaceDelimitedClaims, 'claim');
  field.at('outputClaimToHeaders').each(rule.outputClaimToHeaders, (at, { header, claim }) => {
    if (checkName(at.at('header'), header, 'header')) checkHeader(at.at('header'), header, 'error');
    checkName(at.at('claim'), claim, 'claim');
  });
  if (rule.outputPayloadToHeader) checkHeader(field.at('outputPayloadToHeader'), rule.outputPayloadToHeader, 'warning');
  checkDuration(field.at('timeout'), rule.timeout);
}

function checkKeys(field: Field, { issuer, jwks, jwksUri }: JwtRule): void {
  checkJwksUri(field.at('jwksUri'), jwksUri);
  checkJwks(field.at('jwks'), jwks, 'error');
  if (jwks && jwksUri) {
    field.at('jwksUri').warn('XEB0118', { problem: 'is not used, since jwks is given', fix: 'keep one of them' });
  }
  if (!jwks && !jwksUri) warnIssuerWithoutKeys(field.at('issuer'), issuer);
}

/** Names of places and of what is compared: none is empty. */
export function checkNames(field: Field, names: readonly string[] | undefined, what: string): void {
  field.each(names, (at, name) => {
    checkName(at, name, what);
  });
}

function checkName(at: Field, name: string, what: string): boolean {
  if (name === '') at.error('XEB0334', { problem: 'is empty', fix: `name the ${what}` });
  return name !== '';
}

function checkHeader(at: Field, name: string, level: 'error' | 'warning'): void {
  if (/^[-_A-Za-z0-9]+$/.test(name)) return;
  at.report(level, 'XEB0113', { problem: 'is not a header name', got: name, allowed: 'letters, digits, - and _' });
}
