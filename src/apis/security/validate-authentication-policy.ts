import { Field } from '../finding.ts';
import type { Issue } from '../issue.ts';
import type { MetaForValidation } from '../meta.ts';
import { isDnsLabel } from '../names.ts';
import { checkRegex } from '../rules/matching.ts';
import { checkDnsLabel } from '../rules/names.ts';
import { checkPort, checkUnique } from '../rules/scalars.ts';
import { quote } from '../schema/words.ts';
import { checkJwks, checkJwksUri, warnIssuerWithoutKeys } from './check-jwks.ts';
import type { AuthenticationPolicySpec, ClassicJwt, PathMatch } from './security.ts';
import { checkNames } from './validate-request-authentication.ts';

type Target = NonNullable<AuthenticationPolicySpec['targets']>[number];
type Peer = NonNullable<AuthenticationPolicySpec['peers']>[number];

/** The policy of a namespace, or of services in it. */
export function validatePolicy(spec: AuthenticationPolicySpec, { name }: MetaForValidation): readonly Issue[] {
  const issues: Issue[] = [];
  const { targets = [] } = spec;
  if (name === 'default' && targets.length > 0) {
    const problem = 'cannot be set: the policy named default is that of the whole namespace';
    Field.top(issues, 'spec').at('targets').error('XEB0335', { problem, fix: 'rename the policy, or remove them' });
  }
  if (name !== 'default' && targets.length === 0) {
    const problem = `is required for a policy named ${quote(name)}`;
    Field.top(issues, 'spec').at('targets').error('XEB0335', { problem, fix: 'add targets, or name it default' });
  }
  checkPolicy(Field.top(issues, 'spec'), spec);
  return issues;
}

/** The policy of the mesh. */
export function validateMeshPolicy(spec: AuthenticationPolicySpec, { name }: MetaForValidation): readonly Issue[] {
  const issues: Issue[] = [];
  if (name !== 'default') {
    const finding = { problem: 'is not the name of the mesh’s policy', got: name, allowed: 'default' };
    Field.top(issues, 'metadata').at('name').error('XEB0335', finding);
  }
  if ((spec.targets ?? []).length > 0) {
    const fix = 'remove it, or use Policy';
    Field.top(issues, 'spec').at('targets').error('XEB0335', { problem: 'cannot be set for the whole mesh', fix });
  }
  checkPolicy(Field.top(issues, 'spec'), spec);
  return issues;
}

function checkPolicy(field: Field, spec: AuthenticationPolicySpec): void {
  const { targets, peers = [], origins = [], principalBinding } = spec;
  field.at('targets').each(targets, checkTarget);
  field.at('peers').each(peers, checkPeer);
  field.at('origins').each(origins, (at, { jwt }) => {
    if (jwt === undefined) at.at('jwt').error('XEB0337', { problem: 'is required and missing', fix: 'add it' });
    else checkJwt(at.at('jwt'), jwt);
  });
  checkIssuers(field, spec);
  if (principalBinding === 'USE_ORIGIN' && origins.length === 0) {
    const problem = 'has no origins to take the principal from';
    field.at('principalBinding').warn('XEB0118', { problem, fix: 'add origins' });
  }
}

function checkTarget(field: Field, { name = '', labels, ports }: Target): void {
  if (name.includes('.') && !isDnsLabel(name)) {
    const allowed = 'the short name of a service';
    const fix = `write ${quote(name.split('.')[0] ?? '')}`;
    field.at('name').error('XEB0336', { problem: 'is not a service of the namespace', got: name, allowed, fix });
  } else {
    checkDnsLabel(field.at('name'), name);
  }
  if (labels !== undefined) field.at('labels').warn('XEB0118', { problem: 'has no effect', fix: 'remove it' });
  field.at('ports').each(ports, (at, port) => {
    if (port.number !== undefined) checkPort(at.at('number'), port.number);
    else if (port.name !== undefined) checkDnsLabel(at.at('name'), port.name);
  });
}

function checkPeer(field: Field, { mtls, jwt }: Peer): void {
  if (jwt !== undefined) checkJwt(field.at('jwt'), jwt);
  else if (mtls === undefined) {
    // kubectl apply turns `- mtls:` into `- {}`, which Istio 1.4 takes for plaintext.
    field.warn('XEB0337', { problem: 'asks for nothing: kubectl drops an mtls without value', fix: 'write mtls: {}' });
  }
}

function checkJwt(field: Field, jwt: ClassicJwt): void {
  const { issuer = '', jwks, jwksUri, triggerRules } = jwt;
  if (issuer === '') field.at('issuer').error('XEB0331', { problem: 'is missing or empty', fix: 'name the issuer' });
  checkNames(field.at('audiences'), jwt.audiences, 'audience');
  checkNames(field.at('jwtHeaders'), jwt.jwtHeaders, 'header');
  checkNames(field.at('jwtParams'), jwt.jwtParams, 'parameter');
  checkJwksUri(field.at('jwksUri'), jwksUri);
  // 1.4 did not look at keys: with broken ones every token is refused, which is safe.
  checkJwks(field.at('jwks'), jwks, 'warning');
  if (!jwks && !jwksUri) warnIssuerWithoutKeys(field.at('issuer'), issuer);
  field.at('triggerRules').each(triggerRules, (at, { excludedPaths, includedPaths }) => {
    at.at('excludedPaths').each(excludedPaths, checkPathMatch);
    at.at('includedPaths').each(includedPaths, checkPathMatch);
  });
}

function checkPathMatch(at: Field, { regex }: PathMatch): void {
  if (regex !== undefined) checkRegex(at.at('regex'), regex);
}

function checkIssuers(field: Field, { peers = [], origins = [] }: AuthenticationPolicySpec): void {
  const places = [
    ...peers.map(({ jwt }, index) => ({ at: field.at('peers', index, 'jwt', 'issuer'), issuer: jwt?.issuer })),
    ...origins.map(({ jwt }, index) => ({ at: field.at('origins', index, 'jwt', 'issuer'), issuer: jwt?.issuer })),
  ];
  checkUnique(
    places,
    ({ issuer }) => issuer || undefined,
    (index, issuer) =>
      places[index]?.at.error('XEB0331', { problem: 'is named above already', got: issuer, fix: 'keep one of them' }),
  );
}
