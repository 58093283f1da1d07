import type { Socket } from 'node:net';

type Connection = { readonly socket: Socket; isProven: boolean; inFlight: number };

/**
 * The open connections of a server, at most so many. One more makes room by ending the oldest that never sent a whole request,
 * or else the one that has been idle for longest: so that who opens connections and says nothing cannot keep others out.
 */
export class Connections {
  readonly #limit: number;
  /** The least recently used first. */
  readonly #open = new Map<string, Connection>();

  constructor(limit: number) {
    this.#limit = limit;
  }

  /** Takes a connection that was accepted, before anything is read from it. */
  add(socket: Socket): void {
    if (this.#open.size >= this.#limit && !this.#makeRoom()) {
      socket.destroy();
      return;
    }
    const key = keyOf(socket);
    this.#open.set(key, { socket, isProven: false, inFlight: 0 });
    // Without a listener the reset of a connection that says nothing ends the process.
    socket.on('error', () => undefined);
    socket.once('close', () => this.#open.delete(key));
  }

  /** A request begins on the connection. */
  begin(socket: Socket): void {
    const connection = this.#touch(keyOf(socket));
    if (connection !== undefined) connection.inFlight += 1;
  }

  /** The request was read to its end: whoever sends such is no mere holder of connections. */
  prove(socket: Socket): void {
    const connection = this.#touch(keyOf(socket));
    if (connection !== undefined) connection.isProven = true;
  }

  end(socket: Socket): void {
    const connection = this.#touch(keyOf(socket));
    if (connection !== undefined) connection.inFlight -= 1;
  }

  closeAll(): void {
    for (const { socket } of this.#open.values()) socket.destroy();
  }

  #touch(key: string): Connection | undefined {
    const connection = this.#open.get(key);
    if (connection === undefined) return undefined;
    this.#open.delete(key);
    this.#open.set(key, connection);
    return connection;
  }

  #makeRoom(): boolean {
    const idle = [...this.#open].filter(([, { inFlight, isProven }]) => inFlight === 0 || !isProven);
    const victim = idle.find(([, { isProven }]) => !isProven) ?? idle[0];
    if (victim === undefined) return false;
    const [key, { socket }] = victim;
    this.#open.delete(key);
    socket.destroy();
    return true;
  }
}

/** The TCP connection and the TLS one on top of it are two sockets with one peer. */
function keyOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}
