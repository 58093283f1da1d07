import type { Proxy } from '../../src/model/proxy.ts';
import type { Pilot } from '../../src/pilot/pilot.ts';
import { provenProxy } from '../../src/pilot/proxy/offline.ts';
import type { Opened, SnapshotSource } from '../../src/xds/ports.ts';

/**
 * Has a Pilot take proxies for who a test says they are, as if they had proven it on the way in: for tests that are about what follows
 * from that. Without a word, they are whoever they say themselves.
 */
export function takeAtTheirWord(pilot: Pilot, dress: (proxy: Proxy) => Proxy = provenProxy): void {
  const open = pilot.open.bind(pilot);
  const source: SnapshotSource = pilot;
  source.open = async (node, stream): Promise<Opened> => {
    const opened = await open(node, stream);
    if (opened.kind === 'handle') {
      const { proxy } = opened.handle as unknown as { readonly proxy: Proxy };
      Reflect.set(opened.handle, 'proxy', dress(proxy));
    }
    return opened;
  };
}
