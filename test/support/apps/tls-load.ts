// A thread that opens TLS again and again, each request on a connection of its own, at a steady pace as far as the machine allows.
import { type MessagePort, parentPort } from 'node:worker_threads';
import { callOverTls } from '../tls-client.ts';
import type { FromLoad, LoadTarget, ToLoad } from '../tls-load.ts';

const TICK_MS = 10;
/** Of calls that are under way at once: a machine that is slower than the pace is not buried in connections. */
const LIMIT = 40;

const anyName = { checkServerIdentity: (): undefined => undefined };

class Load {
  readonly #port: MessagePort;
  #targets: readonly LoadTarget[] = [];
  readonly #open = new Set<Promise<void>>();
  #turn = 0;
  #due = 0;
  #last = performance.now();

  constructor(port: MessagePort) {
    this.#port = port;
  }

  /** Says so when no call to the targets of before is under way any more. */
  async use(targets: readonly LoadTarget[]): Promise<void> {
    this.#targets = targets;
    await Promise.all(this.#open);
    this.#tell({ kind: 'used' });
  }

  start(perSecond: number): void {
    setInterval(() => this.#tick(perSecond), TICK_MS);
  }

  /** Paces by the clock, not by ticks, which come late on a machine that is busy. */
  #tick(perSecond: number): void {
    const now = performance.now();
    this.#due = Math.min(this.#due + ((now - this.#last) * perSecond) / 1000, LIMIT);
    this.#last = now;
    for (; this.#due >= 1 && this.#open.size < LIMIT; this.#due -= 1) this.#begin();
  }

  #begin(): void {
    const target = this.#targets[this.#turn % this.#targets.length];
    this.#turn += 1;
    if (target === undefined) return;
    const call = this.#call(target).finally(() => this.#open.delete(call));
    this.#open.add(call);
  }

  async #call({ name, call, isAnyName }: LoadTarget): Promise<void> {
    const { status, error, fingerprint = '' } = await callOverTls(isAnyName ? { ...call, options: anyName } : call);
    this.#tell({ kind: 'called', name, fingerprint, failure: status === 200 ? undefined : `${status} ${error}` });
  }

  #tell(message: FromLoad): void {
    this.#port.postMessage(message);
  }
}

if (parentPort === null) throw new Error('this is for a thread of its own');
const load = new Load(parentPort);
parentPort.on('message', (message: ToLoad) => {
  if (message.kind === 'start') load.start(message.perSecond);
  else void load.use(message.targets);
});
