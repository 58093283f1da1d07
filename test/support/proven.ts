import type { Proxy } from '../../src/model/proxy.ts';
import type { Pilot } from '../../src/pilot/pilot.ts';
import { offlineProxy, provenProxy } from '../../src/pilot/proxy/offline.ts';
import type { Opened, SnapshotHandle, SnapshotSource } from '../../src/xds/ports.ts';

/**
 * Has a Pilot take proxies for who a test says they are, as if they had proven it on the way in: for tests that are about what follows
 * from that. Without a word, they are whoever they say themselves.
 */
export function takeAtTheirWord(pilot: Pilot, dress: (proxy: Proxy) => Proxy = provenProxy): void {
  const open = pilot.open.bind(pilot);
  const source: SnapshotSource = pilot;
  source.open = async (node, stream): Promise<Opened> => {
    const opened = await open(node, stream);
    const mesh = pilot.mesh();
    if (opened.kind === 'refused' || mesh === undefined) return opened;
    const parsed = offlineProxy(node.id, mesh, node.metadata);
    if (!parsed.ok) throw new Error(parsed.error);
    const proxy = dress(parsed.value);
    const handle: SnapshotHandle = {
      ...missingOf(opened.handle),
      current: () => pilot.snapshotFor(proxy),
      close: () => opened.handle.close(),
    };
    return { kind: 'handle', handle };
  };
}

function missingOf({ missing }: SnapshotHandle): Pick<SnapshotHandle, 'missing'> {
  return missing === undefined ? {} : { missing };
}
