import { setImmediate, setTimeout as sleep } from 'node:timers/promises';
import { onTestFinished } from 'vitest';
import { Xebec } from '../../../../src/app/assemble.ts';
import type { Controller, ProcessConfig } from '../../../../src/app/config.ts';
import type { IssuerSource } from '../../../../src/citadel/issuer.ts';
import { MemorySource } from '../../../../src/galley/sources/memory-source.ts';
import type { Source } from '../../../../src/galley/sources/source.ts';
import type { ManualClock } from '../../../../src/kit/manual-clock.ts';
import { systemClock } from '../../../../src/kit/system-clock.ts';
import type { KubeConnection } from '../../../../src/kube/connect.ts';
import { type ClientStream, RpcClient } from '../../../../src/rpc/rpc-client.ts';
import { type LogLevel, makePinoLogger } from '../../../../src/telemetry/pino-logger.ts';
import { PromMetrics } from '../../../../src/telemetry/prom-metrics.ts';
import { processConfig } from '../../../../src/testing/process-config.ts';
import { adsMethods } from '../../../../src/xds/xds.ts';
import type { Manifest } from './manifests.ts';
import { ModelEnvoy, type NodeText, type Protocol } from './model-envoy.ts';

const PATIENCE_MS = 15_000;
/** Both ends are in this process: after so many turns of the event loop without a message none is under way. */
const CALM_TURNS = 12;

export type ProcessOptions = {
  readonly sources?: readonly Source[];
  readonly clock?: ManualClock;
  readonly controllers?: readonly Controller[];
  /** Objects come from this API then, and from nowhere else. */
  readonly kube?: KubeConnection;
  readonly config?: Partial<ProcessConfig>;
  /** Who signs, in place of the process's own authority. */
  readonly issuer?: IssuerSource;
  readonly logLevel?: LogLevel;
};

type Links = { readonly envoy: ModelEnvoy; readonly stream: ClientStream; readonly done: Promise<void> };

/** The whole control plane with its objects in memory, and model Envoys connected over gRPC. */
export class TestProcess {
  readonly source = new MemorySource();
  readonly xebec: Xebec;
  readonly log: string[] = [];
  readonly #stop = new AbortController();
  readonly #links = new Map<ModelEnvoy, Links>();
  #messages = 0;
  #running: Promise<void> | undefined;
  #ports = { xds: 0, plaintext: 0, admin: 0 };
  readonly #clock: ManualClock | undefined;

  /** With a manual clock, time passes only while nothing else can happen. */
  constructor({ sources = [], clock, kube, config, issuer, ...rest }: ProcessOptions = {}) {
    const { controllers = ['galley', 'pilot'], logLevel = 'info' } = rest;
    this.#clock = clock;
    this.xebec = new Xebec({
      // Every change is a batch of its own, so that a test knows when it is through.
      config: processConfig({ controllers, debounceAfterMs: 0, debounceMaxMs: 0, ...config }),
      ...(kube === undefined ? { sources: [this.source, ...sources] } : { kube }),
      ...(issuer === undefined ? {} : { issuer }),
      clock: clock ?? systemClock,
      random: Math.random,
      log: makePinoLogger(logLevel, (line) => this.log.push(line)),
      metrics: new PromMetrics(),
    });
  }

  static async start(objects: readonly Manifest[], options: ProcessOptions = {}): Promise<TestProcess> {
    const process = new TestProcess(options);
    process.source.apply(...objects);
    await process.run();
    await process.until('ready', () => process.xebec.isReady);
    return process;
  }

  /** Serves, and stops when the test is over. */
  async run(): Promise<void> {
    const { xds, xdsPlaintext, admin } = await this.xebec.bind();
    this.#ports = { xds: xds?.port ?? 0, plaintext: xdsPlaintext?.port ?? 0, admin: admin.port };
    this.#running = this.xebec.run(this.#stop.signal);
    onTestFinished(() => this.stop());
  }

  /** Applies objects in one update, and waits until everybody has all that follows from it. */
  async apply(...objects: readonly Manifest[]): Promise<void> {
    await this.#after(() => this.source.apply(...objects));
  }

  async delete(kind: string, namespace: string, name: string): Promise<void> {
    await this.#after(() => this.source.delete(kind, namespace, name));
  }

  /** Connects a new Envoy, or one that was connected before, and waits until it has everything. */
  async connect(node: NodeText | ModelEnvoy, protocol: Protocol = 'delta'): Promise<ModelEnvoy> {
    const envoy = node instanceof ModelEnvoy ? node : new ModelEnvoy(protocol, node);
    await this.connectAll([envoy]);
    return envoy;
  }

  async connectAll(envoys: readonly ModelEnvoy[]): Promise<void> {
    for (const envoy of envoys) {
      const before = this.#streamsOf(envoy);
      const stream = this.open(envoy.protocol);
      this.#links.set(envoy, { envoy, stream, done: this.#follow(envoy, stream) });
      for (const request of envoy.start()) await stream.send(request);
      await this.until('known', () => this.#streamsOf(envoy) > before);
    }
    await this.settled();
  }

  /** A stream without a client behind it. */
  open(protocol: Protocol): ClientStream {
    const client = new RpcClient(`127.0.0.1:${this.#ports.plaintext}`);
    const stream = client.open(adsMethods.find((method) => method.protocol === protocol)?.path ?? '');
    void stream.status.then(() => client.close());
    return stream;
  }

  async disconnect(envoy: ModelEnvoy): Promise<void> {
    const link = this.#links.get(envoy);
    this.#links.delete(envoy);
    const before = this.#streamsOf(envoy);
    link?.stream.cancel();
    await link?.done;
    await this.until('gone', () => this.#streamsOf(envoy) < before);
  }

  /** Waits until no stream has anything to send or to answer, or holds anything back. */
  async settled(): Promise<void> {
    for (let turn = 0; turn < 100; turn += 1) {
      await this.#calm();
      const isPatient = this.xebec.xds.streams().some(({ types }) => types.some(({ held }) => held > 0));
      if (!isPatient) return;
      await (this.#clock === undefined ? sleep(100) : this.#clock.advance(1_000));
    }
    throw new Error(`never settled: ${JSON.stringify(this.xebec.xds.streams())}`);
  }

  async until(what: string, isTrue: () => boolean): Promise<void> {
    const deadline = performance.now() + PATIENCE_MS;
    while (!isTrue()) {
      if (performance.now() > deadline)
        throw new Error(`never ${what}: ${JSON.stringify(this.xebec.xds.streams())}\n${this.log.join('')}`);
      await setImmediate();
      await sleep(1);
    }
  }

  /** The port of xDS over TLS, where it is on. */
  get xdsPort(): number {
    return this.#ports.xds;
  }

  /** Where the pages are. */
  get adminAddress(): string {
    return `127.0.0.1:${this.#ports.admin}`;
  }

  async page(path: string): Promise<{ readonly status: number; readonly text: string }> {
    const reply = await fetch(`http://127.0.0.1:${this.#ports.admin}${path}`);
    return { status: reply.status, text: await reply.text() };
  }

  async stop(): Promise<void> {
    for (const envoy of [...this.#links.keys()]) await this.disconnect(envoy);
    this.#stop.abort();
    const over = Promise.resolve(this.#running).then(() => true);
    const clock = this.#clock;
    const isOver = (): Promise<boolean> =>
      clock === undefined ? over : Promise.race([over, clock.advance(1_000).then(() => false)]);
    while (!(await isOver()));
  }

  #streamsOf({ id, protocol }: ModelEnvoy): number {
    return this.xebec.xds.streams().filter((stream) => stream.proxy === id && stream.protocol === protocol).length;
  }

  /** Waits until no message is under way. */
  async #calm(): Promise<void> {
    let calm = 0;
    await this.until('calm', () => {
      const isQuiet = this.xebec.xds
        .streams()
        .every(({ isWriting, types }) => !isWriting && types.every(({ isAwaitingAnswer }) => !isAwaitingAnswer));
      calm = isQuiet && this.#messages === 0 ? calm + 1 : 0;
      this.#messages = 0;
      return calm > CALM_TURNS;
    });
  }

  async #after(change: () => void): Promise<void> {
    let isTaken = false;
    const ignore = this.xebec.galley.onDiagnostics(() => {
      isTaken = true;
    });
    change();
    await this.until('taken', () => isTaken);
    ignore();
    await this.settled();
  }

  async #follow(envoy: ModelEnvoy, stream: ClientStream): Promise<void> {
    for await (const message of stream.messages) {
      this.#messages += 1;
      for (const answer of envoy.onResponse(message)) await stream.send(answer);
    }
  }
}

type NodeOptions = {
  readonly type?: 'sidecar' | 'router';
  readonly labels?: Readonly<Record<string, string>>;
  readonly metadata?: Readonly<Record<string, unknown>>;
};

/** The node of a pod `shop/reviews` at an address. */
export function node(pod: string, ip: string, { type = 'sidecar', labels, metadata }: NodeOptions = {}): NodeText {
  const [namespace = '', name = ''] = pod.split('/');
  return {
    id: `${type}~${ip}~${name}.${namespace}~${namespace}.svc.cluster.local`,
    metadata: { NAMESPACE: namespace, ...(labels === undefined ? {} : { LABELS: labels }), ...metadata },
  };
}
