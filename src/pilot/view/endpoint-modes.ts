import { keepIfSame, memoByIdentity } from '../../kit/memo.ts';
import type { MeshDestinationRule, MeshSnapshot } from '../../model/mesh-snapshot.ts';
import type { Endpoint } from '../../model/service.ts';
import { peerRules } from '../security/peer.ts';
import type { PeerRules } from '../security/peer-rules.ts';
import { accountsOf, allTakeMutualTls } from '../translate/endpoint/accounts.ts';
import type { ServiceAtPort } from '../translate/plan.ts';
import { endpointsOf } from './endpoint-lookup.ts';
import { IdentityMemo } from './identity-memo.ts';

type ListInputs = {
  readonly endpoints: readonly Endpoint[];
  readonly rules: PeerRules;
  /** Only where policies name services. */
  readonly targets: MeshSnapshot['targetsByAddress'] | undefined;
};

const kept = new WeakMap<ServiceAtPort, readonly Endpoint[]>();

const toldMemo = new IdentityMemo<ServiceAtPort, ListInputs & { readonly at: ServiceAtPort }, readonly Endpoint[]>(
  ({ at, endpoints, rules, targets }) => {
    const told = endpoints.map((endpoint) => {
      if (endpoint.tlsMode === 'disabled') return endpoint;
      const mode = rules.modeOf(endpoint, (address) => targets?.get(address));
      return mode === 'DISABLE' ? plaintext(endpoint) : endpoint;
    });
    const list = keepIfSame(kept.get(at), keepIfSame(endpoints, told));
    kept.set(at, list);
    return list;
  },
);

const plaintext = memoByIdentity((endpoint: Endpoint): Endpoint => ({ ...endpoint, tlsMode: 'disabled' }));

/**
 * The endpoints of a port as clients must see them: a workload that takes no mutual TLS there is without it, whatever its proxy can do.
 * Most meshes have no such policy, and then they are the registry's own.
 */
export function endpointsForClients(mesh: MeshSnapshot, at: ServiceAtPort): readonly Endpoint[] {
  const endpoints = endpointsOf(mesh, at);
  const rules = peerRules(mesh.security);
  if (!rules.mayDisable || endpoints.length === 0) return endpoints;
  return toldMemo.get(at, '', {
    at,
    endpoints,
    rules,
    targets: rules.namesServices ? mesh.targetsByAddress : undefined,
  });
}

export type PeerFacts = {
  readonly accounts: string;
  readonly allTakeMutualTls: boolean;
  readonly isStrict: boolean;
  readonly isPlain: boolean;
};

/** What a cluster's TLS depends on of its endpoints: as little as can be, since they come and go. */
export function peerFactsOf(
  mesh: MeshSnapshot,
  at: ServiceAtPort,
  { endpoints, identityFolder }: { readonly endpoints: readonly Endpoint[]; readonly identityFolder: string },
): PeerFacts {
  const { service, rule } = at;
  const isClient = identityFolder !== '';
  const { asksPassthrough } = rule === undefined ? nothingAsked : askedBy(rule);
  const isDialled = isClient && (service.resolution.kind === 'passthrough' || asksPassthrough);
  return {
    accounts: isClient ? accountsOf(endpoints) : '',
    allTakeMutualTls: isDialled && allTakeMutualTls(endpoints),
    isStrict: asksForTls(rule) && someStrict(mesh, endpoints),
    isPlain: asksForTls(rule) && someDisabled(endpointsOf(mesh, at), endpoints),
  };
}

function someStrict(mesh: MeshSnapshot, endpoints: readonly Endpoint[]): boolean {
  const rules = peerRules(mesh.security);
  if (!rules.mayBeStrict) return false;
  const targetsAt = (address: string) => mesh.targetsByAddress.get(address);
  return endpoints.some((endpoint) => endpoint.tlsMode === 'istio' && rules.modeOf(endpoint, targetsAt) === 'STRICT');
}

/** Whether policies keep from mutual TLS what could take it. */
function someDisabled(listed: readonly Endpoint[], forClients: readonly Endpoint[]): boolean {
  if (listed === forClients) return false;
  return listed.some(({ tlsMode }, index) => tlsMode === 'istio' && forClients[index]?.tlsMode === 'disabled');
}

/** Whether a rule says something about TLS, so that it matters how strict servers are. */
export function asksForTls(rule: MeshDestinationRule | undefined): boolean {
  return rule !== undefined && askedBy(rule).asksTls;
}

const nothingAsked = { asksPassthrough: false, asksTls: false };

const askedBy = memoByIdentity(({ trafficPolicy, subsets }: MeshDestinationRule) => {
  const policies = [trafficPolicy?.spec, ...subsets.map(({ spec }) => spec.trafficPolicy)].flatMap(partsOf);
  return {
    asksPassthrough: policies.some(({ loadBalancer }) => loadBalancer?.simple === 'PASSTHROUGH'),
    asksTls: policies.some(({ tls }) => tls !== undefined),
  };
});

type Policy = NonNullable<MeshDestinationRule['trafficPolicy']>['spec'];
type Part = Pick<Policy, 'loadBalancer' | 'tls'>;

function partsOf(policy: Policy | undefined): readonly Part[] {
  return policy === undefined ? [] : [policy, ...(policy.portLevelSettings ?? [])];
}
