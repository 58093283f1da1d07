import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

type State = 'forwarding' | 'stalled' | 'refusing';
type Target = { readonly host: string; readonly port: number };

/**
 * A TCP proxy that fails as networks fail: at once (`cut`), for a while (`refuse`), or without a word (`stall`: bytes and ends of
 * connections are held in both directions, new connections are accepted and nothing comes of them).
 */
export class FlakyProxy {
  readonly #server: Server;
  readonly #links = new Set<Link>();
  readonly #target: Target;
  #state: State = 'forwarding';

  private constructor(target: Target) {
    this.#target = target;
    this.#server = createServer({ allowHalfOpen: true, pauseOnConnect: true }, (client) => this.#accept(client));
  }

  /** Forwards a free loopback port. */
  static async start(target: Target): Promise<FlakyProxy> {
    const proxy = new FlakyProxy(target);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get port(): number {
    const { port } = this.#server.address() as AddressInfo;
    return port;
  }

  get url(): string {
    return `https://127.0.0.1:${this.port}`;
  }

  /** How many clients are connected. */
  get connections(): number {
    return [...this.#links].filter((link) => link.isOpen).length;
  }

  /** Resets every connection there is. New ones are forwarded as before. */
  cut(): void {
    for (const link of this.#links) link.reset();
  }

  /** Resets every connection there is and every new one, until `resume`. */
  refuse(): void {
    this.#state = 'refusing';
    this.cut();
  }

  /** Falls silent until `resume`, which forwards what was held. */
  stall(): void {
    if (this.#state === 'refusing') throw new Error('resume before you stall: the connections are gone');
    this.#state = 'stalled';
    for (const link of this.#links) link.stall();
  }

  resume(): void {
    this.#state = 'forwarding';
    for (const link of this.#links) link.forward();
  }

  async stop(): Promise<void> {
    const closed = once(this.#server, 'close');
    this.#server.close();
    this.refuse();
    await closed;
  }

  #accept(client: Socket): void {
    if (this.#state === 'refusing') {
      client.resetAndDestroy();
      return;
    }
    const link = new Link(client, this.#target, () => this.#links.delete(link));
    this.#links.add(link);
    if (this.#state === 'forwarding') link.forward();
  }
}

/** One connection; connects to the target only once it may forward. A paused socket reports neither bytes nor their end. */
class Link {
  readonly #client: Socket;
  readonly #target: Target;
  readonly #onEnd: () => void;
  #upstream: Socket | undefined;
  #isStalled = true;

  constructor(client: Socket, target: Target, onEnd: () => void) {
    this.#client = client;
    this.#target = target;
    this.#onEnd = onEnd;
    client.on('error', () => undefined);
    client.on('close', () => this.#settle());
  }

  get isOpen(): boolean {
    return !this.#client.destroyed;
  }

  forward(): void {
    this.#isStalled = false;
    if (this.#upstream === undefined && this.isOpen) this.#connect();
    this.#client.resume();
    this.#upstream?.resume();
    this.#settle();
  }

  stall(): void {
    this.#isStalled = true;
    this.#client.pause();
    this.#upstream?.pause();
  }

  reset(): void {
    this.#client.resetAndDestroy();
    this.#upstream?.resetAndDestroy();
  }

  #connect(): void {
    const upstream = connect({ ...this.#target, allowHalfOpen: true });
    this.#upstream = upstream;
    upstream.on('error', () => undefined);
    upstream.on('close', () => this.#settle());
    this.#pump(this.#client, upstream);
    this.#pump(upstream, this.#client);
  }

  #pump(from: Socket, to: Socket): void {
    from.on('data', (chunk) => {
      if (to.write(chunk)) return;
      from.pause();
      to.once('drain', () => {
        if (!this.#isStalled) from.resume();
      });
    });
    from.on('end', () => to.end());
  }

  /** When one side is gone the other goes too: at once after a reset, else after what it was sent. Not while we are silent. */
  #settle(): void {
    const sides = [this.#client, this.#upstream].filter((side) => side !== undefined);
    const open = sides.filter((side) => !side.destroyed);
    if (open.length === 0) this.#onEnd();
    if (this.#isStalled || open.length === sides.length) return;
    const wasReset = sides.some((side) => side.errored !== null);
    for (const side of open) {
      if (wasReset) side.resetAndDestroy();
      else side.destroySoon();
    }
  }
}
