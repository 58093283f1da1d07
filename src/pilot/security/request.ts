import type { JwtRule } from '../../apis/security/security.ts';
import { memoByIdentity } from '../../kit/memo.ts';
import type { KeyBook, MeshSecurity } from '../../model/mesh-security.ts';
import { type ConfigObject, refOf } from '../../model/object.ts';
import { selects } from '../registry/label-index.ts';
import { keysFieldOf } from '../translate/jwt/key-address.ts';
import type { RequestPlan, TokenRule } from '../translate/jwt/plan.ts';
import { selectClassicTokens } from './request-classic.ts';
import { RowMemo } from './row-memo.ts';
import type { Subject } from './subject.ts';
import { isGatewayOf, targetsOf } from './target-refs.ts';
import { keysOf } from './token-keys.ts';

type RequestAuthentication = ConfigObject<'RequestAuthentication'>;

const plans = new RowMemo<RequestPlan>();

/**
 * Which tokens a workload takes; the same object for subjects that the same applies to. Objects of the root namespace come first,
 * then those of the workload's own; where there is any, the classic kinds are not asked.
 */
export function selectRequest(security: MeshSecurity, subject: Subject): RequestPlan {
  const { RequestAuthentication, rootNamespace, keys } = security;
  const byNamespace = indexByNamespace(RequestAuthentication);
  const namespaces = [...new Set([rootNamespace, subject.namespace])];
  const near = namespaces.flatMap((namespace) => byNamespace.get(namespace) ?? []);
  const applying = near.filter((object) => appliesTo(object, subject));
  if (applying.length === 0) return selectClassicTokens(security, subject);
  const row = applying.flatMap((object) => [object, ...keysOfRules(object, keys)]);
  return plans.get(row, '', () => ({
    ports: new Map(),
    rest: { kind: 'request', rules: applying.flatMap((object) => rulesOf(object, keys)) },
  }));
}

const indexByNamespace = memoByIdentity((objects: readonly RequestAuthentication[]) =>
  Map.groupBy(objects, ({ meta }) => meta.namespace),
);

/** An object with targets is for these alone. Of their kinds there are gateways, whose pods are labelled with the gateway's name. */
function appliesTo({ meta, spec }: RequestAuthentication, { kind, namespace, labels }: Subject): boolean {
  const targets = targetsOf(spec);
  if (targets.length === 0) return selects(spec.selector?.matchLabels ?? {}, labels);
  if (kind !== 'router' || meta.namespace !== namespace) return false;
  return targets.some(({ ref }) => isGatewayOf(ref, labels));
}

function keysOfRules({ spec }: RequestAuthentication, book: KeyBook): readonly object[] {
  return (spec.jwtRules ?? []).map((rule) => keysOf(rule, book));
}

function rulesOf(object: RequestAuthentication, book: KeyBook): readonly TokenRule[] {
  return (object.spec.jwtRules ?? []).map((rule, index) => ({
    object: refOf(object),
    path: `spec.jwtRules[${index}]`,
    ...tokenRule(rule, book),
  }));
}

function tokenRule(rule: JwtRule, book: KeyBook): Omit<TokenRule, 'object' | 'path'> {
  return {
    issuer: rule.issuer,
    audiences: rule.audiences ?? [],
    keys: keysOf(rule, book),
    keysField: keysFieldOf(rule),
    fromHeaders: (rule.fromHeaders ?? []).map(({ name, prefix = '' }) => ({ name, prefix })),
    fromParams: rule.fromParams ?? [],
    fromCookies: rule.fromCookies ?? [],
    forward: rule.forwardOriginalToken === true,
    payloadHeader: rule.outputPayloadToHeader ?? '',
    claimHeaders: rule.outputClaimToHeaders ?? [],
    spaceDelimitedClaims: rule.spaceDelimitedClaims ?? [],
  };
}
