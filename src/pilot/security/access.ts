import type { MeshSecurity } from '../../model/mesh-security.ts';
import type { ConfigObject } from '../../model/object.ts';
import type { AccessAction, AccessPlan, AccessPolicy } from '../translate/access/plan.ts';
import { selectClassicAccess } from './access-classic.ts';
import { readAuthorizationPolicy } from './access-policy.ts';
import { SharedLists } from './shared-lists.ts';
import type { Subject } from './subject.ts';

const open: AccessPlan = { policies: [], hasRawPaths: false };

const plans = new SharedLists<AccessPolicy, AccessPlan>((policies) => ({ policies, hasRawPaths: false }));
const rawPlans = new SharedLists<AccessPolicy, AccessPlan>((policies) => ({ policies, hasRawPaths: true }));

const order: readonly AccessAction[] = ['CUSTOM', 'AUDIT', 'DENY', 'ALLOW'];

/**
 * Where any AuthorizationPolicy applies, the classic API of rbac.istio.io is not looked at. The same object for subjects that the
 * same applies to.
 */
export function selectAccess(security: MeshSecurity, subject: Subject): AccessPlan {
  const policies = security.AuthorizationPolicy.filter((object) => applies(object, security.rootNamespace, subject));
  const read =
    policies.length > 0
      ? policies.map((object) => readAuthorizationPolicy(object, security))
      : selectClassicAccess(security, subject);
  if (read.length === 0) return open;
  const sorted = order.flatMap((action) => read.filter((policy) => policy.action === action));
  return (security.hasRawPaths ? rawPlans : plans).get(sorted);
}

type Policy = ConfigObject<'AuthorizationPolicy'>;

function applies({ meta, spec }: Policy, rootNamespace: string, subject: Subject): boolean {
  if (meta.namespace !== subject.namespace && meta.namespace !== rootNamespace) return false;
  const refs = [...(spec.targetRefs ?? []), ...(spec.targetRef === undefined ? [] : [spec.targetRef])];
  if (refs.length > 0) return refs.some((ref) => refersTo(ref, meta.namespace, subject));
  const wanted = Object.entries(spec.selector?.matchLabels ?? {});
  return wanted.every(([name, value]) => subject.labels[name] === value);
}

type TargetRef = NonNullable<Policy['spec']['targetRef']>;

/** The label of pods that run a Gateway of the Kubernetes Gateway API. */
const GATEWAY_LABEL = 'gateway.networking.k8s.io/gateway-name';

/** Targets are in the policy's own namespace. A service is protected at the workloads it leads to, all of them and as a whole. */
function refersTo({ group = '', kind = '', name = '' }: TargetRef, namespace: string, subject: Subject): boolean {
  if (subject.namespace !== namespace) return false;
  switch (`${group}/${kind}`) {
    case 'gateway.networking.k8s.io/Gateway':
      return subject.labels[GATEWAY_LABEL] === name;
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
