import {
  createServer,
  request as httpRequest,
  type IncomingHttpHeaders,
  type IncomingMessage,
  type ServerResponse,
} from 'node:http';

/** One request, as the little services see it. */
export type Call = {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
  /** Where the request came from: in a mesh, the pod's own Envoy. */
  readonly peer: string;
};

export type Reply = {
  readonly status: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string | Buffer;
};

export type Handle = (call: Call) => Reply | Promise<Reply>;

/** What a service passes on so that its calls belong to the same trace, user and request. */
const FORWARDED = [
  'x-request-id',
  'x-b3-traceid',
  'x-b3-spanid',
  'x-b3-parentspanid',
  'x-b3-sampled',
  'x-b3-flags',
  'b3',
  'x-ot-span-context',
  'traceparent',
  'tracestate',
  'x-cloud-trace-context',
  'grpc-trace-bin',
  'user-agent',
  'end-user',
  'authorization',
] as const;

export function json(status: number, value: unknown): Reply {
  return { status, headers: { 'content-type': 'application/json' }, body: JSON.stringify(value) };
}

export function forwardedHeaders(headers: IncomingHttpHeaders): Record<string, string> {
  const forwarded: Record<string, string> = {};
  for (const name of FORWARDED) {
    const value = headers[name];
    if (typeof value === 'string') forwarded[name] = value;
  }
  return forwarded;
}

export type Fetched = { readonly status: number; readonly body: string };

/** GETs with a deadline for the whole answer; undefined when there is none. A new connection each time. */
export function get(url: string, headers: Record<string, string>, timeoutMs: number): Promise<Fetched | undefined> {
  return new Promise((resolve) => {
    const call = httpRequest(url, { headers, agent: false, signal: AbortSignal.timeout(timeoutMs) }, (response) => {
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('end', () => resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() }));
      response.on('error', () => resolve(undefined));
    });
    call.on('error', () => resolve(undefined));
    call.end();
  });
}

/** Serves until SIGTERM, then lets the calls in flight end. */
export function serve(port: number, handle: Handle): void {
  const server = createServer((request, response) => {
    answer(handle, request, response).catch((error: unknown) => {
      console.error(error);
      response.destroy();
    });
  });
  server.listen(port, () => console.log(`serving on port ${port}`));
  process.on('SIGTERM', () => {
    server.close(() => process.exit(0));
    server.closeIdleConnections();
  });
}

async function answer(handle: Handle, request: IncomingMessage, response: ServerResponse): Promise<void> {
  request.setEncoding('utf8');
  let body = '';
  for await (const chunk of request) body += String(chunk);
  const url = URL.parse(request.url ?? '/', 'http://service') ?? new URL('http://service/');
  const reply = await handle({
    method: request.method ?? 'GET',
    path: url.pathname,
    query: url.searchParams,
    headers: request.headers,
    body,
    peer: request.socket.remoteAddress ?? '',
  });
  console.log(`${request.method} ${request.url} ${reply.status}`);
  response.writeHead(reply.status, reply.headers).end(request.method === 'HEAD' ? undefined : reply.body);
}

/** The port from the command line, else the usual one. */
export function portFrom(usual: number): number {
  return Number(process.argv[2] ?? usual);
}

export function serviceUrl(name: string, port: number): string {
  const domain = process.env['SERVICES_DOMAIN'];
  return `http://${name}${domain === undefined || domain === '' ? '' : `.${domain}`}:${port}`;
}

export type Fields = Readonly<Partial<Record<string, unknown>>>;

/** The fields of an object; none of anything else. */
export function recordOf(value: unknown): Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value) ? { ...value } : {};
}

/** The fields of a JSON object; none of any other text. */
export function parseRecord(text: string): Fields {
  try {
    return recordOf(JSON.parse(text));
  } catch {
    return {};
  }
}
