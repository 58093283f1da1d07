import { createHash, X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { connect as connectSocket } from 'node:net';
import { type ConnectionOptions, connect, type TLSSocket } from 'node:tls';
import type { Certificate } from './certificates.ts';

export type TlsCall = {
  /** A unix socket. */
  readonly path: string;
  readonly serverName: string;
  /** Whom the client trusts; without, it takes whatever it is shown. */
  readonly authority?: string;
  readonly client?: Certificate;
  readonly options?: ConnectionOptions;
};

/** What came of a call: an HTTP status, or nothing but an error. */
export type TlsOutcome = {
  readonly status: number | undefined;
  readonly error: string | undefined;
  /** Of the certificate that the server showed. */
  readonly fingerprint: string | undefined;
  readonly protocol: string | undefined;
  readonly alpn: string | undefined;
};

const PATIENCE_MS = 10_000;

/** Opens TLS and asks for `/`. */
export async function callOverTls(call: TlsCall): Promise<TlsOutcome> {
  const socket = openTls(call);
  try {
    await once(socket, 'secureConnect');
    const seen = describe(socket);
    const text = await ask(socket, call.serverName);
    const status = /^HTTP\/1\.1 (\d+)/.exec(text)?.[1];
    return {
      ...seen,
      status: status === undefined ? undefined : Number(status),
      error: status === undefined ? 'no answer' : undefined,
    };
  } catch (error) {
    return { ...describe(socket), status: undefined, error: error instanceof Error ? error.message : String(error) };
  } finally {
    socket.destroy();
  }
}

export function openTls({ path, serverName, authority, client, options = {} }: TlsCall): TLSSocket {
  const socket = connect({
    socket: connectSocket(path),
    servername: serverName,
    ...(authority === undefined ? { rejectUnauthorized: false } : { ca: authority }),
    ...(client === undefined ? {} : { cert: client.certificate, key: client.key }),
    ALPNProtocols: ['http/1.1'],
    ...options,
  });
  socket.setTimeout(PATIENCE_MS, () => socket.destroy(new Error('timed out')));
  return socket;
}

export function fingerprintOf({ certificate }: Certificate): string {
  return hash(new X509Certificate(certificate).raw);
}

function describe(socket: TLSSocket): Pick<TlsOutcome, 'fingerprint' | 'protocol' | 'alpn'> {
  // Of a connection that is over, Node says null.
  const peer = socket.getPeerCertificate() as { readonly raw?: Buffer } | null;
  const raw = peer?.raw;
  const alpn = socket.alpnProtocol;
  return {
    fingerprint: raw === undefined ? undefined : hash(raw),
    protocol: socket.getProtocol() ?? undefined,
    alpn: typeof alpn === 'string' ? alpn : undefined,
  };
}

function hash(bytes: Buffer): string {
  return createHash('sha256').update(bytes).digest('hex');
}

/** Asks over an open connection; what comes back, up to the end of the headers. */
export async function ask(socket: TLSSocket, host: string): Promise<string> {
  socket.write(`GET / HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`);
  return readHeaders(socket);
}

/** Up to the end of the headers: Envoy takes its time with the end of the connection. */
async function readHeaders(socket: TLSSocket): Promise<string> {
  let text = '';
  for await (const chunk of socket) {
    text += String(chunk);
    if (text.includes('\r\n\r\n')) break;
  }
  return text;
}
