import type { AuthorizationPolicySpec } from '../../apis/security/security.ts';

type Targeted = Pick<AuthorizationPolicySpec, 'targetRef' | 'targetRefs'>;

export type TargetRef = NonNullable<Targeted['targetRef']>;

/** What an object is tied to, and where it says so: in a list, or as it was written before there was one. */
export function targetsOf({ targetRef, targetRefs = [] }: Targeted): readonly { ref: TargetRef; path: string }[] {
  const listed = targetRefs.map((ref, index) => ({ ref, path: `spec.targetRefs[${index}]` }));
  return targetRef === undefined ? listed : [...listed, { ref: targetRef, path: 'spec.targetRef' }];
}

/** The label of pods that run a Gateway of the Kubernetes Gateway API. */
const GATEWAY_LABEL = 'gateway.networking.k8s.io/gateway-name';

export function isGatewayOf({ group, kind, name }: TargetRef, labels: Readonly<Record<string, string>>): boolean {
  const isGateway = group === 'gateway.networking.k8s.io' && kind === 'Gateway';
  return isGateway && name !== undefined && name === labels[GATEWAY_LABEL];
}
