import { onTestFinished } from 'vitest';
import { Catalog } from '../../../../src/galley/distribution/catalog.ts';
import {
  MCP_SOURCE_METHOD,
  McpSource,
  type McpSourceSettings,
} from '../../../../src/galley/distribution/mcp-source.ts';
import { McpXds, routeByNode } from '../../../../src/galley/distribution/mcp-xds.ts';
import { Galley } from '../../../../src/galley/galley.ts';
import { MemorySource } from '../../../../src/galley/sources/memory-source.ts';
import { systemClock } from '../../../../src/kit/system-clock.ts';
import { Pilot } from '../../../../src/pilot/pilot.ts';
import { RpcServer } from '../../../../src/rpc/rpc-server.ts';
import { makePinoLogger } from '../../../../src/telemetry/pino-logger.ts';
import { PromMetrics } from '../../../../src/telemetry/prom-metrics.ts';
import { Verdicts } from '../../../../src/xds/verdicts.ts';
import { adsMethods, XdsServer } from '../../../../src/xds/xds.ts';

const FAST = { burst: 100_000, perSecond: 100_000 };

/** One life of a process that admits configuration and serves it to others. What it serves comes from `source`, which outlives it. */
export class Publisher {
  readonly source: MemorySource;
  readonly log: string[] = [];
  readonly metrics = new PromMetrics();
  readonly galley: Galley;
  readonly pilot: Pilot;
  readonly mcp: McpSource;
  readonly consumers: McpXds;
  readonly xds: XdsServer;
  readonly #rpc: RpcServer;
  readonly #stop = new AbortController();
  #running: Promise<unknown> = Promise.resolve();
  port = 0;

  constructor(source: MemorySource, settings: Partial<McpSourceSettings> = {}) {
    this.source = source;
    const { metrics } = this;
    const log = makePinoLogger('info', (line) => this.log.push(line));
    const clock = systemClock;
    const domain = 'cluster.local';
    this.galley = makeGalley([source], log);
    const catalog = new Catalog({ feed: this.galley, domain, clock, log });
    const verdicts = new Verdicts();
    this.pilot = new Pilot({
      feed: this.galley,
      verdicts,
      domain,
      debounce: { quietMs: 0, maxMs: 0 },
      clock,
      log,
      metrics,
    });
    this.mcp = new McpSource({
      catalog,
      clock,
      log,
      metrics,
      settings: { requests: FAST, streams: FAST, ...settings },
    });
    this.consumers = new McpXds({ catalog, verdicts, judge: () => Promise.resolve(undefined) });
    this.xds = new XdsServer({
      source: routeByNode(this.pilot, this.consumers),
      verdicts,
      listener: { onAck: () => undefined, onNack: (report) => log.warn({ ...report, resource: '' }, 'refused') },
      isReady: () => this.galley.synced,
      clock,
      log,
      metrics,
    });
    this.#rpc = new RpcServer({
      methods: [
        ...adsMethods.map(({ path, protocol }) => ({
          path,
          serve: (stream: Parameters<XdsServer['serve']>[1]) => this.xds.serve(protocol, stream),
        })),
        { path: MCP_SOURCE_METHOD, serve: (stream) => this.mcp.serve(stream) },
      ],
      clock,
      log,
    });
  }

  async start(port = 0): Promise<this> {
    const bound = await this.#rpc.listen({ host: '127.0.0.1', port });
    if (!bound.ok) throw new Error(bound.error.message);
    this.port = bound.value.port;
    const { signal } = this.#stop;
    this.#running = Promise.all([this.galley, this.pilot, this.mcp, this.xds].map((part) => part.run(signal)));
    onTestFinished(() => this.stop());
    return this;
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    await this.#rpc.stop(50);
  }
}

export function makeGalley(
  sources: ConstructorParameters<typeof Galley>[0]['sources'],
  log: ReturnType<typeof makePinoLogger>,
): Galley {
  return new Galley({
    sources,
    meshConfigFile: undefined,
    rootNamespace: 'istio-system',
    domain: 'cluster.local',
    clock: systemClock,
    log,
  });
}
