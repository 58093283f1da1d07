import { setTimeout as sleep } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { type ClientStream, RpcClient } from '../../../src/rpc/rpc-client.ts';
import { adsMethods } from '../../../src/xds/xds.ts';
import { type Kind, kinds } from '../../feature/pilot/support/contents.ts';
import { ModelEnvoy, type NodeText, type Protocol } from '../../feature/pilot/support/model-envoy.ts';
import { eventually } from '../kube-copy.ts';

const RECONNECT_MS = 50;

/** A model Envoy that connects again when its stream ends, and remembers all that it ever lost. */
export class Client {
  readonly envoy: ModelEnvoy;
  /** Resources that it had, and has no more. */
  readonly losses: string[] = [];
  /** Responses of any kind. */
  responses = 0;
  streams = 0;
  readonly #ports: readonly number[];
  #isOver = false;
  #stream: ClientStream | undefined;
  #running: Promise<void> = Promise.resolve();

  private constructor(ports: readonly number[], envoy: ModelEnvoy) {
    this.#ports = ports;
    this.envoy = envoy;
  }

  /** Connects, until the end of the test; it may have to wait for an answer. Of several ports the next is taken each time. */
  static connect(port: number | readonly number[], node: NodeText, protocol: Protocol = 'delta'): Client {
    return Client.resume(port, new ModelEnvoy(protocol, node));
  }

  /** Connects an Envoy that was connected elsewhere before, and has what it has. */
  static resume(port: number | readonly number[], envoy: ModelEnvoy): Client {
    envoy.take();
    const client = new Client([port].flat(), envoy);
    client.#running = client.#run();
    onTestFinished(() => client.close());
    return client;
  }

  /** Whether it has everything that what it has names. */
  get isComplete(): boolean {
    const { store, warming } = this.envoy;
    const wanted = (['endpoint', 'route', 'secret'] as const).every((kind) =>
      [...this.envoy.subscribed(kind)].every((name) => store[kind].has(name)),
    );
    return store.cluster.size > 0 && store.listener.size > 0 && warming.size === 0 && wanted;
  }

  /** Waits until a text is somewhere in its resources. */
  async has(text: string): Promise<void> {
    await eventually(`${this.envoy.id} has ${text}`, () => this.isComplete && this.mentions(text));
  }

  mentions(text: string): boolean {
    return kinds.some((kind) =>
      [...this.envoy.store[kind].values()].some(({ content }) => JSON.stringify(content.message).includes(text)),
    );
  }

  /** The bytes of all it has. */
  contents(): string {
    return JSON.stringify(this.envoy.contents());
  }

  /** Lets the connection break. */
  cut(): void {
    this.#stream?.cancel();
  }

  async close(): Promise<void> {
    this.#isOver = true;
    this.cut();
    await this.#running;
  }

  async #run(): Promise<void> {
    const path = adsMethods.find(({ protocol }) => protocol === this.envoy.protocol)?.path ?? '';
    while (!this.#isOver) {
      const connection = new RpcClient(`127.0.0.1:${this.#ports[this.streams % this.#ports.length]}`);
      this.#stream = connection.open(path);
      this.streams += 1;
      await this.#follow(this.#stream);
      connection.close();
      await sleep(RECONNECT_MS);
    }
  }

  async #follow(stream: ClientStream): Promise<void> {
    for (const request of this.envoy.start()) await stream.send(request);
    for await (const message of stream.messages) {
      const before = this.#names();
      const answers = this.envoy.onResponse(message);
      const after = new Set(this.#names());
      this.responses += 1;
      this.losses.push(...before.filter((name) => !after.has(name)));
      for (const answer of answers) await stream.send(answer);
    }
    await stream.status;
  }

  #names(): readonly string[] {
    return kinds.flatMap((kind: Kind) => [...this.envoy.store[kind].keys()].map((name) => `${kind} ${name}`));
  }
}
