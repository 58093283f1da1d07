import type { RbacConfigSpec } from '../../apis/security/security.ts';
import { memoByIdentity } from '../../kit/memo.ts';
import type { MeshSecurity } from '../../model/mesh-security.ts';
import { type ConfigObject, refOf } from '../../model/object.ts';
import { namesOf, type Service, type ServiceTarget } from '../../model/service.ts';
import { matchesPattern, parsePattern } from '../translate/access/pattern.ts';
import type { AccessPolicy } from '../translate/access/plan.ts';
import { readBinding } from './access-binding.ts';
import type { Subject } from './subject.ts';

type Config = ConfigObject<'ClusterRbacConfig'> | ConfigObject<'RbacConfig'>;

/** What rbac.istio.io says about a workload: nothing where no configuration switches it on. */
export function selectClassicAccess(security: MeshSecurity, subject: Subject): readonly AccessPolicy[] {
  const config = configOf(security);
  if (config === undefined) return [];
  const { spec } = config;
  const enabled = subject.targets.filter(({ service }) => isOn(spec, service));
  if (enabled.length === 0 && (subject.targets.length > 0 || !isNamespaceOn(spec, subject.namespace))) return [];
  const others = subject.targets.filter((target) => !enabled.includes(target));
  const isDryRun = spec.enforcementMode === 'PERMISSIVE';
  const bindings = bindingsByNamespace(security.ServiceRoleBinding).get(subject.namespace) ?? [];
  const granted = bindings.flatMap((binding) =>
    readBinding(binding, { security, subject, targets: enabled, isDryRun }),
  );
  return [...granted, switchedOn(config)(freePorts(enabled, others).join(' '))];
}

const bindingsByNamespace = memoByIdentity((bindings: readonly ConfigObject<'ServiceRoleBinding'>[]) =>
  Map.groupBy(bindings, ({ meta }) => meta.namespace),
);

function configOf({ ClusterRbacConfig, RbacConfig }: MeshSecurity): Config | undefined {
  const isDefault = ({ meta }: Config): boolean => meta.name === 'default';
  return ClusterRbacConfig.find(isDefault) ?? RbacConfig.find(isDefault);
}

/** Istio's default is OFF. */
function isOn(spec: RbacConfigSpec, service: Service): boolean {
  const { mode, inclusion, exclusion } = spec;
  switch (mode) {
    case 'ON':
      return true;
    case 'ON_WITH_INCLUSION':
      return names(inclusion, service);
    case 'ON_WITH_EXCLUSION':
      return !names(exclusion, service);
    default:
      return false;
  }
}

function names(list: RbacConfigSpec['inclusion'], service: Service): boolean {
  const { namespaces = [], services = [] } = list ?? {};
  const hosts = namesOf(service);
  return (
    namespaces.includes(service.namespace) ||
    services.some((pattern) => hosts.some((host) => matchesPattern(parsePattern(pattern), host)))
  );
}

/** For a workload that no service leads to. */
function isNamespaceOn({ mode, inclusion, exclusion }: RbacConfigSpec, namespace: string): boolean {
  switch (mode) {
    case 'ON':
      return true;
    case 'ON_WITH_INCLUSION':
      return inclusion?.namespaces?.includes(namespace) === true;
    case 'ON_WITH_EXCLUSION':
      return exclusion?.namespaces?.includes(namespace) !== true;
    default:
      return false;
  }
}

/** Ports that only services lead to for which it is off. */
function freePorts(enabled: readonly ServiceTarget[], others: readonly ServiceTarget[]): readonly number[] {
  const taken = new Set(enabled.map(({ targetPort }) => targetPort));
  return [...new Set(others.map(({ targetPort }) => targetPort))]
    .filter((port) => !taken.has(port))
    .sort((a, b) => a - b);
}

/** An ALLOW policy: whatever no binding gives is refused, except for the ports it is not about. */
const switchedOn = memoByIdentity((config: Config) => {
  const known = new Map<string, AccessPolicy>();
  return (ports: string): AccessPolicy => {
    const made = known.get(ports) ?? buildSwitch(config, ports === '' ? [] : ports.split(' ').map(Number));
    known.set(ports, made);
    return made;
  };
});

function buildSwitch(config: Config, free: readonly number[]): AccessPolicy {
  const object = refOf(config);
  const place = { object, path: 'spec.mode' };
  const exempt = {
    name: `rbac-config[${object.name}]-exempt`,
    object,
    path: 'spec.mode',
    sources: [],
    operations: [[{ isNegated: false, place, about: 'destination-port', values: free } as const]],
    conditions: [],
  };
  return {
    action: 'ALLOW',
    object,
    isDryRun: config.spec.enforcementMode === 'PERMISSIVE',
    authorizer: undefined,
    rules: free.length === 0 ? [] : [exempt],
    flaws: [],
  };
}
