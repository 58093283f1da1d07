import type { AccessRule as RoleRule } from '../../apis/security/security.ts';
import { memoByIdentity } from '../../kit/memo.ts';
import type { MeshSecurity } from '../../model/mesh-security.ts';
import { type ConfigObject, refOf } from '../../model/object.ts';
import { namesOf, type Service, type ServiceTarget } from '../../model/service.ts';
import { matchesPattern, parsePattern } from '../translate/access/pattern.ts';
import type { AccessFlaw, AccessPolicy, AccessTest } from '../translate/access/plan.ts';
import type { Place } from '../translate/policy/diagnose.ts';
import { isStaticConstraint, readConstraints, staticConstraintHolds } from './access-constraint.ts';
import { readSubject } from './access-subject.ts';
import { type Member, parsePath, patterns, stepInto, testsOf } from './access-test.ts';
import type { Subject } from './subject.ts';

type Binding = ConfigObject<'ServiceRoleBinding'>;
type Role = ConfigObject<'ServiceRole'>;

export type BindingContext = {
  readonly security: MeshSecurity;
  readonly subject: Subject;
  /** Those that access is restricted for. */
  readonly targets: readonly ServiceTarget[];
  readonly isDryRun: boolean;
};

/** What a binding gives for a workload: one policy for each rule of its role that is about it. */
export function readBinding(binding: Binding, context: BindingContext): readonly AccessPolicy[] {
  const given = rulesOf(binding, context.security);
  if (given === undefined) return [];
  const { holder, rules } = given;
  const isDryRun = context.isDryRun || binding.spec.mode === 'PERMISSIVE';
  return rules.flatMap((rule, index) => {
    const ports = portsOf(rule, context);
    if (ports === undefined) return [];
    const asked: Granted = { index, isDryRun, ports };
    return [granted(binding)(holder)(context.security.trustDomains)(asked)];
  });
}

type Given = { readonly holder: Role | Binding; readonly rules: readonly RoleRule[] };

/** 1.4 read roleRef only; `role: /name` is a role of the root namespace, and actions are rules of the binding's own. */
function rulesOf(binding: Binding, { ServiceRole, rootNamespace }: MeshSecurity): Given | undefined {
  const { roleRef, role, actions = [] } = binding.spec;
  if (actions.length > 0) return { holder: binding, rules: actions };
  const name = roleRef?.name ?? role ?? '';
  const namespace = name.startsWith('/') ? rootNamespace : binding.meta.namespace;
  const found = rolesByName(ServiceRole).get(`${namespace}/${name.replace(/^\//, '')}`);
  return found === undefined ? undefined : { holder: found, rules: found.spec.rules ?? [] };
}

const rolesByName = memoByIdentity(
  (roles: readonly Role[]) => new Map(roles.map((role) => [`${role.meta.namespace}/${role.meta.name}`, role])),
);

/** The ports of the workload that a rule is about; undefined where it is about none, empty for all. */
function portsOf(rule: RoleRule, { subject, targets }: BindingContext): readonly number[] | undefined {
  const { services = [], constraints = [] } = rule;
  const fixed = constraints.filter(({ key = '' }) => isStaticConstraint(key));
  const isForAll = services.includes('*') && fixed.every(({ key = '' }) => key.startsWith('destination.labels'));
  if (isForAll)
    return fixed.every((constraint) => staticConstraintHolds(constraint, subject, undefined)) ? [] : undefined;
  const matched = targets.filter(
    (target) =>
      isAbout(rule)(target.service) && fixed.every((constraint) => staticConstraintHolds(constraint, subject, target)),
  );
  if (matched.length === 0) return undefined;
  return [...new Set(matched.map(({ targetPort }) => targetPort))].sort((a, b) => a - b);
}

/** Asked of every service for every rule, again whenever any of them moves. */
const isAbout = memoByIdentity(({ services = [] }: RoleRule) => {
  const wanted = services.map(parsePattern);
  return memoByIdentity((service: Service) =>
    namesOf(service).some((host) => wanted.some((pattern) => matchesPattern(pattern, host))),
  );
});

type Granted = { readonly index: number; readonly isDryRun: boolean; readonly ports: readonly number[] };

/** The same policy for workloads with the same ports. */
const granted = memoByIdentity((binding: Binding) =>
  memoByIdentity((holder: Role | Binding) =>
    memoByIdentity((trustDomains: readonly string[]) => {
      const known = new Map<string, AccessPolicy>();
      return (asked: Granted): AccessPolicy => {
        const key = `${asked.index} ${asked.isDryRun} ${asked.ports.join(' ')}`;
        const made = known.get(key) ?? buildPolicy(binding, holder, { ...asked, trustDomains });
        known.set(key, made);
        return made;
      };
    }),
  ),
);

function buildPolicy(
  binding: Binding,
  holder: Role | Binding,
  { index, isDryRun, ports, trustDomains }: Granted & { readonly trustDomains: readonly string[] },
): AccessPolicy {
  const list = holder.kind === 'ServiceRole' ? (holder.spec.rules ?? []) : (holder.spec.actions ?? []);
  const rule = list[index] ?? {};
  const at: Place = {
    object: refOf(holder),
    path: `spec.${holder.kind === 'ServiceRole' ? 'rules' : 'actions'}[${index}]`,
  };
  const { namespace, name } = binding.meta;
  const context = { namespace, trustDomains, action: 'ALLOW' } as const;
  const subjects = (binding.spec.subjects ?? []).map((one, place) =>
    readSubject(one, context, { object: refOf(binding), path: `spec.subjects[${place}]` }),
  );
  const constraints = readConstraints(rule, context, at);
  const role = holder.kind === 'ServiceRole' ? holder.meta.name : 'actions';
  const flaws: readonly AccessFlaw[] = [...subjects.flatMap((one) => one.flaws), ...constraints.flaws];
  return {
    action: 'ALLOW',
    object: refOf(binding),
    isDryRun,
    authorizer: undefined,
    rules: [
      {
        name: `ns[${namespace}]-binding[${name}]-role[${role}]-rule[${index}]`,
        object: at.object,
        path: at.path,
        sources: subjects.length === 0 ? [[neverAt(at)]] : subjects.map(({ tests }) => tests),
        operations: [[...restrictPorts(ports, at), ...readRule(rule, at)]],
        conditions: constraints.tests,
      },
    ],
    flaws,
  };
}

function neverAt(place: Place): AccessTest {
  return { isNegated: false, place, about: 'principal', values: [] };
}

function restrictPorts(values: readonly number[], at: Place): readonly AccessTest[] {
  if (values.length === 0) return [];
  return [{ isNegated: false, place: stepInto(at, 'services'), about: 'destination-port', values }];
}

function readRule(rule: RoleRule, at: Place): readonly AccessTest[] {
  const texts = (name: 'hosts' | 'paths' | 'methods'): Member<string> => {
    const notName = ({ hosts: 'notHosts', paths: 'notPaths', methods: 'notMethods' } as const)[name];
    return { name, values: rule[name], notName, notValues: rule[notName] };
  };
  const ports = { name: 'ports', values: rule.ports, notName: 'notPorts', notValues: rule.notPorts };
  return [
    ...testsOf(at, texts('hosts'), (values) => ({ about: 'host', values: patterns(values) })),
    ...testsOf(at, texts('methods'), (values) => ({ about: 'method', values: patterns(values) })),
    ...testsOf(at, texts('paths'), (values) => ({ about: 'path', values: values.map(parsePath) })),
    ...testsOf(at, ports, (values) => ({ about: 'destination-port', values })),
  ];
}
