import type { IncomingHttpHeaders } from 'node:http';
import { type ClientHttp2Session, type ClientHttp2Stream, connect, constants } from 'node:http2';
import { performance } from 'node:perf_hooks';

export type StreamEvents = {
  /** One message and the moment in which its last byte was here. */
  readonly onMessage: (message: Buffer, at: number) => void;
  /** Called once; `undefined` when we closed it. */
  readonly onEnd: (status: string | undefined) => void;
};

const WINDOW_BYTES = 16 * 1024 * 1024;
const PREFIX_BYTES = 5;

/**
 * One gRPC call on a connection of its own, as a proxy has it. Straight on HTTP/2: thousands of them must cost this process less than
 * they cost the server.
 */
export class GrpcStream {
  readonly #session: ClientHttp2Session;
  readonly #stream: ClientHttp2Stream;
  readonly #events: StreamEvents;
  #isOver = false;
  #chunks: Buffer[] = [];
  #size = 0;
  /** Size of the message that is under way with its prefix; 0 while that is not known. */
  #expected = 0;

  constructor(address: string, path: string, events: StreamEvents) {
    this.#events = events;
    this.#session = connect(`http://${address}`, { settings: { initialWindowSize: WINDOW_BYTES } });
    this.#session.once('connect', () => this.#session.setLocalWindowSize(WINDOW_BYTES));
    this.#session.on('error', (error: Error) => this.#end(error.message));
    this.#session.on('close', () => this.#end('connection closed'));
    this.#stream = this.#session.request({
      [constants.HTTP2_HEADER_METHOD]: 'POST',
      [constants.HTTP2_HEADER_PATH]: path,
      [constants.HTTP2_HEADER_CONTENT_TYPE]: 'application/grpc',
      [constants.HTTP2_HEADER_TE]: 'trailers',
    });
    this.#stream.on('data', (chunk: Buffer) => this.#take(chunk));
    this.#stream.on('response', (headers: IncomingHttpHeaders) => this.#onStatus(headers));
    this.#stream.on('trailers', (headers: IncomingHttpHeaders) => this.#onStatus(headers));
    this.#stream.on('error', (error: Error) => this.#end(error.message));
  }

  /** `written` is called when the message was handed to the socket. */
  send(message: Uint8Array, written: () => void): void {
    if (this.#isOver) return;
    const prefix = Buffer.alloc(PREFIX_BYTES);
    prefix.writeUInt32BE(message.length, 1);
    this.#stream.write(Buffer.concat([prefix, message]), (error) => {
      if (error === undefined || error === null) written();
    });
  }

  close(): void {
    this.#end(undefined);
  }

  #onStatus({ 'grpc-status': status, 'grpc-message': message }: IncomingHttpHeaders): void {
    if (typeof status !== 'string') return;
    this.#end(`grpc-status ${status} ${typeof message === 'string' ? decodeURIComponent(message) : ''}`);
  }

  #end(status: string | undefined): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#session.destroy();
    this.#events.onEnd(status);
  }

  #take(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#size += chunk.length;
    for (;;) {
      if (this.#expected === 0 && this.#size >= PREFIX_BYTES) {
        const head = this.#joined();
        this.#expected = PREFIX_BYTES + head.readUInt32BE(1);
      }
      if (this.#expected === 0 || this.#size < this.#expected) return;
      const at = performance.now();
      const all = this.#joined();
      const message = all.subarray(PREFIX_BYTES, this.#expected);
      const rest = all.subarray(this.#expected);
      this.#chunks = rest.length === 0 ? [] : [rest];
      this.#size = rest.length;
      this.#expected = 0;
      this.#events.onMessage(message, at);
    }
  }

  #joined(): Buffer {
    const [first] = this.#chunks;
    if (this.#chunks.length === 1 && first !== undefined) return first;
    const joined = Buffer.concat(this.#chunks);
    this.#chunks = [joined];
    return joined;
  }
}
