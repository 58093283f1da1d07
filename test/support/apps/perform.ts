import { Agent, request as httpRequest, type RequestOptions } from 'node:http';
import { type ClientHttp2Session, connect as connectHttp2, type IncomingHttpHeaders } from 'node:http2';
import { request as httpsRequest, Agent as TlsAgent } from 'node:https';
import { connect as connectTcp, type Socket } from 'node:net';
import { type ConnectionOptions, connect as connectTls } from 'node:tls';
import { type CallBatch, type Echo, GRPC_PATH, type Outcome } from './calls.ts';
import { decodeFrame, encodeFrame } from './grpc-frame.ts';

const DEADLINE_MS = 10_000;

type Answer = Pick<Outcome, 'status' | 'headers' | 'body'> & { readonly grpcStatus?: number };

/** What the requests of one batch share: connections. */
type Channel = { send(signal: AbortSignal): Promise<Answer>; close(): void };

/** Performs a batch and tells what became of each request, in the order they were begun. Never rejects. */
export async function performBatch(batch: CallBatch): Promise<readonly Outcome[]> {
  const count = batch.count ?? 1;
  const outcomes: Outcome[] = [];
  const channel = openChannel(batch);
  let next = 0;
  const work = async (): Promise<void> => {
    while (next < count) {
      const index = next;
      next += 1;
      outcomes[index] = await performCall(channel, batch);
    }
  };
  await Promise.all(Array.from({ length: Math.min(batch.concurrency ?? 1, count) }, work));
  channel.close();
  return outcomes;
}

/** One after the other over connections that stay. */
export class Caller {
  readonly #batch: CallBatch;
  readonly #channel: Channel;

  constructor(batch: CallBatch) {
    this.#batch = batch;
    this.#channel = openChannel(batch);
  }

  call(): Promise<Outcome> {
    return performCall(this.#channel, this.#batch);
  }

  close(): void {
    this.#channel.close();
  }
}

async function performCall(channel: Channel, { timeoutMs }: CallBatch): Promise<Outcome> {
  const started = performance.now();
  try {
    const answer = await channel.send(AbortSignal.timeout(timeoutMs ?? DEADLINE_MS));
    return {
      grpcStatus: undefined,
      ...answer,
      echo: parseEcho(answer.body),
      error: undefined,
      ms: performance.now() - started,
    };
  } catch (error) {
    const failed = { status: 0, headers: {}, body: '', echo: undefined, grpcStatus: undefined };
    return { ...failed, error: describeError(error), ms: performance.now() - started };
  }
}

function describeError(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  if (error.name === 'TimeoutError' || error.name === 'AbortError') return 'timeout';
  return 'code' in error ? `${String(error.code)} ${error.message}` : error.message;
}

function parseEcho(body: string): Echo | undefined {
  try {
    const parsed: unknown = JSON.parse(body);
    return typeof parsed === 'object' && parsed !== null && 'app' in parsed ? (parsed as Echo) : undefined;
  } catch {
    return undefined;
  }
}

function openChannel(batch: CallBatch): Channel {
  const { scheme, target } = parseTarget(batch);
  switch (scheme) {
    case 'http':
    case 'https':
      return new Http1Channel(batch, target, scheme === 'https');
    case 'h2c':
    case 'h2':
    case 'grpc':
      return new Http2Channel(batch, target, scheme);
    case 'tcp':
    case 'tls':
    case 'banner':
      return new LineChannel(batch, target, scheme);
    default:
      throw new Error(`no such scheme: ${batch.url}`);
  }
}

function parseTarget({ url, address }: CallBatch): { readonly scheme: string; readonly target: Target } {
  const [, scheme = '', authority = ''] = /^([a-z0-9]+):\/\/([^/?]*)/.exec(url) ?? [];
  // Of other schemes URL does not know that they have hosts, and of http's port 80 it makes none.
  const { hostname, pathname, search } = new URL(`http${url.slice(scheme.length)}`);
  const usual = scheme === 'https' || scheme === 'h2' ? 443 : 80;
  const port = Number(/:(\d+)$/.exec(authority)?.[1] ?? usual);
  return { scheme, target: { host: address ?? hostname, port, path: pathname + search, name: hostname } };
}

/** `name` is the URL's host; `host` is where to connect. */
type Target = { readonly host: string; readonly port: number; readonly path: string; readonly name: string };

function tlsOptions({ tls }: CallBatch, target: Target): ConnectionOptions {
  const serverName = tls?.serverName ?? target.name;
  return {
    ...(/^[\d.]+$/.test(serverName) ? {} : { servername: serverName }),
    rejectUnauthorized: tls?.authority !== undefined,
    ca: tls?.authority,
    cert: tls?.certificate,
    key: tls?.key,
    ALPNProtocols: tls?.protocols && [...tls.protocols],
  };
}

class Http1Channel implements Channel {
  readonly #batch: CallBatch;
  readonly #target: Target;
  readonly #agent: Agent;
  readonly #isTls: boolean;

  constructor(batch: CallBatch, target: Target, isTls: boolean) {
    this.#batch = batch;
    this.#target = target;
    this.#isTls = isTls;
    const options = { keepAlive: batch.fresh !== true };
    this.#agent = isTls ? new TlsAgent({ ...options, ...tlsOptions(batch, target) }) : new Agent(options);
  }

  send(signal: AbortSignal): Promise<Answer> {
    const { method = 'GET', headers = {}, body } = this.#batch;
    const { host, port, path, name } = this.#target;
    const authority = port === (this.#isTls ? 443 : 80) ? name : `${name}:${port}`;
    const options: RequestOptions = {
      ...{ host, port, path, method, signal, agent: this.#agent },
      headers: { host: authority, ...headers },
    };
    return new Promise((resolve, reject) => {
      const request = (this.#isTls ? httpsRequest : httpRequest)(options, (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () =>
          resolve({
            status: response.statusCode ?? 0,
            headers: flatten(response.headers),
            body: Buffer.concat(chunks).toString('utf8'),
          }),
        );
      });
      request.on('error', reject);
      request.end(body);
    });
  }

  close(): void {
    this.#agent.destroy();
  }
}

function flatten(headers: IncomingHttpHeaders | NodeJS.Dict<string | string[]>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value)]));
}

class Http2Channel implements Channel {
  readonly #batch: CallBatch;
  readonly #target: Target;
  readonly #scheme: string;
  #session: ClientHttp2Session | undefined;

  constructor(batch: CallBatch, target: Target, scheme: string) {
    this.#batch = batch;
    this.#target = target;
    this.#scheme = scheme;
  }

  send(signal: AbortSignal): Promise<Answer> {
    const { method, headers = {}, body } = this.#batch;
    const { port, path, name } = this.#target;
    const isGrpc = this.#scheme === 'grpc';
    const { host, ...others } = headers;
    const stream = this.#connect().request(
      {
        ':method': method ?? (isGrpc ? 'POST' : 'GET'),
        ':path': isGrpc && path === '/' ? GRPC_PATH : path,
        ':authority': host ?? `${name}:${port}`,
        ':scheme': this.#scheme === 'h2' ? 'https' : 'http',
        ...(isGrpc ? { 'content-type': 'application/grpc', te: 'trailers' } : {}),
        ...others,
      },
      { signal },
    );
    return new Promise((resolve, reject) => {
      const chunks: Buffer[] = [];
      let answer: Record<string, string> = {};
      stream.on('response', (received) => (answer = flatten(received)));
      stream.on('trailers', (received: IncomingHttpHeaders) => (answer = { ...answer, ...flatten(received) }));
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('error', reject);
      stream.on('end', () => resolve(describe(answer, Buffer.concat(chunks), isGrpc)));
      stream.end(isGrpc ? encodeFrame(body ?? '') : body);
    });
  }

  close(): void {
    this.#session?.destroy();
  }

  #connect(): ClientHttp2Session {
    const known = this.#session;
    if (known !== undefined && !known.closed && !known.destroyed && this.#batch.fresh !== true) return known;
    known?.close();
    const { host, port } = this.#target;
    const session =
      this.#scheme === 'h2'
        ? connectHttp2(`https://${host}:${port}`, { ...tlsOptions(this.#batch, this.#target), ALPNProtocols: ['h2'] })
        : connectHttp2(`http://${host}:${port}`);
    // Each stream tells of it.
    session.on('error', () => undefined);
    this.#session = session;
    return session;
  }
}

function describe(headers: Record<string, string>, bytes: Buffer, isGrpc: boolean): Answer {
  const grpcStatus = headers['grpc-status'];
  return {
    status: Number(headers[':status'] ?? 0),
    headers,
    body: isGrpc ? (decodeFrame(bytes) ?? '') : bytes.toString('utf8'),
    ...(grpcStatus === undefined ? {} : { grpcStatus: Number(grpcStatus) }),
  };
}

/** A connection per line. */
class LineChannel implements Channel {
  readonly #batch: CallBatch;
  readonly #target: Target;
  readonly #scheme: string;

  constructor(batch: CallBatch, target: Target, scheme: string) {
    this.#batch = batch;
    this.#target = target;
    this.#scheme = scheme;
  }

  send(signal: AbortSignal): Promise<Answer> {
    const { host, port } = this.#target;
    const socket: Socket =
      this.#scheme === 'tls'
        ? connectTls({ host, port, ...tlsOptions(this.#batch, this.#target) })
        : connectTcp({ host, port });
    const line = `${this.#batch.body ?? 'hello'}\n`;
    return new Promise((resolve, reject) => {
      let text = '';
      let banner: string | undefined = this.#scheme === 'banner' ? undefined : '';
      signal.addEventListener('abort', () => socket.destroy(new DOMException('too late', 'TimeoutError')));
      socket.on(this.#scheme === 'tls' ? 'secureConnect' : 'connect', () => {
        if (banner !== undefined) socket.write(line);
      });
      socket.on('data', (chunk) => {
        text += chunk.toString('utf8');
        if (banner === undefined && text.includes('\n')) {
          banner = text.slice(0, text.indexOf('\n'));
          text = text.slice(banner.length + 1);
          socket.write(line);
        }
        if (banner === undefined || !text.includes('\n')) return;
        resolve({ status: 0, headers: { banner }, body: text.slice(0, text.indexOf('\n')) });
        socket.destroy();
      });
      socket.on('error', reject);
      socket.on('close', () => reject(new Error('closed without an answer')));
    });
  }

  close(): void {
    return;
  }
}
