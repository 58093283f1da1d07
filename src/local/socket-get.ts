import { connect, type NetConnectOpts } from 'node:net';

export type SocketReply = { readonly status: number; readonly body: string };

const DEADLINE_MS = 5_000;

/**
 * One GET over a TCP or unix socket, on a connection of its own and for any host; undefined if there is no whole answer.
 * (`fetch` knows neither unix sockets nor another host than the one it dials.)
 */
export function socketGet(target: NetConnectOpts, path: string, host = 'local'): Promise<SocketReply | undefined> {
  return request(target, `GET ${path} HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`);
}

function request(target: NetConnectOpts, head: string): Promise<SocketReply | undefined> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    const socket = connect(target, () => socket.write(head));
    socket.setTimeout(DEADLINE_MS, () => socket.destroy(new Error('no answer in time')));
    socket.on('data', (chunk) => chunks.push(chunk));
    socket.on('error', () => resolve(undefined));
    socket.on('close', () => resolve(parseReply(Buffer.concat(chunks))));
  });
}

/** The status and body of one HTTP/1.1 response that ended with its connection. */
export function parseReply(bytes: Buffer): SocketReply | undefined {
  const end = bytes.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const [first = '', ...headers] = bytes.subarray(0, end).toString('latin1').split('\r\n');
  const status = /^HTTP\/1\.[01] (\d{3})/.exec(first)?.[1];
  if (status === undefined) return undefined;
  const raw = bytes.subarray(end + 4);
  const isChunked = headers.some((line) => /^transfer-encoding:\s*chunked$/i.test(line.trim()));
  const body = isChunked ? joinChunks(raw) : raw;
  return body === undefined ? undefined : { status: Number(status), body: body.toString('utf8') };
}

/** Undefined when the last chunk is missing. */
function joinChunks(raw: Buffer): Buffer | undefined {
  const chunks: Buffer[] = [];
  let at = 0;
  for (;;) {
    const lineEnd = raw.indexOf('\r\n', at);
    if (lineEnd < 0) return undefined;
    const size = Number.parseInt(raw.subarray(at, lineEnd).toString('latin1'), 16);
    if (Number.isNaN(size)) return undefined;
    if (size === 0) return Buffer.concat(chunks);
    const start = lineEnd + 2;
    if (raw.length < start + size) return undefined;
    chunks.push(raw.subarray(start, start + size));
    at = start + size + 2;
  }
}
