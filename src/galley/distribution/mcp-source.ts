/**
 * Galley as a source of the Mesh Configuration Protocol: what was admitted, in its last good version, for controllers in
 * other processes. Promises that nothing is sent before the first snapshot, that each object is encoded once for all sinks, and
 * that a slow sink costs one message. Must never know what a sink makes of it.
 */
import { decodeMessage } from '../../gen/codec.ts';
import type { McpRequestResources } from '../../gen/types.ts';
import { ChangeSignal } from '../../kit/change-signal.ts';
import type { Clock } from '../../kit/clock.ts';
import type { Runnable } from '../../kit/run-group.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { Metrics } from '../../telemetry/metrics.ts';
import type { ByteStream } from '../../xds/ports.ts';
import { type Status, StatusCode } from '../../xds/status.ts';
import type { Catalog } from './catalog.ts';
import { McpMeter } from './mcp-meter.ts';
import { McpSession } from './mcp-session.ts';
import { type Rate, RateLimit } from './rate-limit.ts';

export const MCP_SOURCE_METHOD = '/istio.mcp.v1alpha1.ResourceSource/EstablishResourceStream';

export type McpSourceSettings = {
  /** Of requests, per stream. */
  readonly requests: Rate;
  /** Of new streams. */
  readonly streams: Rate;
};

export const defaultMcpSettings: McpSourceSettings = {
  requests: { burst: 100, perSecond: 1 },
  streams: { burst: 100, perSecond: 1 },
};

export type McpSourceDeps = {
  readonly catalog: Catalog;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly settings?: Partial<McpSourceSettings>;
};

export class McpSource implements Runnable {
  readonly name = 'mcp';
  readonly #deps: McpSourceDeps;
  readonly #settings: McpSourceSettings;
  readonly #meter: McpMeter;
  readonly #streams = new Set<SinkStream>();
  readonly #newStreams: RateLimit;
  #isStopping = false;

  constructor(deps: McpSourceDeps) {
    this.#deps = deps;
    this.#settings = { ...defaultMcpSettings, ...deps.settings };
    this.#meter = new McpMeter(deps.metrics, 'galley');
    this.#newStreams = new RateLimit(this.#settings.streams, deps.clock);
  }

  /** How many sinks are connected. */
  get sinks(): number {
    return this.#streams.size;
  }

  /** Serves one sink until its stream is over. */
  async serve(stream: ByteStream): Promise<void> {
    const { catalog, clock, log } = this.#deps;
    await Promise.all([catalog.load('istio'), this.#newStreams.take(stream.closed)]);
    if (this.#isStopping) {
      stream.close(STOPPING);
      return;
    }
    const requests = new RateLimit(this.#settings.requests, clock);
    const sink = new SinkStream(stream, { catalog, log, meter: this.#meter, requests });
    this.#streams.add(sink);
    this.#meter.clients(this.#streams.size);
    log.info({ peer: stream.peer, sinks: this.#streams.size }, 'sink connected');
    try {
      await sink.run();
    } finally {
      this.#streams.delete(sink);
      this.#meter.clients(this.#streams.size);
      log.info({ peer: stream.peer, sinks: this.#streams.size }, 'sink gone');
    }
  }

  /** Tells the sinks of new snapshots until the signal aborts, and then lets them go. */
  async run(signal: AbortSignal): Promise<void> {
    const changes = new ChangeSignal();
    const stop = this.#deps.catalog.onChange(() => changes.raise());
    while (await changes.next(signal)) for (const stream of this.#streams) stream.wake();
    stop();
    this.#isStopping = true;
    for (const stream of this.#streams) stream.close(STOPPING);
  }
}

const STOPPING: Status = { code: StatusCode.UNAVAILABLE, message: 'the server is stopping' };

type SinkDeps = {
  readonly catalog: Catalog;
  readonly log: Logger;
  readonly meter: McpMeter;
  readonly requests: RateLimit;
};

class SinkStream {
  readonly #stream: ByteStream;
  readonly #deps: SinkDeps;
  readonly #session: McpSession;
  readonly #changes = new ChangeSignal();
  #node = '';

  constructor(stream: ByteStream, deps: SinkDeps) {
    this.#stream = stream;
    this.#deps = deps;
    const { log, meter } = deps;
    this.#session = new McpSession(deps.catalog, {
      acked: (collection) => meter.acked(collection),
      nacked: (collection, error) => {
        meter.nacked(collection, error.code);
        log.warn({ ...this.#who(), collection, code: error.code, error: error.message }, 'sink refused configuration');
      },
      stale: (collection, nonce) => log.debug({ ...this.#who(), collection, nonce }, 'stale request ignored'),
    });
  }

  wake(): void {
    this.#changes.raise();
  }

  close(status: Status): void {
    this.#stream.close(status);
  }

  async run(): Promise<void> {
    const over = new AbortController();
    const signal = AbortSignal.any([over.signal, this.#stream.closed]);
    const reading = this.#read(signal).finally(() => over.abort());
    await Promise.all([reading, this.#write(signal)]);
  }

  async #read(signal: AbortSignal): Promise<void> {
    for await (const bytes of this.#stream.requests) {
      await this.#deps.requests.take(signal);
      const request = decode(bytes);
      if (request === undefined) return this.close(UNREADABLE);
      this.#node = request.sinkNode?.id ?? this.#node;
      const status = this.#session.receive(request);
      if (status !== undefined) return this.close(status);
      this.wake();
    }
  }

  async #write(signal: AbortSignal): Promise<void> {
    const { catalog, meter } = this.#deps;
    while (await this.#changes.next(signal)) {
      for (;;) {
        const snapshot = catalog.snapshot();
        const outgoing = snapshot === undefined ? undefined : this.#session.next(snapshot);
        if (outgoing === undefined) break;
        meter.message(outgoing.collection, outgoing.message.byteLength);
        if (await this.#stream.send(outgoing.message)) continue;
        meter.sendFailed();
        return;
      }
    }
  }

  #who(): { readonly sink: string; readonly peer: string } {
    return { sink: this.#node, peer: this.#stream.peer };
  }
}

const UNREADABLE: Status = {
  code: StatusCode.INVALID_ARGUMENT,
  message: 'not an istio.mcp.v1alpha1.RequestResources',
};

function decode(bytes: Buffer): McpRequestResources | undefined {
  try {
    return decodeMessage('istio.mcp.v1alpha1.RequestResources', bytes);
  } catch {
    return undefined;
  }
}
