import { err, ok, type Result } from '../../kit/result.ts';
import { type Identity, spiffeId } from '../../model/identity.ts';
import type { MeshSnapshot } from '../../model/mesh-snapshot.ts';
import type { ConfigObject } from '../../model/object.ts';
import type { Proxy } from '../../model/proxy.ts';
import type { Workload } from '../../model/service.ts';
import { sameValue } from '../registry/same-value.ts';
import { workloadOf } from './workload-of.ts';

/** Which of its claims a proxy may not make. */
export type ClaimFault = 'namespace' | 'account' | 'cluster' | 'address' | 'type' | 'unknown workload';

export type Refusal = { readonly fault: ClaimFault; readonly detail: string };

/** What is known of the one that claims to be a proxy. */
export type ClaimContext = {
  readonly mesh: MeshSnapshot;
  /** That of the proxies that this pilot serves. */
  readonly clusterId: string;
  /** The Pod that has the name by which the proxy calls itself. */
  readonly pod: ConfigObject<'Pod'> | undefined;
};

type Claim = ClaimContext & {
  readonly proxy: Proxy;
  readonly identity: Identity;
  readonly workload: Workload | undefined;
};

/**
 * A proxy as its identity allows it to be: what it says of itself is checked against the identity and what the mesh knows of it. Its
 * labels decide which gateways and policies are its own, so where its Pod is known they are the Pod's, whatever it says.
 */
export function authorizeProxy(proxy: Proxy, identity: Identity, context: ClaimContext): Result<Proxy, Refusal> {
  const claim: Claim = { ...context, proxy, identity, workload: workloadOf(context.mesh, proxy) };
  for (const check of checks) {
    const refusal = check(claim);
    if (refusal !== undefined) return err(refusal);
  }
  const labels = claim.pod?.meta.labels ?? claim.workload?.labels ?? proxy.labels;
  return ok({ ...proxy, identity, serviceAccount: identity.serviceAccount, labels });
}

/** A proxy that has proven who it is, as it is now: its workload may get other labels while it is connected, and policies go by them. */
export function presentProxy(proxy: Proxy, mesh: MeshSnapshot): Proxy {
  const { identity } = proxy;
  const workload = identity && workloadOf(mesh, proxy);
  if (identity === undefined || workload === undefined || !isOf(workload, identity)) return proxy;
  return sameValue(workload.labels, proxy.labels) ? proxy : { ...proxy, labels: workload.labels };
}

type Check = (claim: Claim) => Refusal | undefined;

/** Namespaces stand in the metadata, in the name and in the domain, and each of them decides something. */
const ownNamespace: Check = ({ proxy, identity: { namespace } }) => {
  if (proxy.namespace !== namespace)
    return { fault: 'namespace', detail: `it claims namespace ${told(proxy.namespace)}` };
  if (!proxy.name.endsWith(`.${namespace}`))
    return { fault: 'namespace', detail: `it claims the name ${told(proxy.name)}` };
  const [first] = proxy.dnsDomain.split('.');
  return first === namespace
    ? undefined
    : { fault: 'namespace', detail: `it claims the domain ${told(proxy.dnsDomain)}` };
};

const ownAccount: Check = ({ proxy: { serviceAccount }, identity }) =>
  serviceAccount === '' || serviceAccount === identity.serviceAccount
    ? undefined
    : { fault: 'account', detail: `it claims account ${told(serviceAccount)}` };

const ownCluster: Check = ({ proxy, clusterId }) =>
  proxy.clusterId === '' || proxy.clusterId === clusterId
    ? undefined
    : { fault: 'cluster', detail: `it claims cluster ${told(proxy.clusterId)}` };

/** A pod of its own namespace may be of another account. */
const ownPod: Check = ({ pod, identity }) =>
  pod === undefined || pod.spec.serviceAccountName === identity.serviceAccount
    ? undefined
    : {
        fault: 'account',
        detail: `it claims to be the pod ${pod.meta.name} of account ${pod.spec.serviceAccountName}`,
      };

const ownAddresses: Check = ({ mesh, pod, proxy: { addresses }, identity }) => {
  const foreign = addresses.find((address) => {
    const owner = mesh.workloadsByAddress.get(address);
    return owner !== undefined && !isOf(owner, identity);
  });
  if (foreign !== undefined)
    return { fault: 'address', detail: `it claims ${foreign}, which is a workload of somebody else` };
  // A Pod that was just started has none yet.
  const known = pod?.spec.podIPs ?? [];
  const other = known.length === 0 ? undefined : addresses.find((address) => !known.includes(address));
  return other === undefined ? undefined : { fault: 'address', detail: `it claims ${other}, which is not its pod’s` };
};

/** An injected pod says of itself what was injected. Of others nobody knows, and labels alone decide what they get. */
const ownType: Check = ({ proxy: { kind }, pod }) => {
  const annotations = pod?.meta.annotations ?? {};
  const templates = (annotations['inject.istio.io/templates'] ?? '').split(',').map((each) => each.trim());
  const isGateway = templates.includes('gateway');
  const isSidecar = !isGateway && annotations['sidecar.istio.io/status'] !== undefined;
  if (isGateway && kind === 'sidecar') return { fault: 'type', detail: 'it claims to be a sidecar, and is a gateway' };
  if (isSidecar && kind === 'router') return { fault: 'type', detail: 'it claims to be a gateway, and is a sidecar' };
  return undefined;
};

/** In a mesh that knows its workloads, one that nobody knows could give itself any labels. It may only be new: it comes again. */
const knownWorkload: Check = ({ mesh, pod, workload }) => {
  const knowsWorkloads = mesh.config.objects.Pod.length > 0;
  if (!knowsWorkloads || pod !== undefined || workload !== undefined) return undefined;
  return { fault: 'unknown workload', detail: 'no Pod and no WorkloadEntry is known for it' };
};

const checks: readonly Check[] = [ownNamespace, ownAccount, ownCluster, ownPod, ownAddresses, ownType, knownWorkload];

function isOf({ namespace, serviceAccount }: Workload, identity: Identity): boolean {
  return namespace === identity.namespace && serviceAccount === identity.serviceAccount;
}

/** What a client sent, short enough for the log. */
function told(text: string): string {
  return JSON.stringify(text.length > 100 ? `${text.slice(0, 100)}…` : text);
}

/** For the log: who claimed what. */
export function describeRefusal(identity: Identity, { detail }: Refusal): string {
  return `${spiffeId(identity)}: ${detail}`;
}
