import type { CpuProfile } from '../measure/hot-spots.ts';

/** A connection to a process's inspector: collects garbage, profiles. Opened only after what is measured without it. */
export class Inspector {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  #count = 0;

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener('message', ({ data }) => this.#onMessage(String(data)));
  }

  static async connect(url: string): Promise<Inspector> {
    const socket = new WebSocket(url);
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    socket.addEventListener('open', () => resolve(), { once: true });
    socket.addEventListener('error', () => reject(new Error(`cannot connect to ${url}`)), { once: true });
    await promise;
    return new Inspector(socket);
  }

  /** Twice: what the first pass finalises is freed by the second. */
  async collectGarbage(): Promise<void> {
    await this.#call('HeapProfiler.enable');
    await this.#call('HeapProfiler.collectGarbage');
    await this.#call('HeapProfiler.collectGarbage');
    await this.#call('HeapProfiler.disable');
  }

  /** A number that an expression gives in the process. */
  async evaluate(expression: string): Promise<number> {
    const answer = await this.#call('Runtime.evaluate', { expression, returnByValue: true });
    return Number((answer as { readonly result: { readonly value: unknown } }).result.value);
  }

  async startProfile(): Promise<void> {
    await this.#call('Profiler.enable');
    await this.#call('Profiler.setSamplingInterval', { interval: 500 });
    await this.#call('Profiler.start');
  }

  /** The profile as DevTools reads it. */
  async stopProfile(): Promise<CpuProfile> {
    const { profile } = (await this.#call('Profiler.stop')) as { readonly profile: CpuProfile };
    return profile;
  }

  close(): void {
    this.#socket.close();
  }

  async #call(method: string, params: Readonly<Record<string, unknown>> = {}): Promise<unknown> {
    this.#count += 1;
    const waiting = Promise.withResolvers<unknown>();
    this.#waiting.set(this.#count, waiting);
    this.#socket.send(JSON.stringify({ id: this.#count, method, params }));
    return await waiting.promise;
  }

  #onMessage(text: string): void {
    const { id, result, error } = JSON.parse(text) as {
      readonly id?: number;
      readonly result?: unknown;
      readonly error?: { readonly message: string };
    };
    const waiting = id === undefined ? undefined : this.#waiting.get(id);
    if (id === undefined || waiting === undefined) return;
    this.#waiting.delete(id);
    if (error === undefined) waiting.resolve(result);
    else waiting.reject(new Error(error.message));
  }
}
