import type { Field } from '../finding.ts';
import { warnDeprecated } from './scalars.ts';

type TargetRef = {
  readonly group?: string | undefined;
  readonly kind?: string | undefined;
  readonly name?: string | undefined;
  readonly namespace?: string | undefined;
};

type Targets = {
  readonly selector?: unknown;
  readonly targetRef?: TargetRef | undefined;
  readonly targetRefs?: readonly TargetRef[] | undefined;
};

/** What an object is attached to: workloads that a selector selects, or objects that are referred to, not both. */
export function checkTargets(field: Field, targets: Targets, selectorName = 'selector'): void {
  const { selector, targetRef, targetRefs = [] } = targets;
  if (targetRefs.length > 0 && selector !== undefined) {
    const problem = `cannot stand beside ${selectorName}`;
    field.at('targetRefs').error('XEB0705', { problem, fix: 'keep one of them' });
  }
  field.at('targetRefs').each(targetRefs, checkTargetRef);
  if (targetRef === undefined) return;
  const at = field.at('targetRef');
  const other = selector === undefined ? 'targetRefs' : selectorName;
  if (selector !== undefined || targetRefs.length > 0) {
    at.error('XEB0705', { problem: `cannot stand beside ${other}`, fix: 'keep one of them' });
  } else {
    warnDeprecated(at, 'targetRefs');
  }
  checkTargetRef(at, targetRef);
}

const targetKinds: readonly string[] = [
  '/Service',
  'core/Service',
  'networking.istio.io/ServiceEntry',
  'gateway.networking.k8s.io/Gateway',
  'gateway.networking.k8s.io/GatewayClass',
];

function checkTargetRef(field: Field, { group = '', kind = '', name, namespace }: TargetRef): void {
  if (!name) field.at('name').error('XEB0705', { problem: 'is required and missing', fix: 'add it' });
  if (namespace) {
    const fix = 'remove it: targets are in the own namespace';
    field.at('namespace').error('XEB0705', { problem: 'cannot be set', got: namespace, fix });
  }
  const target = `${group}/${kind}`;
  if (targetKinds.includes(target)) return;
  const allowed = targetKinds.slice(1).join(', ');
  field.at('kind').error('XEB0705', { problem: 'cannot be a target', got: target, allowed });
}
