import type { MeshSnapshot } from '../../model/mesh-snapshot.ts';
import type { Proxy } from '../../model/proxy.ts';
import type { Workload } from '../../model/service.ts';
import { offlineProxy } from './offline.ts';

/**
 * A proxy as most of a mesh's are: a sidecar of the namespace with the most workloads, or services if there are no workloads. Most of
 * what it gets, everybody gets.
 */
export function typicalProxy(mesh: MeshSnapshot, domain: string): Proxy | undefined {
  const workloads = [...new Set(mesh.workloadsByAddress.values())];
  const namespace = mostOften(workloads) ?? mostOften(mesh.services) ?? 'default';
  const proxy = offlineProxy(
    nodeId(
      namespace,
      workloads.find((each) => each.namespace === namespace),
      domain,
    ),
    mesh,
    haveProxies(workloads) ? { IDENTITY_FOLDER } : {},
  );
  return proxy.ok ? proxy.value : undefined;
}

/** Where pods have their certificates; the injector says so to proxies, and they to us. */
const IDENTITY_FOLDER = '/etc/certs';

/** Whether most say, by the injector's label, that their proxy takes mutual TLS. */
function haveProxies(workloads: readonly Workload[]): boolean {
  const labelled = workloads.filter(({ labels }) => labels['security.istio.io/tlsMode'] === 'istio');
  return labelled.length * 2 > workloads.length;
}

function nodeId(namespace: string, workload: Workload | undefined, domain: string): string {
  const { name, addresses } = workload ?? { name: 'nobody', addresses: [] };
  return `sidecar~${addresses[0] ?? '127.0.0.1'}~${name}.${namespace}~${namespace}.svc.${domain}`;
}

/** The first of those that come most often. */
function mostOften(items: readonly { readonly namespace: string }[]): string | undefined {
  const counts = [...Map.groupBy(items, ({ namespace }) => namespace)].map(([name, { length }]) => ({ name, length }));
  return (
    counts.reduce((most, each) => (each.length > most.length ? each : most), { name: '', length: 0 }).name || undefined
  );
}
