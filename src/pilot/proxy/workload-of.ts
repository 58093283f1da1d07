import type { MeshSnapshot } from '../../model/mesh-snapshot.ts';
import type { Proxy } from '../../model/proxy.ts';
import type { Workload } from '../../model/service.ts';

/** The workload that a proxy stands beside. On its host's network it is known by its name, elsewhere by its address. */
export function workloadOf(
  mesh: MeshSnapshot,
  { name, addresses }: Pick<Proxy, 'name' | 'addresses'>,
): Workload | undefined {
  const byAddress = addresses.map((address) => mesh.workloadsByAddress.get(address));
  return mesh.hostPods.get(name)?.workload ?? byAddress.find((workload) => workload !== undefined);
}
