import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { Connections } from './connections.ts';
import { type ListenAddress, listen } from './listen.ts';
import { createServer } from './node-http.ts';

export type HttpRequest = { readonly path: string; readonly query: URLSearchParams };
export type HttpReply = { readonly status: number; readonly contentType: string; readonly body: string };

/** Answers GET requests for one exact path. A rejection becomes a 500 that says nothing to the caller. */
export type HttpRoute = (request: HttpRequest) => HttpReply | Promise<HttpReply>;

export function textReply(status: number, body: string): HttpReply {
  return { status, contentType: 'text/plain; charset=utf-8', body: body.endsWith('\n') ? body : `${body}\n` };
}

export function jsonReply(status: number, value: unknown): HttpReply {
  return { status, contentType: 'application/json', body: `${JSON.stringify(value, plain, 2)}\n` };
}

/** JSON knows no sets, and would write each as an empty record. */
function plain(_: string, value: unknown): unknown {
  return value instanceof Set ? [...value] : value;
}

const MAX_CONNECTIONS = 256;

/** A small HTTP server of GET routes, for health, metrics and debug data. */
export class HttpServer {
  readonly name = 'http';
  readonly #routes: ReadonlyMap<string, HttpRoute>;
  readonly #onError: (error: unknown, path: string) => void;
  readonly #server: Server;
  readonly #connections = new Connections(MAX_CONNECTIONS);

  constructor(routes: ReadonlyMap<string, HttpRoute>, onError: (error: unknown, path: string) => void) {
    this.#routes = routes;
    this.#onError = onError;
    this.#server = createServer({ headersTimeout: 5_000, requestTimeout: 10_000 }, (request, response) => {
      void this.#answer(request, response);
    });
    // Probes come to this port: a limit that only counts would let whoever holds connections have the pod ended.
    this.#server.on('connection', (socket: Socket) => this.#connections.add(socket));
  }

  /** Binds; resolves to the address in use (port 0 picks one), or rejects with a message that says what to do. */
  async bind(address: ListenAddress): Promise<ListenAddress> {
    const bound = await listen(this.#server, address);
    // A connection that cannot be accepted (no file descriptors left) is told here, and would end the process unheard.
    this.#server.on('error', (error) => this.#onError(error, ''));
    return bound;
  }

  /** Serves what was bound until the signal aborts, then closes every connection. */
  async run(signal: AbortSignal): Promise<void> {
    await new Promise<void>((resolve) => {
      const stop = (): void => {
        this.#server.close(() => resolve());
        this.#server.closeAllConnections();
      };
      if (signal.aborted) stop();
      else signal.addEventListener('abort', stop, { once: true });
    });
  }

  async #answer(request: IncomingMessage, response: ServerResponse): Promise<void> {
    const { socket } = request;
    request.resume();
    this.#connections.begin(socket);
    this.#connections.prove(socket);
    const { pathname, searchParams } = parseUrl(request.url ?? '/');
    const reply = await this.#reply(request.method ?? 'GET', pathname, searchParams);
    this.#connections.end(socket);
    response.writeHead(reply.status, {
      'content-type': reply.contentType,
      'x-content-type-options': 'nosniff',
      ...(reply.status === 405 ? { allow: 'GET, HEAD' } : {}),
    });
    response.end(request.method === 'HEAD' ? undefined : reply.body);
  }

  async #reply(method: string, path: string, query: URLSearchParams): Promise<HttpReply> {
    if (method !== 'GET' && method !== 'HEAD') return textReply(405, 'only GET is served here');
    const route = this.#routes.get(path);
    if (route === undefined)
      return textReply(404, `nothing at ${path}; try one of: ${[...this.#routes.keys()].join(' ')}`);
    try {
      return await route({ path, query });
    } catch (error) {
      this.#onError(error, path);
      return textReply(500, 'internal error; the log has it');
    }
  }
}

/** The parts of a request's URL; of one that is none, those of the root. */
export function parseUrl(url: string): URL {
  try {
    return new URL(url, 'http://localhost');
  } catch {
    return new URL('http://localhost/');
  }
}
