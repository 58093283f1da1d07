import { memoByIdentity } from '../../kit/memo.ts';
import type { MeshSecurity } from '../../model/mesh-security.ts';
import type { ConfigObject } from '../../model/object.ts';
import { selects } from '../registry/label-index.ts';
import type { AccessAction, AccessPlan } from '../translate/access/plan.ts';
import { selectClassicAccess } from './access-classic.ts';
import { readAuthorizationPolicy } from './access-policy.ts';
import { RowMemo } from './row-memo.ts';
import type { Subject } from './subject.ts';
import { isGatewayOf, type TargetRef, targetsOf } from './target-refs.ts';

const open: AccessPlan = { policies: [], hasRawPaths: false };

const plans = new RowMemo<AccessPlan>();

const order: readonly AccessAction[] = ['CUSTOM', 'AUDIT', 'DENY', 'ALLOW'];

/**
 * Where any AuthorizationPolicy decides, the classic API of rbac.istio.io is not looked at; one that only watches leaves it in force.
 * The same object for subjects that the same applies to.
 */
export function selectAccess(security: MeshSecurity, subject: Subject): AccessPlan {
  const { hasRawPaths } = security;
  const own = policiesNear(security, subject.namespace)
    .filter((object) => applies(object, subject))
    .map((object) => readAuthorizationPolicy(object, security));
  const isDecided = own.some(({ action, isDryRun }) => action !== 'AUDIT' && !isDryRun);
  const read = isDecided ? own : [...own, ...selectClassicAccess(security, subject)];
  if (read.length === 0) return open;
  const policies = order.flatMap((action) => read.filter((policy) => policy.action === action));
  return plans.get(policies, String(hasRawPaths), () => ({ policies, hasRawPaths }));
}

type Policy = ConfigObject<'AuthorizationPolicy'>;

/** Those of the namespace and of the root namespace, oldest first. */
function policiesNear({ AuthorizationPolicy, rootNamespace }: MeshSecurity, namespace: string): readonly Policy[] {
  const byNamespace = indexByNamespace(AuthorizationPolicy);
  const near = [...new Set([namespace, rootNamespace])].flatMap((name) => byNamespace.get(name) ?? []);
  return near.sort((a, b) => a.rank - b.rank).map(({ policy }) => policy);
}

const indexByNamespace = memoByIdentity((policies: readonly Policy[]) =>
  Map.groupBy(
    policies.map((policy, rank) => ({ policy, rank })),
    ({ policy }) => policy.meta.namespace,
  ),
);

function applies({ meta, spec }: Policy, subject: Subject): boolean {
  const targets = targetsOf(spec);
  if (targets.length > 0) return targets.some(({ ref }) => refersTo(ref, meta.namespace, subject));
  return selects(spec.selector?.matchLabels ?? {}, subject.labels);
}

/** Targets are in the policy's own namespace. A service is protected at the workloads it leads to, all of them and as a whole. */
function refersTo(ref: TargetRef, namespace: string, subject: Subject): boolean {
  if (subject.namespace !== namespace) return false;
  if (isGatewayOf(ref, subject.labels)) return true;
  const { group = '', kind = '', name = '' } = ref;
  switch (`${group}/${kind}`) {
    case '/Service':
    case 'core/Service':
      return subject.targets.some(({ service }) => isNamed(service.origin, 'Service', { namespace, name }));
    case 'networking.istio.io/ServiceEntry':
      return subject.targets.some(({ service }) => isNamed(service.origin, 'ServiceEntry', { namespace, name }));
    default:
      return false;
  }
}

function isNamed(
  origin: { readonly kind: string; readonly namespace: string; readonly name: string },
  kind: string,
  { namespace, name }: { readonly namespace: string; readonly name: string },
): boolean {
  return origin.kind === kind && origin.name === name && origin.namespace === namespace;
}
