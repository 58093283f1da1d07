import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server } from 'node:http';
import { createServer as createHttp2Server, type Http2Server, type ServerHttp2Stream } from 'node:http2';
import type { AddressInfo, Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { decodeMessage, encodeMessage } from '../../src/gen/codec.ts';
import type { JsonObject } from '../../src/injector/json.ts';

/** What an authorizer was asked, and by which words it answers: `x-say: no` refuses, `x-say: slow` takes its time. */
export type AuthorizerAsk = { readonly path: string; readonly headers: Readonly<Record<string, string>> };

export type TestAuthorizer = {
  readonly port: number;
  readonly asked: readonly AuthorizerAsk[];
  stop(): Promise<void>;
};

const SLOW_MS = 3_000;

/** Over HTTP. It lets in with `x-user: joe`. */
export async function httpAuthorizer(): Promise<TestAuthorizer> {
  const asked: AuthorizerAsk[] = [];
  const server = createServer((request, response) => {
    asked.push({ path: request.url ?? '', headers: plain(request.headers) });
    const say = request.headers['x-say'];
    const answer = async (): Promise<void> => {
      if (say === 'slow') await sleep(SLOW_MS, undefined, { ref: false });
      response.writeHead(say === 'no' ? 401 : 200, { 'x-user': 'joe', 'x-reason': 'said so' }).end();
    };
    void answer();
  });
  return await listening(server, asked);
}

type CheckRequest = {
  readonly attributes?: {
    readonly request?: { readonly http?: { readonly path?: string; readonly headers?: Record<string, string> } };
    readonly source?: { readonly address?: { readonly socketAddress?: { readonly address?: string } } };
  };
};

/** Over gRPC, with the least of it that Envoy needs. Connections without HTTP are refused from 127.0.0.9. */
export async function grpcAuthorizer(): Promise<TestAuthorizer> {
  const asked: AuthorizerAsk[] = [];
  const server = createHttp2Server();
  server.on('stream', (stream: ServerHttp2Stream) => {
    const chunks: Buffer[] = [];
    stream.on('data', (chunk: Buffer) => chunks.push(chunk));
    stream.on('error', () => undefined);
    stream.on('end', () => {
      const { path, headers, from } = readCheck(Buffer.concat(chunks).subarray(5));
      asked.push({ path, headers });
      const isRefused = headers['x-say'] === 'no' || (path === '' && from === '127.0.0.9');
      void answerGrpc(stream, isRefused, headers['x-say'] === 'slow');
    });
  });
  return await listening(server, asked);
}

function readCheck(message: Buffer): AuthorizerAsk & { readonly from: string } {
  const { attributes } = decodeMessage('envoy.service.auth.v3.CheckRequest', message) as CheckRequest;
  const { path = '', headers = {} } = attributes?.request?.http ?? {};
  return { path, headers, from: attributes?.source?.address?.socketAddress?.address ?? '' };
}

async function answerGrpc(stream: ServerHttp2Stream, isRefused: boolean, isSlow: boolean): Promise<void> {
  if (isSlow) await sleep(SLOW_MS, undefined, { ref: false });
  if (stream.destroyed) return;
  const body = Buffer.from(
    encodeMessage('envoy.service.auth.v3.CheckResponse', { status: { code: isRefused ? 7 : 0 } }),
  );
  const frame = Buffer.alloc(5);
  frame.writeUInt32BE(body.length, 1);
  stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
  stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
  stream.end(Buffer.concat([frame, body]));
}

async function listening(server: Server | Http2Server, asked: AuthorizerAsk[]): Promise<TestAuthorizer> {
  const sockets = new Set<Socket>();
  server.on('connection', (socket: Socket) => {
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  return {
    port: (server.address() as AddressInfo).port,
    asked,
    stop: async () => {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

function plain(headers: IncomingHttpHeaders): Record<string, string> {
  return Object.fromEntries(
    Object.entries(headers).map(([name, value]) => [name, Array.isArray(value) ? value.join(',') : (value ?? '')]),
  );
}

/** The cluster that a mesh would have for the authorizer's service. */
export function clusterOf(name: string, port: number, isHttp2: boolean): JsonObject {
  const protocol = isHttp2 ? { http2_protocol_options: {} } : { http_protocol_options: {} };
  return {
    name,
    type: 'STATIC',
    connect_timeout: '1s',
    load_assignment: {
      cluster_name: name,
      endpoints: [
        { lb_endpoints: [{ endpoint: { address: { socket_address: { address: '127.0.0.1', port_value: port } } } }] },
      ],
    },
    typed_extension_protocol_options: {
      'envoy.extensions.upstreams.http.v3.HttpProtocolOptions': {
        '@type': 'type.googleapis.com/envoy.extensions.upstreams.http.v3.HttpProtocolOptions',
        explicit_http_config: protocol,
      },
    },
  };
}
