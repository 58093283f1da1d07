import { ok, type Result } from '../../kit/result.ts';
import type { MeshSnapshot } from '../../model/mesh-snapshot.ts';
import type { Proxy } from '../../model/proxy.ts';
import { parseProxy } from './node.ts';
import { workloadOf } from './workload-of.ts';

/**
 * The proxy that a node id names, though it is not connected: its labels, account and place come from the workload that has its
 * address. Metadata given by hand has the say.
 */
export function offlineProxy(
  id: string,
  mesh: MeshSnapshot,
  metadata: Readonly<Record<string, unknown>> = {},
): Result<Proxy, string> {
  const parsed = parseProxy({
    id,
    cluster: '',
    metadata,
    locality: { region: '', zone: '', subZone: '' },
    userAgentName: '',
    userAgentVersion: '',
    clientFeatures: [],
  });
  if (!parsed.ok) return parsed;
  const proxy = parsed.value;
  const workload = workloadOf(mesh, proxy);
  if (workload === undefined) return parsed;
  return ok({
    ...proxy,
    labels: metadata['LABELS'] === undefined ? workload.labels : proxy.labels,
    serviceAccount: proxy.serviceAccount === '' ? workload.serviceAccount : proxy.serviceAccount,
    locality: proxy.locality ?? workload.locality,
    network: proxy.network === '' ? workload.network : proxy.network,
  });
}

/** The same as if it had proven to be who it says. For previews, which show nobody's keys. */
export function provenProxy(proxy: Proxy): Proxy {
  const { namespace, serviceAccount } = proxy;
  return { ...proxy, identity: { trustDomain: 'cluster.local', namespace, serviceAccount } };
}
