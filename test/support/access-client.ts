import { once } from 'node:events';
import { connect, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import type { IssuedIdentity } from '../../src/citadel/issuer.ts';

export type Dial = {
  readonly address: string;
  readonly port: number;
  /** The client's own address. */
  readonly from?: string | undefined;
  /** Undefined for plaintext. */
  readonly identity?: IssuedIdentity | undefined;
  readonly sni?: string | undefined;
};

export async function dial({ address, port, from, identity, sni }: Dial): Promise<Socket> {
  const target = { host: address, port, ...(from === undefined ? {} : { localAddress: from }) };
  if (identity === undefined) {
    const socket = connect(target);
    await once(socket, 'connect');
    return socket;
  }
  const plain = connect(target);
  await once(plain, 'connect');
  const socket = connectTls({
    socket: plain,
    cert: identity.chain,
    key: identity.key,
    ca: identity.roots,
    // It is who it is by its URI, not by a host name.
    checkServerIdentity: () => undefined,
    ...(sni === undefined ? {} : { servername: sni }),
  });
  await once(socket, 'secureConnect');
  return socket;
}

export type RawResponse = { readonly status: number; readonly headers: string; readonly body: string };

/** One connection that sends HTTP/1.1 requests as they are written, one after the other. */
export class RawHttp {
  readonly #dial: Dial;
  #socket: Socket | undefined;

  constructor(where: Dial) {
    this.#dial = where;
  }

  /** `head` is the request line and header lines, without the empty line. */
  async send(head: readonly string[], body = ''): Promise<RawResponse> {
    const socket = this.#socket?.writable === true ? this.#socket : await dial(this.#dial);
    this.#socket = socket;
    const answer = readResponse(socket);
    socket.write(`${head.join('\r\n')}\r\n\r\n${body}`);
    const response = await answer;
    if (/^connection: close/im.test(response.headers)) this.close();
    return response;
  }

  close(): void {
    this.#socket?.destroy();
    this.#socket = undefined;
  }
}

function readResponse(socket: Socket): Promise<RawResponse> {
  return new Promise((resolve, reject) => {
    let text = '';
    const finish = (settle: () => void): void => {
      socket.off('data', onData).off('error', onError).off('close', onClose);
      settle();
    };
    const onData = (chunk: Buffer): void => {
      text += chunk.toString('latin1');
      const parsed = parseResponse(text);
      if (parsed !== undefined) finish(() => resolve(parsed));
    };
    const onError = (error: Error): void => finish(() => reject(error));
    const onClose = (): void => finish(() => reject(new Error(`closed after ${JSON.stringify(text)}`)));
    socket.on('data', onData).on('error', onError).on('close', onClose);
  });
}

function parseResponse(text: string): RawResponse | undefined {
  const end = text.indexOf('\r\n\r\n');
  if (end < 0) return undefined;
  const headers = text.slice(0, end);
  const length = Number(/^content-length: (\d+)/im.exec(headers)?.[1] ?? 0);
  const body = text.slice(end + 4);
  if (body.length < length) return undefined;
  return { status: Number(headers.slice(9, 12)), headers, body };
}

/** Whether what is sent comes back. */
export async function echoes(where: Dial): Promise<boolean> {
  const socket = await dial(where);
  try {
    return await new Promise<boolean>((resolve) => {
      socket.on('data', () => resolve(true));
      socket.on('close', () => resolve(false));
      socket.on('error', () => resolve(false));
      socket.write('anybody there?\n');
    });
  } finally {
    socket.destroy();
  }
}
