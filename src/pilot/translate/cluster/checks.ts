import type { Diagnostic } from '../../../model/diagnostic.ts';
import type { Proxy } from '../../../model/proxy.ts';
import type { Service, ServicePort } from '../../../model/service.ts';
import type { ClientTransport } from '../policy/client-tls.ts';
import { diagnose } from '../policy/diagnose.ts';
import type { EffectivePolicy } from '../policy/effective-policy.ts';
import type { Discovery } from './discovery.ts';

export type ClusterFacts = {
  readonly service: Service;
  readonly port: ServicePort;
  readonly subset: string;
  readonly policy: EffectivePolicy;
  readonly transport: ClientTransport;
  readonly discovery: Discovery;
  readonly kind: Proxy['kind'];
  /** Whether some of the port's endpoints take nothing but mutual TLS. */
  readonly isStrict: boolean;
  /** Whether policies keep some of the port's endpoints from mutual TLS. */
  readonly isPlain: boolean;
};

/** What the owners of a cluster's objects should know about it. What subsets inherit is said once, of the service as a whole. */
export function checkCluster(facts: ClusterFacts): readonly Diagnostic[] {
  const found = [
    ...droppedParts(facts),
    ...refusedTls(facts),
    ...brokenSecrets(facts),
    ...conflictingTls(facts),
    ...passthrough(facts),
    ...manyNames(facts),
  ];
  return facts.subset === '' ? found : found.filter(({ path }) => path[1] === 'subsets');
}

function droppedParts({ port, policy }: ClusterFacts): readonly Diagnostic[] {
  return policy.dropped.map(({ by, parts }) =>
    diagnose(
      'info',
      'XEB2101',
      by,
      `the settings for port ${port.port} unset ${parts.join(', ')} of the policy, because they do not repeat them`,
    ),
  );
}

function refusedTls({ policy, transport, service, kind }: ClusterFacts): readonly Diagnostic[] {
  if (transport.kind !== 'refused' || policy.tls === undefined) return [];
  const message = `requests to ${service.hostname} fail, because ${transport.reason}; plaintext would not be what the policy asks for`;
  // What is meant for gateways alone is right as it is, and sidecars need not use it.
  const isForGateways = kind !== 'router' && (policy.tls.spec.credentialName ?? '') !== '';
  return [diagnose(isForGateways ? 'info' : 'error', 'XEB2102', policy.tls, message)];
}

function brokenSecrets({ policy: { tls }, transport }: ClusterFacts): readonly Diagnostic[] {
  if (transport.kind !== 'tls' || tls === undefined) return [];
  return (transport.credential?.troubles ?? []).map((trouble) => diagnose('warning', 'XEB2105', tls, trouble));
}

/** The endpoints would close such connections. */
function conflictingTls({ policy, service, isStrict, isPlain, kind }: ClusterFacts): readonly Diagnostic[] {
  if (policy.tls === undefined || kind === 'proxyless') return [];
  const mode = policy.tls.spec.mode ?? 'DISABLE';
  const isMutual = mode === 'ISTIO_MUTUAL';
  if (!(isMutual ? isPlain : isStrict)) return [];
  const takes = isMutual ? 'no mutual TLS (a policy disables it)' : 'only mutual TLS (STRICT)';
  const message = `workloads of ${service.hostname} take ${takes}, and clients speak ${mode}, so calls fail; remove tls from the rule, and both agree by themselves`;
  return [diagnose('warning', 'IST0113', policy.tls, message)];
}

function passthrough({ policy, kind, service }: ClusterFacts): readonly Diagnostic[] {
  const balancer = policy.loadBalancer;
  if (balancer?.spec.simple !== 'PASSTHROUGH' || kind === 'sidecar') return [];
  const message = `a gateway cannot pass ${service.hostname} through to the address its client dialled, which is the gateway's own; the default load balancer is used`;
  return [diagnose('info', 'XEB2103', balancer, message)];
}

function manyNames({ service, discovery, kind }: ClusterFacts): readonly Diagnostic[] {
  const { resolution } = service;
  if (resolution.kind !== 'dns' || !resolution.logical || discovery !== 'dns' || kind === 'proxyless') return [];
  const message = `${service.hostname} does not have exactly one endpoint, so all its endpoints are resolved as with DNS`;
  return [diagnose('warning', 'XEB2104', { object: service.origin, path: 'spec.resolution' }, message)];
}
