import { connect, createServer, type NetConnectOpts, type Server, type Socket } from 'node:net';

export type Listen = { readonly host: string; readonly port: number } | { readonly path: string };

/** A port that cannot be listened on; `code` is the system's. */
export class ListenError extends Error {
  readonly code: string;

  constructor(message: string, options: { readonly code: string; readonly cause: unknown }) {
    super(message, { cause: options.cause });
    this.code = options.code;
  }
}

/**
 * Accepts connections and joins each with one to where `target` says at that moment; without a target it is closed at once.
 * Unix sockets cross network namespaces: two relays on one of them join two networks that do not know each other.
 */
export class Relay {
  readonly #listen: Listen;
  readonly #target: () => NetConnectOpts | undefined;
  readonly #sockets = new Set<Socket>();
  readonly #server: Server;

  constructor(inputs: { readonly listen: Listen; readonly target: () => NetConnectOpts | undefined }) {
    this.#listen = inputs.listen;
    this.#target = inputs.target;
    this.#server = createServer({ allowHalfOpen: true, noDelay: true }, (socket) => this.#join(socket));
  }

  open(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#server.once('error', (cause: NodeJS.ErrnoException) => {
        reject(new ListenError(`cannot listen: ${cause.message}`, { code: cause.code ?? '', cause }));
      });
      this.#server.listen(this.#listen, () => resolve());
    });
  }

  async close(): Promise<void> {
    const closed = new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
    for (const socket of this.#sockets) socket.destroy();
    await closed;
  }

  #join(client: Socket): void {
    const target = this.#target();
    if (target === undefined) {
      client.destroy();
      return;
    }
    const server = connect({ ...target, allowHalfOpen: true, noDelay: true });
    for (const [socket, peer] of [
      [client, server],
      [server, client],
    ] as const) {
      this.#sockets.add(socket);
      // An end is passed on by pipe; a break breaks the other side.
      socket.on('error', () => peer.destroy());
      socket.on('close', () => {
        this.#sockets.delete(socket);
        if (!socket.readableEnded) peer.destroy();
      });
    }
    client.pipe(server);
    server.pipe(client);
  }
}
