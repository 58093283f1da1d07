import type { ConfigSourceAddress } from '../../../apis/mesh/config-source.ts';
import type { IstioCodec } from '../../../gen/istio.ts';
import type { Clock } from '../../../kit/clock.ts';
import { err, ok, type Result } from '../../../kit/result.ts';
import { backoffMs } from '../../../kube/backoff.ts';
import type { Diagnostic } from '../../../model/diagnostic.ts';
import type { ClientStream } from '../../../rpc/rpc-client.ts';
import type { RpcStatus } from '../../../rpc/status.ts';
import type { Logger } from '../../../telemetry/logger.ts';
import type { Metrics } from '../../../telemetry/metrics.ts';
import { loadSpecCodec } from '../../distribution/encode-resource.ts';
import { distributedKinds, meshConfigSettings, meshNetworksSettings } from '../../distribution/kinds.ts';
import { McpMeter } from '../../distribution/mcp-meter.ts';
import type { Source, SourceSink } from '../source.ts';
import type { Feed } from './feed.ts';
import { Holdings, type Wanted } from './holdings.ts';
import { incomingOf, incomingSettings } from './incoming.ts';
import { mcpFeed } from './mcp-feed.ts';
import { xdsFeed } from './xds-feed.ts';

/** A connection to a config source. Credentials are the business of whoever makes it. */
export interface Connection {
  open(path: string): Pick<ClientStream, 'messages' | 'send' | 'status' | 'cancel'>;
  close(): void;
}

export type RemoteAddress = Extract<ConfigSourceAddress, { readonly kind: 'xds' | 'mcp' }>;

export type RemoteSourceDeps = {
  readonly address: RemoteAddress;
  /** Throws where it lacks what it needs to connect: it is tried again, as if nobody had answered. */
  readonly connect: (address: RemoteAddress) => Connection;
  /** Whether it also brings Kubernetes' own kinds and the mesh configuration, for a process that has them from nowhere else. */
  readonly isWholeMesh: boolean;
  /** Where Galley looks for the mesh configuration. */
  readonly rootNamespace: string;
  readonly clock: Clock;
  /** From 0 to below 1. */
  readonly random: () => number;
  readonly log: Logger;
  readonly metrics: Metrics;
};

/** The first attempt after a loss is made at once; these are the ones after it. */
const BACKOFF = { firstMs: 1_000, maxMs: 30_000 };

/** A stream that was answered and lived so long is no failure, so that its loss is made good at once. */
const STABLE_MS = 10_000;

/** gRPC's code for a collection that the source does not have. */
const INVALID_ARGUMENT = 3;
const INTERNAL = 13;

type Ending = { readonly status: RpcStatus; readonly wasAnswered: boolean };

/** Collections that Istio 1.4 had. An older source ends the stream of whoever asks for another. */
const TODAYS =
  /^istio\/(?:telemetry|extensions|networking\/v1beta1|security\/v1beta1\/(?:peer|request)|networking\/v1alpha3\/workload)/;

/**
 * The verified configuration of another process, by MCP over xDS or by MCP. It is synced when every collection was answered
 * once; when the other process is lost, all that was received stays. Must never know who verified it.
 */
export class RemoteSource implements Source {
  readonly name: string;
  readonly #deps: RemoteSourceDeps;
  readonly #meter: McpMeter;
  #isClassic = false;
  #isLost = false;

  constructor(deps: RemoteSourceDeps) {
    const { kind, host, port } = deps.address;
    this.name = `${kind}://${host.includes(':') ? `[${host}]` : host}:${port}`;
    this.#deps = deps;
    this.#meter = new McpMeter(deps.metrics, 'pilot');
  }

  async run(sink: SourceSink, signal: AbortSignal): Promise<void> {
    const { clock, random } = this.#deps;
    const holdings = new Holdings({ wanted: this.#wanted(await loadSpecCodec()), sink, clock });
    let failures = 0;
    for (let isFirst = true; !signal.aborted; isFirst = false) {
      if (!isFirst) this.#meter.reconnected();
      const began = clock.monotonic();
      const { status, wasAnswered } = await this.#stream(holdings, signal);
      if (signal.aborted) return;
      this.#lost(holdings, status);
      failures = wasAnswered && clock.monotonic() - began >= STABLE_MS ? 1 : failures + 1;
      if (failures > 1) await clock.sleep(backoffMs(failures - 1, BACKOFF, random), signal);
    }
  }

  #wanted(codec: IstioCodec): readonly Wanted[] {
    const { address, isWholeMesh, rootNamespace } = this.#deps;
    const mine = distributedKinds.filter(({ collection }) => isWholeMesh || collection !== undefined);
    const wanted = mine.flatMap((kind) => {
      const name = address.kind === 'xds' ? kind.typeUrls[0] : kind.collection;
      return name === undefined ? [] : [{ name, kind: kind.kind, read: incomingOf(kind, codec) }];
    });
    if (address.kind !== 'xds' || !isWholeMesh) return wanted;
    const { mesh, networks } = incomingSettings(rootNamespace, codec);
    return [
      ...wanted,
      { name: meshConfigSettings.typeUrl, kind: meshConfigSettings.kind, read: mesh },
      { name: meshNetworksSettings.typeUrl, kind: meshNetworksSettings.kind, read: networks },
    ];
  }

  async #stream(holdings: Holdings, signal: AbortSignal): Promise<Ending> {
    const { address, connect, log } = this.#deps;
    const connection = attempt(() => connect(address));
    if (!connection.ok) return { status: { code: UNAVAILABLE, message: connection.error }, wasAnswered: false };
    const feed = this.#feed();
    const stream = connection.value.open(feed.path);
    const cancel = (): void => stream.cancel();
    signal.addEventListener('abort', cancel, { once: true });
    let wasAnswered = false;
    const answered = (): void => {
      if (wasAnswered) return;
      wasAnswered = true;
      this.#isLost = false;
      holdings.describe(undefined);
      log.info({ source: this.name }, 'config source answers');
    };
    try {
      await feed.run({
        stream: { messages: noting(stream.messages, answered), send: (message) => stream.send(message) },
        holdings,
        meter: this.#meter,
        refused: (collection, complaint) =>
          log.warn({ source: this.name, collection, error: complaint }, 'received configuration refused'),
      });
      return { status: await stream.status, wasAnswered };
    } catch (error) {
      log.error({ source: this.name, error }, 'config source sent what cannot be read');
      return { status: { code: INTERNAL, message: 'it sent what is no message of the protocol' }, wasAnswered };
    } finally {
      signal.removeEventListener('abort', cancel);
      stream.cancel();
      connection.value.close();
    }
  }

  #feed(): Feed {
    // Istio reads an address and a namespace from the id of whoever asks.
    if (this.#deps.address.kind === 'mcp') return mcpFeed('');
    const { rootNamespace } = this.#deps;
    return xdsFeed(`sidecar~127.0.0.1~xebec.${rootNamespace}~${rootNamespace}.svc.cluster.local`);
  }

  #lost(holdings: Holdings, { code, message }: RpcStatus): void {
    const { log, address } = this.#deps;
    this.#meter.recvFailed(code);
    if (code === INVALID_ARGUMENT && address.kind === 'mcp' && !this.#isClassic) {
      this.#isClassic = true;
      holdings.forgo((collection) => TODAYS.test(collection));
      log.warn({ source: this.name, error: message }, 'config source has only the collections of Istio 1.4');
      return;
    }
    holdings.describe(unreachable(this.name, message));
    if (!this.#isLost) log.warn({ source: this.name, code, error: message }, 'config source lost');
    this.#isLost = true;
  }
}

async function* noting<T>(messages: AsyncIterable<T>, noted: () => void): AsyncIterable<T> {
  for await (const message of messages) {
    noted();
    yield message;
  }
}

function unreachable(source: string, problem: string): Diagnostic {
  const message = `config source ${source} does not answer (${problem}): see that it runs and can be reached; what was received before stays in force`;
  return { code: 'XEB1021', level: 'warning', path: [], message, object: undefined, at: undefined };
}

/** gRPC's code for nobody who answers. */
const UNAVAILABLE = 14;

function attempt<T>(action: () => T): Result<T, string> {
  try {
    return ok(action());
  } catch (error) {
    return err(error instanceof Error ? error.message : String(error));
  }
}
