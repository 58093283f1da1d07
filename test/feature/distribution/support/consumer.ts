import { onTestFinished } from 'vitest';
import type { Galley } from '../../../../src/galley/galley.ts';
import { RemoteSource } from '../../../../src/galley/sources/remote/remote-source.ts';
import type { Source } from '../../../../src/galley/sources/source.ts';
import { systemClock } from '../../../../src/kit/system-clock.ts';
import { Pilot } from '../../../../src/pilot/pilot.ts';
import { offlineProxy } from '../../../../src/pilot/proxy/offline.ts';
import { RpcClient, type RpcClientOptions } from '../../../../src/rpc/rpc-client.ts';
import { makePinoLogger } from '../../../../src/telemetry/pino-logger.ts';
import { PromMetrics } from '../../../../src/telemetry/prom-metrics.ts';
import { Verdicts } from '../../../../src/xds/verdicts.ts';
import { makeGalley } from './publisher.ts';

const PATIENCE_MS = 15_000;

export type ConsumerOptions = {
  readonly kind: 'xds' | 'mcp';
  readonly port: number;
  /** What it has of its own. */
  readonly sources?: readonly Source[];
  readonly rpc?: Partial<RpcClientOptions>;
};

/** A process that is fed by another: a Galley that receives, and a Pilot behind it. */
export class Consumer {
  readonly log: string[] = [];
  readonly metrics = new PromMetrics();
  readonly galley: Galley;
  readonly pilot: Pilot;
  readonly #stop = new AbortController();
  #running: Promise<unknown> = Promise.resolve();

  constructor({ kind, port, sources = [], rpc = {} }: ConsumerOptions) {
    const log = makePinoLogger('info', (line) => this.log.push(line));
    const clock = systemClock;
    const remote = new RemoteSource({
      address: { kind, host: '127.0.0.1', port },
      connect: (address) => new RpcClient(`${address.host}:${address.port}`, rpc),
      isWholeMesh: kind === 'xds' && sources.length === 0,
      rootNamespace: 'istio-system',
      clock,
      random: () => 0,
      log,
      metrics: this.metrics,
    });
    this.galley = makeGalley([...sources, remote], log);
    this.pilot = new Pilot({
      feed: this.galley,
      verdicts: new Verdicts(),
      domain: 'cluster.local',
      debounce: { quietMs: 0, maxMs: 0 },
      clock,
      log,
      metrics: this.metrics,
    });
  }

  async start(): Promise<this> {
    const { signal } = this.#stop;
    this.#running = Promise.all([this.galley, this.pilot].map((part) => part.run(signal)));
    onTestFinished(() => this.stop());
    return Promise.resolve(this);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  /** The names of the objects of a kind that are in force. */
  names(kind: 'VirtualService' | 'DestinationRule' | 'Service'): readonly string[] {
    return (this.galley.snapshot()?.objects[kind] ?? []).map(({ meta }) => `${meta.namespace}/${meta.name}`).sort();
  }

  async until(what: string, isTrue: () => boolean): Promise<void> {
    await until(what, isTrue, () => this.log.join(''));
  }
}

export async function until(what: string, isTrue: () => boolean, tell: () => string = () => ''): Promise<void> {
  const deadline = performance.now() + PATIENCE_MS;
  while (!isTrue()) {
    if (performance.now() > deadline) throw new Error(`never ${what}\n${tell()}`);
    await new Promise((resolve) => setTimeout(resolve, 2));
  }
}

/** What a proxy gets of a Pilot: the version of every resource, which is a hash of its bytes, by type and name. */
export function proxyGets(pilot: Pilot, proxyId: string): Readonly<Record<string, string>> {
  const mesh = pilot.mesh();
  if (mesh === undefined) return {};
  const proxy = offlineProxy(proxyId, mesh, {});
  if (!proxy.ok) throw new Error(proxy.error);
  const sets = [...pilot.snapshotFor(proxy.value).values()];
  return Object.fromEntries(
    sets.flatMap(({ typeUrl, resources }) =>
      [...resources.values()].map(({ name, version }) => [`${typeUrl} ${name}`, version] as const),
    ),
  );
}
