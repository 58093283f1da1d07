import type { Clock } from '../kit/clock.ts';
import type { Result } from '../kit/result.ts';
import type { Logger } from '../telemetry/logger.ts';
import { deliveryOf, type StreamDelivery } from './delivery.ts';
import type { Interrupted } from './interrupted.ts';
import type { Lanes, Pusher, Sending } from './lanes.ts';
import type { XdsMeter } from './meter.ts';
import type { NamePool } from './name-pool.ts';
import { type NodeInfo, readNode, readNodeId } from './node.ts';
import type { ByteStream, SnapshotHandle, SnapshotSource, VerdictListener } from './ports.ts';
import { decodeDeltaRequest, decodeSotwRequest } from './request.ts';
import type { Outgoing } from './sender.ts';
import type { ServedSets } from './served-set.ts';
import { AdsSession, type SessionEvents, type XdsRequest } from './session.ts';
import type { XdsSettings } from './settings.ts';
import { type Status, StatusCode } from './status.ts';
import { describeType, type StreamStatus } from './stream-status.ts';
import type { Verdicts } from './verdicts.ts';
import { WireError, type WireReader } from './wire.ts';

/** What all streams of one server share. */
export type StreamDeps = {
  readonly source: SnapshotSource;
  readonly verdicts: Verdicts;
  readonly listener: VerdictListener;
  readonly clock: Clock;
  readonly log: Logger;
  readonly meter: XdsMeter;
  readonly lanes: Lanes;
  readonly names: NamePool;
  readonly served: ServedSets;
  readonly interrupted: Interrupted;
  readonly settings: XdsSettings;
  /** Called after a client's word may have changed what others get. */
  readonly acquitted: () => void;
};

export type Protocol = 'delta' | 'sotw';

/** Requests of one stream that are served before everybody else has a turn. */
const REQUESTS_IN_A_ROW = 16;
const REQUEST_TURN_MS = 2;

/** One client's stream from its first request to its end: reads, asks the session what to send, writes one message at a time. */
export class AdsStream implements Pusher {
  readonly #stream: ByteStream;
  readonly #protocol: Protocol;
  readonly #deps: StreamDeps;
  readonly #noncePrefix: string;
  readonly #connectedAt: number;
  #proxy = '';
  #session: AdsSession | undefined;
  #handle: SnapshotHandle | undefined;
  #unread = 0;
  #writingSince = 0;
  /** When the oldest change that is not at the client yet was made known. */
  #changedAt: number | undefined;
  #changeState: 'queued' | 'sending' | 'sent' = 'queued';

  constructor(stream: ByteStream, protocol: Protocol, deps: StreamDeps & { readonly noncePrefix: string }) {
    this.#stream = stream;
    this.#protocol = protocol;
    this.#deps = deps;
    this.#noncePrefix = deps.noncePrefix;
    this.#connectedAt = deps.clock.now();
  }

  /** The node's id; empty before the first request. */
  get proxy(): string {
    return this.#proxy;
  }

  get session(): AdsSession | undefined {
    return this.#session;
  }

  /** Bytes of the message that the client has not taken yet, and since when. */
  get unread(): { readonly bytes: number; readonly since: number } {
    return { bytes: this.#unread, since: this.#writingSince };
  }

  /** Resolves when the stream is over. */
  async run(): Promise<void> {
    try {
      await this.#readAll();
    } catch (error) {
      this.#fail(error);
    } finally {
      const { lanes, interrupted, log } = this.#deps;
      lanes.delete(this);
      if (this.#session !== undefined) {
        interrupted.remember(this.#proxy, this.#session.unfinishedEndpoints());
        log.info({ proxy: this.#proxy, peer: this.#stream.peer }, 'proxy disconnected');
      }
      this.#handle?.close();
    }
  }

  wake(): void {
    this.#deps.lanes.add(this, 'change');
  }

  close(status: Status): void {
    this.#deps.log.info(
      { proxy: this.#proxy, peer: this.#stream.peer, code: status.code, reason: status.message },
      'stream closed',
    );
    this.#stream.close(status);
  }

  push(): Sending | undefined {
    if (this.#unread > 0 || this.#session === undefined || this.#stream.closed.aborted) return undefined;
    try {
      const now = this.#deps.clock.monotonic();
      const outgoing = this.#session.next(now);
      if (outgoing !== undefined) return this.#send(outgoing, now);
      this.#noteNothingToSend(this.#session, now);
    } catch (error) {
      this.#fail(error);
    }
    return undefined;
  }

  describe(): StreamStatus {
    return {
      proxy: this.#proxy,
      peer: this.#stream.peer,
      protocol: this.#protocol,
      connectedAt: this.#connectedAt,
      isWriting: this.#unread > 0,
      types: (this.#session?.types ?? []).map(describeType),
    };
  }

  /** Nothing before the first request. */
  get delivery(): StreamDelivery | undefined {
    if (this.#session === undefined || this.#handle === undefined) return undefined;
    return { proxy: this.#proxy, handle: this.#handle, types: this.#session.types.map(deliveryOf) };
  }

  async #readAll(): Promise<void> {
    const { clock, lanes, source } = this.#deps;
    const refusal = await source.greet?.(this.#stream);
    if (refusal !== undefined) {
      this.close(refusal);
      return;
    }
    let turnBegan = clock.monotonic();
    let inARow = 0;
    for await (const bytes of this.#stream.requests) {
      const status = await this.#onMessage(bytes);
      if (status !== undefined) {
        this.close(status);
        return;
      }
      lanes.add(this, 'answer');
      inARow += 1;
      if (inARow < REQUESTS_IN_A_ROW && clock.monotonic() - turnBegan < REQUEST_TURN_MS) continue;
      await clock.yield();
      turnBegan = clock.monotonic();
      inARow = 0;
    }
  }

  async #onMessage(bytes: Buffer): Promise<Status | undefined> {
    const { meter, settings, verdicts, acquitted } = this.#deps;
    meter.received(bytes.length);
    const decoded = this.#decode(bytes, settings);
    if (!decoded.ok) return decoded.error;
    const refusal = await this.#identify(decoded.value.request.node);
    if (refusal !== undefined) return refusal;
    const acquittals = verdicts.acquittals;
    const status = this.#session?.onRequest(decoded.value);
    if (verdicts.acquittals !== acquittals) acquitted();
    return status;
  }

  #decode(bytes: Buffer, { limits }: XdsSettings): Result<XdsRequest, Status> {
    if (this.#protocol === 'delta') {
      const decoded = decodeDeltaRequest(bytes, limits);
      return decoded.ok ? { ok: true, value: { kind: 'delta', request: decoded.value } } : decoded;
    }
    const decoded = decodeSotwRequest(bytes, limits);
    return decoded.ok ? { ok: true, value: { kind: 'sotw', request: decoded.value } } : decoded;
  }

  /** The node comes with the first request, and may come with every one. */
  async #identify(node: WireReader | undefined): Promise<Status | undefined> {
    try {
      if (this.#session === undefined) return await this.#open(node === undefined ? undefined : readNode(node));
      const id = node === undefined ? '' : readNodeId(node);
      if (id === '' || id === this.#proxy) return undefined;
    } catch (error) {
      if (!(error instanceof WireError)) throw error;
      return { code: StatusCode.INVALID_ARGUMENT, message: `not a node: ${error.message}` };
    }
    return {
      code: StatusCode.INVALID_ARGUMENT,
      message: 'a stream belongs to one node, and this request names another',
    };
  }

  async #open(node: NodeInfo | undefined): Promise<Status | undefined> {
    if (node === undefined || node.id === '') {
      return { code: StatusCode.INVALID_ARGUMENT, message: 'the first request of a stream needs a node with an id' };
    }
    const { source, lanes, clock, interrupted, log } = this.#deps;
    this.#proxy = node.id;
    const changed = (): void => {
      this.#changedAt ??= clock.monotonic();
      if (this.#changeState === 'sent') this.#changeState = 'sending';
      lanes.add(this, 'change');
    };
    const { peer, credentials } = this.#stream;
    const opened = await source.open(node, { peer, credentials, protocol: this.#protocol, changed });
    if (opened.kind === 'refused') return opened.status;
    this.#handle = opened.handle;
    const { names, served, verdicts, settings } = this.#deps;
    const shared = { names, served, verdicts, settings, noncePrefix: this.#noncePrefix };
    const own = {
      proxy: node.id,
      protocol: this.#protocol,
      handle: opened.handle,
      events: this.#events(),
      unfinished: interrupted.take(node.id),
    };
    this.#session = new AdsSession({ ...shared, ...own });
    log.info({ proxy: node.id, peer, protocol: this.#protocol }, 'proxy connected');
    return undefined;
  }

  #send({ type, message, resources, removed }: Outgoing, now: number): Sending {
    const { meter, log } = this.#deps;
    if (this.#changedAt !== undefined && this.#changeState === 'queued') {
      meter.queueSeconds.observe((now - this.#changedAt) / 1000);
      this.#changeState = 'sending';
    }
    this.#unread = message.byteLength;
    this.#writingSince = now;
    meter.pushed(type.typeUrl, message.byteLength);
    log.debug(
      {
        proxy: this.#proxy,
        type: type.typeUrl,
        nonce: type.nonce,
        resources: resources.length,
        removed: removed.length,
      },
      'pushed',
    );
    return { bytes: message.byteLength, taken: this.#awaitTaken(this.#stream.send(message), now) };
  }

  async #awaitTaken(sent: Promise<boolean>, now: number): Promise<void> {
    const { clock, meter, lanes } = this.#deps;
    const isTaken = await sent;
    this.#unread = 0;
    if (!isTaken) return;
    meter.sendSeconds.observe((clock.monotonic() - now) / 1000);
    lanes.add(this, 'change');
  }

  #noteNothingToSend(session: AdsSession, now: number): void {
    if (this.#changedAt === undefined) return;
    const seconds = (now - this.#changedAt) / 1000;
    if (this.#changeState === 'sending') {
      this.#deps.meter.convergenceSeconds.observe(seconds);
      this.#changeState = 'sent';
    }
    if (session.isWaiting) return;
    if (this.#changeState === 'sent') this.#deps.meter.ackSeconds.observe(seconds);
    this.#changedAt = undefined;
    this.#changeState = 'queued';
  }

  #events(): SessionEvents {
    const { meter, log, listener } = this.#deps;
    const proxy = this.#proxy;
    return {
      acked: ({ typeUrl }, resources) => listener.onAck({ proxy, typeUrl, resources }),
      nacked: ({ typeUrl, nonce }, error) => {
        meter.rejected(typeUrl);
        log.warn({ proxy, type: typeUrl, nonce, error }, 'response rejected');
      },
      convicted: (resource, error, scope) => {
        const { typeUrl, origins } = resource;
        listener.onNack({ proxy, typeUrl, resource, error, origins, scope });
      },
      stale: ({ typeUrl }) => meter.expiredNonce(typeUrl),
      overdue: ({ typeUrl, nonce }) => {
        meter.overdue(typeUrl);
        log.warn({ proxy, type: typeUrl, nonce }, 'went on without an answer');
      },
    };
  }

  #fail(error: unknown): void {
    const { meter, log } = this.#deps;
    meter.internalErrors.add();
    log.error({ proxy: this.#proxy, error }, 'stream failed');
    this.#stream.close({ code: StatusCode.INTERNAL, message: 'the server failed to serve this stream' });
  }
}
