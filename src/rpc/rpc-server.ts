import type { X509Certificate } from 'node:crypto';
import { createServer, type Server as NetServer, type Socket } from 'node:net';
import {
  type ConnectionInjector,
  Server,
  ServerCredentials,
  type ServerDuplexStream,
  type ServiceDefinition,
} from '@grpc/grpc-js';
import type { Clock } from '../kit/clock.ts';
import { err, ok, type Result } from '../kit/result.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { Metrics } from '../telemetry/metrics.ts';
import { GrpcServerStream, type OutboundMessage, type ServerStream } from './server-stream.ts';
import { RpcStatusCode } from './status.ts';
import { defaultTlsLimits, peerOf, type ServerTls, TlsAcceptor, type TlsLimits } from './tls-acceptor.ts';

/** One method: its path (`/package.Service/Method`) and who serves its calls. Messages cross as bytes. */
export type RpcMethod = {
  readonly path: string;
  /** Resolves when the call has been served; the call is then closed if it is still open. */
  readonly serve: (stream: ServerStream) => Promise<void>;
};

export type RpcServerOptions = {
  readonly maxRequestBytes: number;
  readonly keepaliveMs: number;
  readonly keepaliveTimeoutMs: number;
  /** Connections are asked to come again after about so long, so that load spreads over new replicas; `undefined`: never. */
  readonly maxConnectionAgeMs: number | undefined;
  readonly maxConnectionAgeGraceMs: number;
  /** Connections on which nothing is called for so long are closed; `undefined`: never. */
  readonly maxConnectionIdleMs: number | undefined;
  readonly maxStreamsPerConnection: number;
};

export const defaultRpcServerOptions: RpcServerOptions = {
  maxRequestBytes: 4 * 1024 * 1024,
  keepaliveMs: 30_000,
  keepaliveTimeoutMs: 10_000,
  maxConnectionAgeMs: undefined,
  maxConnectionAgeGraceMs: 10_000,
  maxConnectionIdleMs: undefined,
  maxStreamsPerConnection: 100,
};

export type ListenAddress = { readonly host: string; readonly port: number };

export type ListenError = {
  readonly kind: 'port-in-use' | 'forbidden' | 'other';
  readonly address: ListenAddress;
  readonly message: string;
};

export type RpcServerDeps = {
  readonly methods: readonly RpcMethod[];
  readonly clock: Clock;
  readonly log: Logger;
  readonly options?: Partial<RpcServerOptions>;
  /** By default connections are plaintext. With TLS, nobody can connect before `useTls`. */
  readonly transport?: 'plaintext' | 'tls';
  readonly tlsLimits?: Partial<TlsLimits>;
  readonly metrics?: Metrics;
};

type Connection = {
  readonly socket: Socket;
  readonly certificate: X509Certificate | undefined;
};

/** A timer cannot be set further ahead than about 24 days. */
const LONGEST_SLEEP_MS = 86_400_000;

const raw = (message: Buffer): Buffer => message;
/** grpc-js takes a message's length and has it copied behind the frame's head; that is all it does with it (a test holds it to that). */
const outbound = (message: OutboundMessage): Buffer => message as Buffer;

/**
 * A gRPC server whose messages are bytes. It accepts connections itself and hands them to grpc-js, which has no way to cut the
 * connection of a caller that reads nothing.
 */
export class RpcServer {
  readonly #grpc: Server;
  readonly #injector: ConnectionInjector;
  readonly #net: NetServer;
  readonly #connections = new Map<string, Connection>();
  /** Those too whose handshake is under way. */
  readonly #sockets = new Map<string, Socket>();
  readonly #tls: TlsAcceptor | undefined;
  readonly #deps: RpcServerDeps;

  constructor(deps: RpcServerDeps) {
    this.#deps = deps;
    this.#grpc = new Server(channelOptions({ ...defaultRpcServerOptions, ...deps.options }));
    this.#grpc.addService(
      serviceOf(deps.methods),
      Object.fromEntries(deps.methods.map((method) => [method.path, this.#handlerOf(method)])),
    );
    this.#injector = this.#grpc.createConnectionInjector(ServerCredentials.createInsecure());
    this.#tls = deps.transport === 'tls' ? this.#makeAcceptor() : undefined;
    this.#net = createServer((socket) => this.#accept(socket));
  }

  /** Serving pair and roots for new connections; those that exist live on. What cannot be used changes nothing, and the error says why. */
  useTls(tls: ServerTls): Result<void, string> {
    return this.#tls === undefined ? err('this server speaks no TLS') : this.#tls.use(tls);
  }

  /** Begins to accept connections. Port 0 takes any free one; the result says which. */
  listen({ host, port }: ListenAddress): Promise<Result<ListenAddress, ListenError>> {
    return new Promise((resolve) => {
      const onError = (error: NodeJS.ErrnoException): void => resolve(err(listenError(error, { host, port })));
      this.#net.once('error', onError);
      this.#net.listen(port, host, () => {
        this.#net.removeListener('error', onError);
        const bound = this.#net.address();
        resolve(ok({ host, port: typeof bound === 'object' && bound !== null ? bound.port : port }));
      });
    });
  }

  /** Accepts no more, asks every caller to go, and cuts who is still there after `graceMs`. */
  async stop(graceMs: number): Promise<void> {
    const allGone = new AbortController();
    const closed = new Promise<void>((resolve) => this.#net.close(() => resolve()));
    const watched = closed.then(() => allGone.abort());
    this.#injector.drain(graceMs);
    await this.#deps.clock.sleep(graceMs, allGone.signal);
    for (const socket of this.#sockets.values()) socket.destroy();
    await watched;
    this.#grpc.forceShutdown();
  }

  #makeAcceptor(): TlsAcceptor {
    const { log, metrics, tlsLimits } = this.#deps;
    const limits = { ...defaultTlsLimits, ...tlsLimits };
    const accepted = (socket: Socket, certificate: X509Certificate | undefined): void =>
      this.#serve(socket, certificate);
    return new TlsAcceptor({ limits, log, metrics, accepted });
  }

  #accept(socket: Socket): void {
    const peer = peerOf(socket);
    // It came by another address of ours. By its peer's name a call finds its connection, and whose certificate it has.
    if (this.#sockets.has(peer)) {
      socket.destroy();
      return;
    }
    socket.setNoDelay(true);
    this.#sockets.set(peer, socket);
    socket.once('close', () => this.#sockets.delete(peer));
    // grpc-js forgets the connection by itself; without a listener the error would end the process.
    socket.on('error', (error) => this.#deps.log.debug({ peer, error }, 'connection failed'));
    if (this.#tls === undefined) this.#serve(socket, undefined);
    else this.#tls.take(socket);
  }

  #serve(socket: Socket, certificate: X509Certificate | undefined): void {
    const peer = peerOf(socket);
    this.#connections.set(peer, { socket, certificate });
    const closed = new AbortController();
    socket.once('close', () => {
      closed.abort();
      this.#connections.delete(peer);
    });
    if (this.#tls !== undefined) {
      socket.on('error', (error) => this.#deps.log.debug({ peer, error }, 'connection failed'));
    }
    if (certificate !== undefined) void this.#endWhenExpired(socket, certificate, closed.signal);
    this.#injector.injectConnection(socket);
  }

  /**
   * Certificates are judged at the handshake only. Who connects again shows its new one; ending its calls alone would have it come again
   * on the same connection.
   */
  async #endWhenExpired(socket: Socket, certificate: X509Certificate, closed: AbortSignal): Promise<void> {
    const { clock, log } = this.#deps;
    const expiry = Date.parse(certificate.validTo);
    while (!closed.aborted && clock.now() < expiry) {
      await clock.sleep(Math.min(expiry - clock.now(), LONGEST_SLEEP_MS), closed);
    }
    if (closed.aborted) return;
    log.info({ peer: peerOf(socket) }, 'connection ended: the certificate of the caller has expired');
    socket.destroy();
  }

  #handlerOf({ path, serve }: RpcMethod): (call: ServerDuplexStream<Buffer, OutboundMessage>) => void {
    const { clock, log, transport = 'plaintext' } = this.#deps;
    const cut = (peer: string): void => void this.#connections.get(peer)?.socket.destroy();
    return (call) => {
      const connection = this.#connections.get(call.getPeer());
      const stream = new GrpcServerStream(call, { clock, cut, transport, certificate: connection?.certificate });
      serve(stream).then(
        () => stream.close({ code: RpcStatusCode.OK, message: '' }),
        (error: unknown) => {
          log.error({ path, peer: stream.peer, error }, 'call failed');
          stream.close({ code: RpcStatusCode.INTERNAL, message: 'the server failed to serve this call' });
        },
      );
    };
  }
}

function serviceOf(methods: readonly RpcMethod[]): ServiceDefinition {
  const definition = (path: string): ServiceDefinition[string] => ({
    path,
    requestStream: true,
    responseStream: true,
    requestSerialize: raw,
    requestDeserialize: raw,
    responseSerialize: outbound,
    responseDeserialize: raw,
  });
  return Object.fromEntries(methods.map(({ path }) => [path, definition(path)]));
}

function channelOptions(options: RpcServerOptions): Record<string, number> {
  const { maxConnectionAgeMs: age, maxConnectionIdleMs: idle } = options;
  return {
    'grpc.max_receive_message_length': options.maxRequestBytes,
    'grpc.max_send_message_length': -1,
    'grpc.keepalive_time_ms': options.keepaliveMs,
    'grpc.keepalive_timeout_ms': options.keepaliveTimeoutMs,
    'grpc.max_concurrent_streams': options.maxStreamsPerConnection,
    ...(idle === undefined ? {} : { 'grpc.max_connection_idle_ms': idle }),
    ...(age === undefined
      ? {}
      : { 'grpc.max_connection_age_ms': age, 'grpc.max_connection_age_grace_ms': options.maxConnectionAgeGraceMs }),
  };
}

function listenError(error: NodeJS.ErrnoException, address: ListenAddress): ListenError {
  const where = `${address.host}:${address.port}`;
  if (error.code === 'EADDRINUSE')
    return {
      kind: 'port-in-use',
      address,
      message: `${where} is already in use: stop what uses it, or choose another port`,
    };
  if (error.code === 'EACCES')
    return {
      kind: 'forbidden',
      address,
      message: `no permission to listen on ${where}: choose a port above 1023, or run as root`,
    };
  const remedy = error.code === 'EADDRNOTAVAIL' ? ': choose an address of this machine' : '';
  return { kind: 'other', address, message: `cannot listen on ${where}: ${error.message}${remedy}` };
}
