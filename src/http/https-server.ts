import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { Socket } from 'node:net';
import { err, ok, type Result } from '../kit/result.ts';
import { type BodyError, BodyReader } from './body-reader.ts';
import { Connections } from './connections.ts';
import { type HttpReply, type HttpRequest, parseUrl, textReply } from './http-server.ts';
import { type ListenAddress, listen } from './listen.ts';

/** A certificate chain and its key, as PEM. */
export type CertificatePair = { readonly certificate: string; readonly key: string };

export type HttpsRequest = HttpRequest & { readonly contentType: string; readonly body: Buffer };

export type HttpsRoute = {
  readonly method: 'GET' | 'POST';
  /** A rejection becomes a 500 that says nothing to the caller. */
  readonly answer: (request: HttpsRequest) => HttpReply | Promise<HttpReply>;
};

export type HttpsServerDeps = {
  /** The route of a path; it may serve a whole tree of them. */
  readonly route: (path: string) => HttpsRoute | undefined;
  /** Called with each answer; those that never came to a route too. */
  readonly onReply: (path: string, status: number) => void;
  readonly onError: (error: unknown, path: string) => void;
};

const MIB = 2 ** 20;
const MAX_CONNECTIONS = 256;
const MAX_IN_FLIGHT = 64;
const HEADERS_TIMEOUT_MS = 5_000;
const REQUEST_TIMEOUT_MS = 10_000;
/** Node looks for requests that are late only so often; by default each half minute. */
const CHECK_INTERVAL_MS = 1_000;
/** Longer than the API server keeps a connection: who closes first must not be us, or a request is lost on the way. */
const IDLE_TIMEOUT_MS = 120_000;
/** What the API server itself takes of one object. */
const MAX_BODY_BYTES = 3 * MIB;
const MAX_BUFFERED_BYTES = 12 * MIB;

/**
 * The HTTPS server of webhooks. Its certificate can change while it serves. It expects the worst of callers: whatever is slow,
 * huge, malformed or too much costs only whoever sends it.
 */
export class HttpsServer {
  readonly name = 'https';
  readonly #deps: HttpsServerDeps;
  readonly #server: Server;
  readonly #connections = new Connections(MAX_CONNECTIONS);
  readonly #bodies = new BodyReader({ bytes: MAX_BODY_BYTES, reads: MAX_IN_FLIGHT, totalBytes: MAX_BUFFERED_BYTES });
  #answering = 0;

  constructor(deps: HttpsServerDeps) {
    this.#deps = deps;
    const timeouts = {
      headersTimeout: HEADERS_TIMEOUT_MS,
      requestTimeout: REQUEST_TIMEOUT_MS,
      connectionsCheckingInterval: CHECK_INTERVAL_MS,
      keepAliveTimeout: IDLE_TIMEOUT_MS,
      handshakeTimeout: REQUEST_TIMEOUT_MS,
    };
    this.#server = createServer({ ...timeouts, minVersion: 'TLSv1.2' }, (request, response) => {
      void this.#serve(request, response);
    });
    this.#server.setTimeout(IDLE_TIMEOUT_MS);
    this.#server.on('connection', (socket: Socket) => this.#connections.add(socket));
  }

  /** Binds; resolves to the address in use, or rejects with a message that says what to do. Without a certificate no handshake succeeds. */
  async bind(address: ListenAddress): Promise<ListenAddress> {
    const bound = await listen(this.#server, address);
    this.#server.on('error', (error) => this.#deps.onError(error, ''));
    return bound;
  }

  /** Serves new connections with this certificate. One that cannot be used changes nothing, and the error says why. */
  useCertificate({ certificate, key }: CertificatePair): Result<void, string> {
    try {
      this.#server.setSecureContext({ cert: certificate, key, minVersion: 'TLSv1.2' });
      return ok(undefined);
    } catch (cause) {
      return err(cause instanceof Error ? cause.message : String(cause));
    }
  }

  /** Serves what was bound until the signal aborts, then closes every connection. */
  async run(signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      const stop = (): void => {
        this.#server.close(() => resolve());
        this.#connections.closeAll();
      };
      if (signal.aborted) stop();
      else signal.addEventListener('abort', stop, { once: true });
    });
  }

  async #serve(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { socket } = request;
    const { pathname: path, searchParams: query } = parseUrl(request.url ?? '/');
    response.on('error', () => undefined);
    this.#connections.begin(socket);
    const reply = await this.#reply(request, { path, query });
    this.#deps.onReply(path, reply.status);
    this.#connections.end(socket);
    answer(request, response, reply);
  }

  async #reply(request: IncomingMessage, { path, query }: HttpRequest): Promise<HttpReply> {
    const route = this.#deps.route(path);
    if (route === undefined) return textReply(404, `nothing at ${path}`);
    if (request.method !== route.method) return textReply(405, `only ${route.method} is served here`);
    const body = await this.#bodies.read(request);
    if (!body.ok) return bodyRefused(body.error);
    this.#connections.prove(request.socket);
    if (this.#answering >= MAX_IN_FLIGHT) return textReply(503, 'too many requests at a time; try again');
    this.#answering += 1;
    try {
      return await route.answer({ path, query, contentType: request.headers['content-type'] ?? '', body: body.value });
    } catch (error) {
      this.#deps.onError(error, path);
      return textReply(500, 'internal error; the log has it');
    } finally {
      this.#answering -= 1;
    }
  }
}

function answer(request: IncomingMessage, response: ServerResponse, { status, contentType, body }: HttpReply): void {
  const isRead = request.complete;
  response.writeHead(status, {
    'content-type': contentType,
    'content-length': Buffer.byteLength(body),
    'x-content-type-options': 'nosniff',
    ...(isRead ? {} : { connection: 'close' }),
  });
  if (isRead) {
    response.end(body);
    return;
  }
  // Closing on somebody who still sends would reset the connection, and the answer would be lost with it.
  response.write(body);
  request.once('close', () => response.end());
  request.once('end', () => response.end());
  request.resume();
}

function bodyRefused(error: BodyError): HttpReply {
  switch (error) {
    case 'too-large':
      return textReply(413, `more than ${MAX_BODY_BYTES / MIB} MiB`);
    case 'cut':
      return textReply(408, 'the body came too slowly');
    case 'gone':
      return textReply(400, 'the body ended too early');
  }
}
