import { Catalog } from '../galley/distribution/catalog.ts';
import { MCP_SOURCE_METHOD, McpSource } from '../galley/distribution/mcp-source.ts';
import { McpXds, routeByNode } from '../galley/distribution/mcp-xds.ts';
import type { Galley } from '../galley/galley.ts';
import type { Runnable } from '../kit/run-group.ts';
import { RpcServer } from '../rpc/rpc-server.ts';
import type { SnapshotSource } from '../xds/ports.ts';
import { StatusCode } from '../xds/status.ts';
import type { Verdicts } from '../xds/verdicts.ts';
import type { AssembleInputs } from './assemble.ts';
import type { Callers } from './callers.ts';
import type { Address } from './config.ts';

const GRACE_MS = 1_000;

export type DistributionParts = { readonly galley: Galley; readonly verdicts: Verdicts; readonly callers: Callers };

/** Verified configuration for other processes: over MCP on a port of its own, and over xDS beside what proxies get. */
export class Distribution implements Runnable {
  readonly name = 'distribution';
  readonly #mcp: McpSource;
  readonly #rpc: RpcServer;
  readonly #xds: McpXds;

  constructor(parts: DistributionParts, { config, clock, log: parent, metrics }: AssembleInputs) {
    const { galley, verdicts, callers } = parts;
    const log = parent.child({ component: 'mcp' });
    const catalog = new Catalog({ feed: galley, domain: config.domain, clock, log });
    this.#mcp = new McpSource({ catalog, clock, log, metrics });
    this.#xds = new McpXds({ catalog, verdicts, judge: (credentials) => callers.judgeConsumer(credentials) });
    this.#rpc = new RpcServer({
      methods: [{ path: MCP_SOURCE_METHOD, serve: (stream) => this.#mcp.serve(stream) }],
      clock,
      log,
    });
  }

  /** Who the discovery service serves: consumers of configuration, and proxies where there is a pilot. */
  beside(pilot: SnapshotSource | undefined): SnapshotSource {
    return routeByNode(pilot ?? noPilot, this.#xds);
  }

  /** Takes the port, or rejects with a message that says what to do. */
  async bind(address: Address): Promise<Address> {
    const bound = await this.#rpc.listen(address);
    if (!bound.ok) throw new Error(bound.error.message);
    return bound.value;
  }

  async run(signal: AbortSignal): Promise<void> {
    await this.#mcp.run(signal);
    await this.#rpc.stop(GRACE_MS);
  }
}

const noPilot: SnapshotSource = {
  open: () => ({
    kind: 'refused',
    status: { code: StatusCode.UNAVAILABLE, message: 'no pilot runs here: proxies are served by another xebec' },
  }),
};
