import type { X509Certificate } from 'node:crypto';
import { Metadata, type ServerDuplexStream } from '@grpc/grpc-js';
import type { Clock } from '../kit/clock.ts';
import { MessageQueue } from './message-queue.ts';
import type { RpcStatus } from './status.ts';

/** What can be sent: a `Buffer`, or whatever can be copied into one, so that a large message need not be put together twice. */
export type OutboundMessage = { readonly byteLength: number; copy(target: Buffer, at: number): void };

/** One call with messages in both directions. */
export interface ServerStream {
  readonly peer: string;
  /** The caller's certificate and whatever else the transport vouches for. */
  readonly credentials: PeerCredentials;
  /** Aborts when the call is over, whoever ended it. */
  readonly closed: AbortSignal;
  readonly requests: AsyncIterable<Buffer>;
  /** Resolves to true once the message is handed to the socket, to false when the call ended before. One at a time. */
  send(message: OutboundMessage): Promise<boolean>;
  /** Ends the call. A caller that does not even read the status loses its connection. */
  close(status: RpcStatus): void;
}

export type PeerCredentials = {
  readonly transport: 'plaintext' | 'tls';
  /** The caller's certificate in DER, issued by the roots that the server trusts. */
  readonly certificate: Buffer | undefined;
  /** Values of the `authorization` header. */
  readonly authorization: readonly string[];
};

/** For how long a caller may take to read a status. */
const CLOSE_PATIENCE_MS = 5000;

type Deps = {
  readonly clock: Clock;
  /** Cuts the caller's connection. */
  readonly cut: (peer: string) => void;
  readonly transport: PeerCredentials['transport'];
  readonly certificate: X509Certificate | undefined;
};

export class GrpcServerStream implements ServerStream {
  readonly peer: string;
  readonly credentials: PeerCredentials;
  readonly requests: MessageQueue;
  readonly #call: ServerDuplexStream<Buffer, OutboundMessage>;
  readonly #closed = new AbortController();
  readonly #deps: Deps;
  #isClosing = false;

  constructor(call: ServerDuplexStream<Buffer, OutboundMessage>, deps: Deps) {
    this.#call = call;
    this.#deps = deps;
    this.peer = call.getPeer();
    this.credentials = credentialsOf(call, deps);
    this.requests = new MessageQueue(call);
    for (const event of ['close', 'cancelled']) call.on(event, () => this.#closed.abort());
  }

  get closed(): AbortSignal {
    return this.#closed.signal;
  }

  send(message: OutboundMessage): Promise<boolean> {
    const { signal } = this.#closed;
    if (signal.aborted || this.#isClosing) return Promise.resolve(false);
    return new Promise((resolve) => {
      // The write's callback never comes when the caller resets the call meanwhile.
      const onClosed = (): void => resolve(false);
      signal.addEventListener('abort', onClosed, { once: true });
      this.#call.write(message, (error?: Error | null) => {
        signal.removeEventListener('abort', onClosed);
        resolve(error === undefined || error === null);
      });
    });
  }

  close({ code, message, retryAfterMs }: RpcStatus): void {
    if (this.#isClosing || this.#closed.signal.aborted) return;
    this.#isClosing = true;
    this.requests.finish();
    if (code === 0) this.#call.end();
    else {
      const metadata = new Metadata();
      // What gRPC's own retries go by.
      if (retryAfterMs !== undefined) metadata.set('grpc-retry-pushback-ms', String(Math.ceil(retryAfterMs)));
      this.#call.emit('error', Object.assign(new Error(message), { code, details: message, metadata }));
    }
    void this.#cutIfStuck();
  }

  async #cutIfStuck(): Promise<void> {
    await this.#deps.clock.sleep(CLOSE_PATIENCE_MS, this.#closed.signal);
    if (!this.#closed.signal.aborted) this.#deps.cut(this.peer);
  }
}

function credentialsOf(
  { metadata }: ServerDuplexStream<Buffer, OutboundMessage>,
  { transport, certificate }: Deps,
): PeerCredentials {
  return { transport, certificate: certificate?.raw, authorization: metadata.get('authorization').map(String) };
}
