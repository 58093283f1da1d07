import { type ChannelCredentials, Client, type ClientDuplexStream, credentials, Metadata } from '@grpc/grpc-js';
import { MessageQueue } from './message-queue.ts';
import type { RpcStatus } from './status.ts';

/** One call from the caller's side. */
export interface ClientStream {
  readonly messages: AsyncIterable<Buffer>;
  /** How the call ended. */
  readonly status: Promise<RpcStatus>;
  /** Resolves once the message is handed on; false when the call has ended. */
  send(message: Buffer): Promise<boolean>;
  /** Nothing more to say; the server may go on. */
  end(): void;
  cancel(): void;
  /** Reads nothing from now on, or again. For tests of what a server does then. */
  pause(): void;
  resume(): void;
}

export type RpcClientOptions = {
  /** Bytes that the server may send before they are read; the larger, the fewer round trips. */
  readonly windowBytes: number;
  readonly maxMessageBytes: number;
  /** A server that is silent for so long is asked whether it is there; without an answer the connection is given up. */
  readonly keepaliveMs: number;
  readonly keepaliveTimeoutMs: number;
  /** Without it, the connection is plaintext. */
  readonly tls: ClientTls | undefined;
};

/** By whom a client of TLS takes the server's word, and what it shows itself; all PEM. */
export type ClientTls = {
  readonly roots: string;
  /** The name that the server must prove, where it is not that of the address. */
  readonly serverName?: string;
  readonly pair?: { readonly certificate: string; readonly key: string };
};

const defaultOptions: RpcClientOptions = {
  windowBytes: 16 * 1024 * 1024,
  maxMessageBytes: 64 * 1024 * 1024,
  keepaliveMs: 30_000,
  keepaliveTimeoutMs: 10_000,
  tls: undefined,
};

const raw = (message: Buffer): Buffer => message;

/** Calls of any service whose messages are bytes, over one connection. */
export class RpcClient {
  readonly #client: Client;

  constructor(address: string, options: Partial<RpcClientOptions> = {}) {
    const { windowBytes, maxMessageBytes, keepaliveMs, keepaliveTimeoutMs, tls } = { ...defaultOptions, ...options };
    this.#client = new Client(address, channelCredentials(tls), {
      ...(tls?.serverName === undefined ? {} : { 'grpc.ssl_target_name_override': tls.serverName }),
      'grpc-node.flow_control_window': windowBytes,
      'grpc.max_receive_message_length': maxMessageBytes,
      'grpc.keepalive_time_ms': keepaliveMs,
      'grpc.keepalive_timeout_ms': keepaliveTimeoutMs,
      // Two clients of one address would share a connection, and with it flow control and fate.
      'grpc.use_local_subchannel_pool': 1,
    });
  }

  open(path: string, headers: Readonly<Record<string, string>> = {}): ClientStream {
    const metadata = new Metadata();
    for (const [name, value] of Object.entries(headers)) metadata.set(name, value);
    return new GrpcClientStream(this.#client.makeBidiStreamRequest(path, raw, raw, metadata));
  }

  /** One message there and one back. */
  async call(path: string, message: Buffer, headers: Readonly<Record<string, string>> = {}): Promise<CallResult> {
    const stream = this.open(path, headers);
    await stream.send(message);
    stream.end();
    let answer: Buffer | undefined;
    for await (const received of stream.messages) answer ??= received;
    return { status: await stream.status, answer };
  }

  close(): void {
    this.#client.close();
  }
}

/** How a call of one message ended; there is an answer when the status is OK. */
export type CallResult = { readonly status: RpcStatus; readonly answer: Buffer | undefined };

function channelCredentials(tls: ClientTls | undefined): ChannelCredentials {
  if (tls === undefined) return credentials.createInsecure();
  const { roots, pair } = tls;
  if (pair === undefined) return credentials.createSsl(Buffer.from(roots));
  return credentials.createSsl(Buffer.from(roots), Buffer.from(pair.key), Buffer.from(pair.certificate));
}

class GrpcClientStream implements ClientStream {
  readonly messages: MessageQueue;
  readonly status: Promise<RpcStatus>;
  readonly #call: ClientDuplexStream<Buffer, Buffer>;
  readonly #closed = new AbortController();

  constructor(call: ClientDuplexStream<Buffer, Buffer>) {
    this.#call = call;
    this.messages = new MessageQueue(call);
    // The status comes behind the messages, whether anybody wants these or not.
    this.messages.begin();
    this.status = new Promise((resolve) => {
      call.on('status', ({ code, details, metadata }) => {
        this.#closed.abort();
        const [pushback] = metadata.get('grpc-retry-pushback-ms');
        resolve({ code, message: details, ...(pushback === undefined ? {} : { retryAfterMs: Number(pushback) }) });
      });
    });
    // Errors come as a status too.
    call.on('error', () => undefined);
  }

  send(message: Buffer): Promise<boolean> {
    const { signal } = this.#closed;
    if (signal.aborted) return Promise.resolve(false);
    return new Promise((resolve) => {
      const onClosed = (): void => resolve(false);
      signal.addEventListener('abort', onClosed, { once: true });
      this.#call.write(message, (error?: Error | null) => {
        signal.removeEventListener('abort', onClosed);
        resolve(error === undefined || error === null);
      });
    });
  }

  end(): void {
    this.#call.end();
  }

  cancel(): void {
    this.#call.cancel();
  }

  pause(): void {
    this.#call.pause();
  }

  resume(): void {
    this.#call.resume();
  }
}
