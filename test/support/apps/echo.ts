// An app that answers with what it saw: `echo.ts --app NAME --version V KIND:PORT…`. Kinds are http (HTTP/1.1), h2c (HTTP/2 and
// gRPC, plain), https (both over TLS), tcp (a line for a line), tls (the same over TLS) and banner (speaks first). With `--certs DIR`
// it has DIR/server.crt; with `--log DIR` the unix socket DIR/POD.log answers GET / with the requests so far; `--status` is its usual.
import { readFileSync, rmSync } from 'node:fs';
import { createServer as createHttpServer, type IncomingMessage, type ServerResponse } from 'node:http';
import {
  createServer as createHttp2Server,
  createSecureServer,
  type Http2ServerRequest,
  type Http2ServerResponse,
  type IncomingHttpHeaders,
} from 'node:http2';
import { createServer as createTcpServer, type Socket } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { createServer as createTlsServer, TLSSocket } from 'node:tls';
import { parseArgs } from 'node:util';
import type { Echo } from './calls.ts';
import { Failures, RequestLog, readWishes } from './echo-reply.ts';
import { decodeFrame, encodeFrame } from './grpc-frame.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    app: { type: 'string', default: 'echo' },
    version: { type: 'string', default: 'v1' },
    certs: { type: 'string', default: '' },
    log: { type: 'string' },
    status: { type: 'string', default: '200' },
  },
});
const failures = new Failures();
const requests = new RequestLog();
const identity = { app: values.app, version: values.version, pod: process.env['POD_NAME'] ?? '' };

type Request = IncomingMessage | Http2ServerRequest;
type Response = ServerResponse | Http2ServerResponse;

async function readBody(request: Request): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(Buffer.from(chunk as Uint8Array));
  return Buffer.concat(chunks);
}

function flatten(headers: IncomingHttpHeaders | IncomingMessage['headers']): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
}

/** An IPv4 client of a socket for both families has its address in IPv6 clothes. */
function addressOf(socket: { readonly remoteAddress?: string | undefined }): string {
  return socket.remoteAddress?.replace(/^::ffff:/, '') ?? '';
}

function sniOf(socket: unknown): string {
  if (!(socket instanceof TLSSocket)) return '';
  const { servername } = socket as TLSSocket & { readonly servername?: string | false };
  return typeof servername === 'string' ? servername : '';
}

function describeRequest(request: Request, body: string): Echo {
  const url = new URL(request.url ?? '/', 'http://echo');
  const { socket } = request;
  return {
    ...identity,
    port: socket.localPort ?? 0,
    protocol: `HTTP/${request.httpVersion}`,
    method: request.method ?? '',
    path: url.pathname,
    query: url.search.slice(1),
    headers: flatten(request.headers),
    from: addressOf(socket),
    sni: sniOf(socket),
    body,
  };
}

async function answerHttp(request: Request, response: Response): Promise<void> {
  const bytes = await readBody(request);
  const isGrpc = request.headers['content-type']?.startsWith('application/grpc') === true;
  const echo = describeRequest(request, isGrpc ? (decodeFrame(bytes) ?? '') : bytes.toString('utf8'));
  requests.add(echo);
  const wishes = readWishes(echo, Number(values.status));
  if (wishes.delayMs > 0) await sleep(wishes.delayMs);
  if (wishes.reset) return void request.socket.destroy();
  const isFailing = failures.take(wishes.fail);
  if (isGrpc && 'stream' in response) return answerGrpc(echo, response, isFailing ? 14 : wishes.grpcStatus);
  for (const [name, value] of wishes.headers) response.setHeader(name, value);
  response.setHeader('content-type', 'application/json');
  response.statusCode = isFailing ? 503 : wishes.status;
  // Two signatures that a union cannot call.
  (response as ServerResponse).end(JSON.stringify(echo));
}

function answerGrpc(echo: Echo, response: Http2ServerResponse, status: number): void {
  response.writeHead(200, { 'content-type': 'application/grpc' });
  response.addTrailers({ 'grpc-status': String(status) });
  if (status === 0) response.end(encodeFrame(JSON.stringify(echo)));
  else response.end();
}

function handle(request: Request, response: Response): void {
  answerHttp(request, response).catch((error: unknown) => {
    console.error(error);
    request.socket.destroy();
  });
}

function serveLines(socket: Socket, greeting: string | undefined): void {
  socket.on('error', () => socket.destroy());
  if (greeting !== undefined) socket.write(`${greeting}\n`);
  const lines = createInterface({ input: socket });
  // It passes on the socket's errors, and an error that nobody hears would end the app.
  lines.on('error', () => socket.destroy());
  lines.on('line', (line) => {
    const echo: Echo = {
      ...identity,
      port: socket.localPort ?? 0,
      protocol: socket instanceof TLSSocket ? 'TLS' : 'TCP',
      method: '',
      path: '',
      query: '',
      headers: {},
      from: addressOf(socket),
      sni: sniOf(socket),
      body: line,
    };
    requests.add(echo);
    const delayMs = Number(/^wait (\d+)$/.exec(line)?.[1] ?? 0);
    setTimeout(() => socket.write(`${JSON.stringify(echo)}\n`), delayMs);
  });
}

function keyPair(): { readonly cert: string; readonly key: string } {
  const read = (file: string): string => readFileSync(join(values.certs, file), 'utf8');
  return { cert: read('server.crt'), key: read('server.key') };
}

function listen(kind: string, port: number): void {
  const greeting = `BANNER ${identity.app}-${identity.version}`;
  switch (kind) {
    case 'http':
      createHttpServer({ keepAliveTimeout: 60_000 }, handle).listen(port);
      return;
    case 'h2c':
      createHttp2Server(handle).listen(port);
      return;
    case 'https':
      createSecureServer({ ...keyPair(), allowHTTP1: true }, handle).listen(port);
      return;
    case 'tcp':
      createTcpServer((socket) => serveLines(socket, undefined)).listen(port);
      return;
    case 'banner':
      createTcpServer((socket) => serveLines(socket, greeting)).listen(port);
      return;
    case 'tls':
      createTlsServer(keyPair(), (socket) => serveLines(socket, undefined)).listen(port);
      return;
    default:
      throw new Error(`unknown kind ${kind}`);
  }
}

for (const text of positionals) {
  const [kind = '', port = ''] = text.split(':');
  listen(kind, Number(port));
}
if (values.log !== undefined) {
  const socket = join(values.log, `${identity.pod}.log`);
  rmSync(socket, { force: true });
  createHttpServer((_, response) => response.end(JSON.stringify(requests.entries))).listen(socket);
}
process.on('SIGTERM', () => process.exit(0));
