import type { ExtensionProvider } from '../../apis/mesh/extension-provider.ts';
import type { AuthorizationOperation, AuthorizationRule, AuthorizationSource } from '../../apis/security/security.ts';
import { memoByIdentity } from '../../kit/memo.ts';
import type { MeshSecurity } from '../../model/mesh-security.ts';
import { type ConfigObject, refOf } from '../../model/object.ts';
import type {
  AccessFlaw,
  AccessPolicy,
  AccessRule,
  AccessTest,
  Authorizer,
  AuthorizerSettings,
} from '../translate/access/plan.ts';
import type { Place } from '../translate/policy/diagnose.ts';
import { readCondition } from './access-condition.ts';
import { type Member, parsePath, parseServiceAccount, patterns, type RuleContext, testsOf } from './access-test.ts';
import { parsePrincipal } from './principals.ts';

type Policy = ConfigObject<'AuthorizationPolicy'>;

/** What of the mesh a policy is read with. */
export type PolicyContext = {
  readonly trustDomains: MeshSecurity['trustDomains'];
  readonly extensionProviders: MeshSecurity['extensionProviders'];
  readonly authorizers: MeshSecurity['authorizers'];
};

const readByDomains = memoByIdentity((object: Policy) =>
  memoByIdentity((trustDomains: MeshSecurity['trustDomains']) => readRules(object, trustDomains)),
);

const readByProviders = memoByIdentity((object: Policy) =>
  memoByIdentity((trustDomains: MeshSecurity['trustDomains']) =>
    memoByIdentity((extensionProviders: MeshSecurity['extensionProviders']) =>
      memoByIdentity((authorizers: MeshSecurity['authorizers']) =>
        withAuthorizer(object, readByDomains(object)(trustDomains), { extensionProviders, authorizers }),
      ),
    ),
  ),
);

/** The same object while neither the policy moves nor what it is read with. */
export function readAuthorizationPolicy(object: Policy, context: PolicyContext): AccessPolicy {
  const { trustDomains, extensionProviders, authorizers } = context;
  if (object.spec.action !== 'CUSTOM') return readByDomains(object)(trustDomains);
  return readByProviders(object)(trustDomains)(extensionProviders)(authorizers);
}

const DRY_RUN = 'istio.io/dry-run';

function readRules(object: Policy, trustDomains: readonly string[]): AccessPolicy {
  const { spec, meta } = object;
  const action = spec.action ?? 'ALLOW';
  const context: RuleContext = { namespace: meta.namespace, trustDomains, action };
  const read = (spec.rules ?? []).map((rule, index) => readRule(object, rule, { ...context, index }));
  return {
    action,
    object: refOf(object),
    isDryRun: (action === 'ALLOW' || action === 'DENY') && isTrue(meta.annotations[DRY_RUN]),
    authorizer: undefined,
    rules: read.map(({ rule }) => rule),
    flaws: read.flatMap(({ flaws }) => flaws),
  };
}

function isTrue(text: string | undefined): boolean {
  return text !== undefined && /^(?:1|t|T|TRUE|true|True)$/.test(text);
}

function withAuthorizer(
  { spec }: Policy,
  policy: AccessPolicy,
  { extensionProviders, authorizers }: Pick<PolicyContext, 'extensionProviders' | 'authorizers'>,
): AccessPolicy {
  const provider = spec.provider?.name ?? '';
  const found = extensionProviders.find(({ name }) => name === provider);
  const nowhere = { kind: 'nowhere', reason: 'the mesh configuration has no such extension provider' } as const;
  const wrong = { kind: 'nowhere', reason: 'it is not of type envoyExtAuthzHttp or envoyExtAuthzGrpc' } as const;
  const authorizer: Authorizer = {
    provider,
    place: authorizers.get(provider) ?? (found === undefined ? nowhere : wrong),
    settings: found === undefined ? { kind: 'unknown' } : settingsOf(found),
  };
  return { ...policy, authorizer };
}

function settingsOf({ envoyExtAuthzHttp: http, envoyExtAuthzGrpc: grpc }: ExtensionProvider): AuthorizerSettings {
  if (http !== undefined) return { kind: 'http', http };
  return grpc === undefined ? { kind: 'unknown' } : { kind: 'grpc', grpc };
}

type ReadRule = { readonly rule: AccessRule; readonly flaws: readonly AccessFlaw[] };

function readRule(
  object: Policy,
  { from = [], to = [], when = [] }: AuthorizationRule,
  context: RuleContext & { readonly index: number },
): ReadRule {
  const ref = refOf(object);
  const path = `spec.rules[${context.index}]`;
  const at = (inner: string): Place => ({ object: ref, path: `${path}.${inner}` });
  const conditions = when.map((condition, index) => readCondition(condition, context, at(`when[${index}]`)));
  const rule: AccessRule = {
    name: `ns[${object.meta.namespace}]-policy[${object.meta.name}]-rule[${context.index}]`,
    object: ref,
    path,
    sources: from.map(({ source = {} }, index) => readSource(source, context, at(`from[${index}].source`))),
    operations: to.map(({ operation = {} }, index) => readOperation(operation, at(`to[${index}].operation`))),
    conditions: conditions.flatMap(({ tests }) => tests),
  };
  return { rule, flaws: conditions.flatMap(({ flaws }) => flaws) };
}

type ListName<T> = keyof T & string;

function member<T extends object>(of: T, name: ListName<T>, notName: ListName<T>): Member<string> {
  const list = (key: ListName<T>): readonly string[] | undefined => of[key] as readonly string[] | undefined;
  return { name, values: list(name), notName, notValues: list(notName) };
}

function readSource(source: AuthorizationSource, context: RuleContext, at: Place): readonly AccessTest[] {
  const { namespace, trustDomains } = context;
  return [
    ...testsOf(at, member(source, 'principals', 'notPrincipals'), (values) => ({
      about: 'principal',
      values: values.flatMap((value) => parsePrincipal(value, trustDomains)),
    })),
    ...testsOf(at, member(source, 'namespaces', 'notNamespaces'), (values) => ({
      about: 'namespace',
      values: patterns(values),
    })),
    ...testsOf(at, member(source, 'serviceAccounts', 'notServiceAccounts'), (values) => ({
      about: 'service-account',
      values: values.map((value) => parseServiceAccount(value, namespace)),
    })),
    ...testsOf(at, member(source, 'ipBlocks', 'notIpBlocks'), (values) => ({ about: 'source-ip', values })),
    ...testsOf(at, member(source, 'remoteIpBlocks', 'notRemoteIpBlocks'), (values) => ({
      about: 'remote-ip',
      values,
    })),
    ...testsOf(at, member(source, 'requestPrincipals', 'notRequestPrincipals'), (values) => ({
      about: 'request-principal',
      values: patterns(values),
    })),
  ];
}

function readOperation(operation: AuthorizationOperation, at: Place): readonly AccessTest[] {
  return [
    ...testsOf(at, member(operation, 'hosts', 'notHosts'), (values) => ({ about: 'host', values: patterns(values) })),
    ...testsOf(at, member(operation, 'ports', 'notPorts'), (values) => ({
      about: 'destination-port',
      values: values.map(Number),
    })),
    ...testsOf(at, member(operation, 'methods', 'notMethods'), (values) => ({
      about: 'method',
      values: patterns(values),
    })),
    ...testsOf(at, member(operation, 'paths', 'notPaths'), (values) => ({
      about: 'path',
      values: values.map(parsePath),
    })),
  ];
}
