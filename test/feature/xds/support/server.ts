import { afterEach } from 'vitest';
import { ManualClock } from '../../../../src/kit/manual-clock.ts';
import { systemClock } from '../../../../src/kit/system-clock.ts';
import { RpcClient } from '../../../../src/rpc/rpc-client.ts';
import { RpcServer } from '../../../../src/rpc/rpc-server.ts';
import { silentLogger } from '../../../../src/telemetry/logger.ts';
import { makePinoLogger } from '../../../../src/telemetry/pino-logger.ts';
import { PromMetrics } from '../../../../src/telemetry/prom-metrics.ts';
import type { NodeInfo } from '../../../../src/xds/node.ts';
import type { AckReport, NackReport, Opened, StreamInfo } from '../../../../src/xds/ports.ts';
import type { EncodedResource } from '../../../../src/xds/resource.ts';
import type { XdsSettings } from '../../../../src/xds/settings.ts';
import { Verdicts } from '../../../../src/xds/verdicts.ts';
import { adsMethods, XdsServer } from '../../../../src/xds/xds.ts';
import type { Protocol } from './model-client.ts';
import { RawStream } from './raw-stream.ts';
import { World } from './world.ts';

export type ServerOptions = {
  readonly settings?: Partial<XdsSettings>;
  /** Shared by servers that follow each other. */
  readonly verdicts?: Verdicts;
  readonly world?: World;
  readonly open?: (node: NodeInfo) => Promise<Opened | undefined>;
  readonly missing?: (typeUrl: string, name: string) => EncodedResource | undefined;
};

/** The server under test, on a socket, with a world behind it and a clock that stands still. */
export type TestServer = {
  readonly xds: XdsServer;
  readonly world: World;
  readonly verdicts: Verdicts;
  readonly clock: ManualClock;
  readonly port: number;
  readonly acks: AckReport[];
  readonly nacks: NackReport[];
  readonly nodes: NodeInfo[];
  /** What it says at level info, one JSON object a line. */
  readonly log: string[];
  isReady: boolean;
  /** Streams of the source that are open. */
  openHandles: number;
  /** Tells every stream that the world is another now. */
  changed(): void;
  connect(protocol: Protocol, id?: string): RawStream;
  metric(line: string): Promise<number>;
  stop(): Promise<void>;
};

const running: (() => Promise<void>)[] = [];

afterEach(async () => {
  for (const stop of running.splice(0)) await stop();
});

export async function startServer(options: ServerOptions = {}): Promise<TestServer> {
  const verdicts = options.verdicts ?? new Verdicts();
  const world = options.world ?? new World(verdicts);
  const clock = new ManualClock();
  const metrics = new PromMetrics();
  const streams = new Set<StreamInfo>();
  const clients: RpcClient[] = [];
  const server = { isReady: true, openHandles: 0 };
  const reports = { acks: [] as AckReport[], nacks: [] as NackReport[], nodes: [] as NodeInfo[], log: [] as string[] };

  const open = async (node: NodeInfo, stream: StreamInfo): Promise<Opened> => {
    const decided = await options.open?.(node);
    if (decided !== undefined) return decided;
    reports.nodes.push(node);
    streams.add(stream);
    server.openHandles += 1;
    const close = (): void => {
      streams.delete(stream);
      server.openHandles -= 1;
    };
    const missing = options.missing === undefined ? {} : { missing: options.missing };
    return { kind: 'handle', handle: { current: () => world.snapshot(), close, ...missing } };
  };
  const xds = new XdsServer({
    source: { open },
    verdicts,
    listener: { onAck: (report) => reports.acks.push(report), onNack: (report) => reports.nacks.push(report) },
    isReady: () => server.isReady,
    clock,
    log: makePinoLogger('info', (line) => reports.log.push(line)),
    metrics,
    settings: options.settings ?? {},
  });
  const methods = adsMethods.map(({ path, protocol }) => ({
    path,
    serve: (stream: Parameters<typeof xds.serve>[1]) => xds.serve(protocol, stream),
  }));
  const rpc = new RpcServer({ methods, clock: systemClock, log: silentLogger });
  const bound = await rpc.listen({ host: '127.0.0.1', port: 0 });
  if (!bound.ok) throw new Error(bound.error.message);
  const stopping = new AbortController();
  const run = xds.run(stopping.signal);

  const stop = async (): Promise<void> => {
    if (stopping.signal.aborted) return;
    stopping.abort();
    for (const client of clients) client.close();
    const over = run.then(() => true);
    const moveOn = (): Promise<boolean> => clock.advance(1000).then(() => false);
    while (!(await Promise.race([over, moveOn()])));
    await rpc.stop(10);
  };
  running.push(stop);
  return Object.assign(server, reports, {
    xds,
    world,
    verdicts,
    clock,
    port: bound.value.port,
    changed: () => {
      for (const stream of streams) stream.changed();
    },
    connect: (protocol: Protocol, id?: string) => {
      const client = new RpcClient(`127.0.0.1:${bound.value.port}`);
      clients.push(client);
      return new RawStream(client, protocol, id);
    },
    metric: async (line: string) => {
      const lines = (await metrics.expose()).split('\n');
      return Number(lines.find((each) => each.startsWith(`${line} `))?.split(' ')[1] ?? 0);
    },
    stop,
  });
}
