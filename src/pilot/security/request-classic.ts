import type { AuthenticationPolicySpec, ClassicJwt } from '../../apis/security/security.ts';
import { memoByIdentity } from '../../kit/memo.ts';
import type { KeyBook, MeshSecurity } from '../../model/mesh-security.ts';
import { type ConfigObject, refOf } from '../../model/object.ts';
import type { ServiceTarget } from '../../model/service.ts';
import { keysFieldOf } from '../translate/jwt/key-address.ts';
import type { Origin, RequestPlan, TokenPolicy, TokenRule } from '../translate/jwt/plan.ts';
import { RowMemo } from './row-memo.ts';
import type { Subject } from './subject.ts';
import { keysOf } from './token-keys.ts';

type Policy = ConfigObject<'Policy'> | ConfigObject<'MeshPolicy'>;

const none: TokenPolicy = { kind: 'none' };
const nothing: RequestPlan = { ports: new Map(), rest: none };

const plans = new RowMemo<RequestPlan>();
const policies = new RowMemo<TokenPolicy>();

/** What Policy and MeshPolicy say for a workload: of its services' ports, else of its namespace, else of the mesh. */
export function selectClassicTokens(security: MeshSecurity, subject: Subject): RequestPlan {
  if (security.Policy.length === 0 && security.MeshPolicy.length === 0) return nothing;
  const { byNamespace, byService } = indexPolicies(security.Policy);
  const fallback = byNamespace.get(subject.namespace)?.[0] ?? security.MeshPolicy[0];
  const targets = [...Map.groupBy(subject.targets, ({ targetPort }) => targetPort)];
  const ports = targets.map(([port, at]) => ({ port, policy: policyOf(byService, at) ?? fallback }));
  const unlike = ports.filter(({ policy }) => policy !== fallback).sort((a, b) => a.port - b.port);
  const rest = tokensOf(fallback, security.keys);
  const own = unlike.map(({ port, policy }) => ({ port, tokens: tokensOf(policy, security.keys) }));
  if (rest === none && own.every(({ tokens }) => tokens === none)) return nothing;
  const row = [rest, ...own.map(({ tokens }) => tokens)];
  const text = own.map(({ port }) => port).join(' ');
  return plans.get(row, text, () => ({ ports: new Map(own.map(({ port, tokens }) => [port, tokens])), rest }));
}

type Targeted = {
  readonly policy: ConfigObject<'Policy'>;
  readonly target: NonNullable<AuthenticationPolicySpec['targets']>[number];
};

/** Policies of namespaces by these, and those with targets by `namespace/service`; oldest first. */
const indexPolicies = memoByIdentity((objects: readonly ConfigObject<'Policy'>[]) => {
  const targeted = objects.flatMap((policy) => (policy.spec.targets ?? []).map((target) => ({ policy, target })));
  const forAll = objects.filter(({ spec }) => (spec.targets ?? []).length === 0);
  return {
    byNamespace: Map.groupBy(forAll, ({ meta }) => meta.namespace),
    byService: Map.groupBy(targeted, ({ policy, target }) => `${policy.meta.namespace}/${target.name ?? ''}`),
  };
});

/** A policy that names the port has the say over one that names the service; of several services of a port any may have one. */
function policyOf(
  byService: ReadonlyMap<string, readonly Targeted[]>,
  targets: readonly ServiceTarget[],
): Policy | undefined {
  const named = targets.flatMap(({ service, port }) => {
    if (service.registry !== 'Kubernetes') return [];
    const ofService = byService.get(`${service.namespace}/${service.name}`) ?? [];
    return ofService.map(({ policy, target: { ports = [] } }) => {
      const isOfPort = ports.some(({ number, name }) => number === port.port || name === port.name);
      return { policy, isWhole: ports.length === 0, isOfPort };
    });
  });
  return named.find(({ isOfPort }) => isOfPort)?.policy ?? named.find(({ isWhole }) => isWhole)?.policy;
}

/** The same object while neither the policy nor its keys move. */
function tokensOf(policy: Policy | undefined, book: KeyBook): TokenPolicy {
  if (policy === undefined) return none;
  const tokens = jwtsOf(policy.spec);
  if (tokens.length === 0) return none;
  const row = [policy, ...tokens.map((jwt) => keysOf(jwt, book))];
  return policies.get(row, '', () => buildTokens(policy, book));
}

function jwtsOf({ peers = [], origins = [] }: AuthenticationPolicySpec): readonly ClassicJwt[] {
  return [...peers, ...origins].flatMap(({ jwt }) => jwt ?? []);
}

function buildTokens(policy: Policy, book: KeyBook): TokenPolicy {
  const { peers = [], origins = [], peerIsOptional, originIsOptional, principalBinding = 'USE_PEER' } = policy.spec;
  const object = refOf(policy);
  const rulesOf = (methods: readonly { readonly jwt?: ClassicJwt | undefined }[], field: string): readonly Origin[] =>
    methods.flatMap(({ jwt }, index) =>
      jwt === undefined ? [] : [{ object, path: `spec.${field}[${index}].jwt`, ...origin(jwt, book) }],
    );
  return {
    kind: 'classic',
    object,
    peers: rulesOf(peers, 'peers'),
    // `mtls:` without a value is STRICT.
    peersByMutualTls: peers.some(({ mtls }) => mtls !== undefined),
    peerIsOptional: peerIsOptional === true,
    origins: rulesOf(origins, 'origins'),
    originIsOptional: originIsOptional === true,
    principalBinding,
  };
}

function origin(jwt: ClassicJwt, book: KeyBook): Omit<Origin, 'object' | 'path'> {
  return {
    ...tokenRule(jwt, book),
    triggers: (jwt.triggerRules ?? []).map(({ includedPaths = [], excludedPaths = [] }) => ({
      included: includedPaths,
      excluded: excludedPaths,
    })),
  };
}

function tokenRule(jwt: ClassicJwt, book: KeyBook): Omit<TokenRule, 'object' | 'path'> {
  return {
    issuer: jwt.issuer ?? '',
    audiences: jwt.audiences ?? [],
    keys: keysOf(jwt, book),
    keysField: keysFieldOf(jwt),
    fromHeaders: (jwt.jwtHeaders ?? []).map((name) => ({ name, prefix: prefixOf(name) })),
    fromParams: jwt.jwtParams ?? [],
    fromCookies: [],
    // Classic tokens always went on to the workload.
    forward: true,
    payloadHeader: '',
    claimHeaders: [],
    spaceDelimitedClaims: [],
  };
}

/** What stands before the token in these headers, of which classic objects give the name alone. */
function prefixOf(header: string): string {
  switch (header.toLowerCase()) {
    case 'authorization':
      return 'Bearer ';
    case 'ingress-authorization':
      return 'istio';
    default:
      return '';
  }
}
