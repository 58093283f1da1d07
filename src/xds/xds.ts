/**
 * The xDS server: aggregated discovery, delta and state-of-the-world, for any source of snapshots. Owns streams, subscriptions,
 * the order on the wire and what proxies said; promises that each proxy gets exactly what its snapshot has, no reference before
 * what it names, and nothing twice. Must never know where resources come from.
 */
import type { Clock } from '../kit/clock.ts';
import type { Runnable } from '../kit/run-group.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { AdsStream, type Protocol, type StreamDeps } from './ads-stream.ts';
import type { StreamDelivery } from './delivery.ts';
import { Interrupted } from './interrupted.ts';
import { Lanes } from './lanes.ts';
import { XdsMeter } from './meter.ts';
import { NamePool } from './name-pool.ts';
import type { ByteStream, SnapshotSource, VerdictListener } from './ports.ts';
import { SecondOpinions } from './second-opinions.ts';
import { SecretRetries } from './secret-retries.ts';
import { ServedSets } from './served-set.ts';
import { defaultSettings, type XdsSettings } from './settings.ts';
import { StatusCode } from './status.ts';
import type { StreamStatus } from './stream-status.ts';
import type { Verdicts } from './verdicts.ts';

export type XdsDeps = {
  readonly source: SnapshotSource;
  /** Shared with who builds the resource sets. */
  readonly verdicts: Verdicts;
  readonly listener: VerdictListener;
  /** Streams that come before this answers true are sent away, to come again. */
  readonly isReady: () => boolean;
  readonly clock: Clock;
  readonly log: Logger;
  readonly metrics: Metrics;
  readonly settings?: Partial<XdsSettings>;
};

const SERVICE = '/envoy.service.discovery.v3.AggregatedDiscoveryService';

/** The methods of the service and the variant that each speaks. */
export const adsMethods: readonly { readonly path: string; readonly protocol: Protocol }[] = [
  { path: `${SERVICE}/DeltaAggregatedResources`, protocol: 'delta' },
  { path: `${SERVICE}/StreamAggregatedResources`, protocol: 'sotw' },
];

/** A stream that has not been read for less than this is not called slow. */
const SLOW_MS = 1000;

/** Nobody waits longer for the next stream to be let go, however few there are. */
const DRAIN_PAUSE_MS = 10;

export class XdsServer implements Runnable {
  readonly name = 'xds';
  readonly #deps: StreamDeps;
  readonly #isReady: () => boolean;
  readonly #streams = new Set<AdsStream>();
  readonly #secondOpinions: SecondOpinions;
  readonly #secretRetries: SecretRetries;
  #isStopping = false;
  #count = 0;

  constructor({ settings, metrics, isReady, ...deps }: XdsDeps) {
    const all = { ...defaultSettings, ...settings };
    const { clock, verdicts } = deps;
    this.#isReady = isReady;
    this.#secondOpinions = new SecondOpinions(verdicts, all.secondOpinionMs);
    this.#secretRetries = new SecretRetries(all.secretRetryMs);
    this.#deps = {
      ...deps,
      settings: all,
      meter: new XdsMeter(metrics),
      lanes: new Lanes(clock, all),
      names: new NamePool(),
      served: new ServedSets(),
      interrupted: new Interrupted(),
      acquitted: () => this.#wakeAll(),
    };
  }

  /** Serves one stream until it is over. Never rejects. */
  async serve(protocol: Protocol, stream: ByteStream): Promise<void> {
    if (this.#isStopping || !this.#isReady()) {
      const message = this.#isStopping ? 'the server is stopping' : 'the server is not ready yet';
      stream.close({ code: StatusCode.UNAVAILABLE, message });
      return;
    }
    const { clock, meter } = this.#deps;
    this.#count += 1;
    const noncePrefix = `${clock.now().toString(36)}.${this.#count.toString(36)}.`;
    const served = new AdsStream(stream, protocol, { ...this.#deps, noncePrefix });
    this.#streams.add(served);
    meter.connected.set(this.#streams.size);
    await served.run();
    this.#streams.delete(served);
    meter.connected.set(this.#streams.size);
  }

  /** Every stream, for people. */
  streams(): readonly StreamStatus[] {
    return [...this.#streams].map((stream) => stream.describe());
  }

  /** How far every stream is, oldest first. A proxy that comes again has two for a while. */
  *deliveries(): Iterable<StreamDelivery> {
    for (const { delivery } of this.#streams) if (delivery !== undefined) yield delivery;
  }

  /** Changes whenever a stream comes or goes. */
  get comings(): number {
    return 2 * this.#count - this.#streams.size;
  }

  /** Watches over the streams until the signal aborts, then lets them go one after the other. */
  async run(signal: AbortSignal): Promise<void> {
    const { clock, settings } = this.#deps;
    while (!signal.aborted) {
      await clock.sleep(settings.tickMs, signal);
      if (!signal.aborted) this.#tick(clock.monotonic());
    }
    this.#isStopping = true;
    await this.#drain();
  }

  #tick(now: number): void {
    const { settings, meter } = this.#deps;
    let unread = 0;
    const slow: AdsStream[] = [];
    for (const stream of this.#streams) {
      const { bytes, since } = stream.unread;
      unread += bytes;
      if (bytes > 0 && now - since >= SLOW_MS) slow.push(stream);
      if (stream.session?.isWaiting === true) stream.wake();
    }
    slow.sort((a, b) => a.unread.since - b.unread.since);
    for (const stream of slow) {
      const { bytes, since } = stream.unread;
      if (now - since < settings.writeTimeoutMs && unread <= settings.unreadBytes) break;
      unread -= bytes;
      meter.writeTimeouts.add();
      stream.close({ code: StatusCode.RESOURCE_EXHAUSTED, message: 'the client does not read what it is sent' });
    }
    this.#secondOpinions.ask(this.#streams, now);
    this.#secretRetries.offer(this.#streams, now);
  }

  #wakeAll(): void {
    for (const stream of this.#streams) stream.wake();
  }

  /** Not all at once: whoever is let go connects elsewhere at once. Who is in the middle of a change goes last. */
  async #drain(): Promise<void> {
    const { clock, settings } = this.#deps;
    const isBusy = (stream: AdsStream): number => Number(stream.session?.isWaiting === true);
    const streams = [...this.#streams].sort((a, b) => isBusy(a) - isBusy(b));
    const pauseMs = Math.min(DRAIN_PAUSE_MS, settings.drainMs / Math.max(1, streams.length));
    const forever = new AbortController().signal;
    for (const stream of streams) {
      stream.close({ code: StatusCode.UNAVAILABLE, message: 'the server is stopping' });
      await clock.sleep(pauseMs, forever);
    }
  }
}
