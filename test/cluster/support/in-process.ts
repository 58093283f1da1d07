import { onTestFailed, onTestFinished } from 'vitest';
import { Xebec } from '../../../src/app/assemble.ts';
import type { ProcessConfig } from '../../../src/app/config.ts';
import type { Clock } from '../../../src/kit/clock.ts';
import { systemClock } from '../../../src/kit/system-clock.ts';
import { connectKubeApi, type KubeConnection } from '../../../src/kube/connect.ts';
import { makePinoLogger } from '../../../src/telemetry/pino-logger.ts';
import { PromMetrics } from '../../../src/telemetry/prom-metrics.ts';
import { processConfig } from '../../../src/testing/process-config.ts';
import { eventually } from '../kube-copy.ts';

/** Of the log, when a test fails. */
const LINES = 40;

export type InProcessInputs = {
  readonly kubeconfig: string;
  readonly config?: Partial<ProcessConfig>;
  /** The clock of the connection to the API server alone: of its silences. */
  readonly connectionClock?: Clock;
};

/** A whole xebec of this process on an API server, until the end of the test. */
export class InProcess {
  readonly xebec: Xebec;
  readonly log: string[] = [];
  xdsPort = 0;
  /** Over TLS, where it is on. */
  secureXdsPort = 0;
  readonly #metrics = new PromMetrics();
  readonly #kube: KubeConnection;
  readonly #stop = new AbortController();
  #running: Promise<void> = Promise.resolve();

  private constructor(kube: KubeConnection, config: Partial<ProcessConfig>, log: string[]) {
    this.log = log;
    this.#kube = kube;
    this.xebec = new Xebec({
      config: processConfig({
        source: undefined,
        kubernetes: true,
        replica: 'xebec-0',
        debounceAfterMs: 5,
        debounceMaxMs: 100,
        ...config,
      }),
      kube,
      clock: systemClock,
      random: Math.random,
      log: makePinoLogger('info', (line) => log.push(line)),
      metrics: this.#metrics,
    });
  }

  /** Serves; whether it is ready is another matter. */
  static async start({ kubeconfig, config = {}, connectionClock = systemClock }: InProcessInputs): Promise<InProcess> {
    const log: string[] = [];
    const kube = await connectKubeApi({
      access: { kind: 'kubeconfig', path: kubeconfig },
      clock: connectionClock,
      log: makePinoLogger('info', (line) => log.push(line)),
      metrics: new PromMetrics(),
      userAgent: 'xebec-test',
    });
    if (!kube.ok) throw new Error(kube.error);
    const process = new InProcess(kube.value, config, log);
    const { xds, xdsPlaintext } = await process.xebec.bind();
    process.xdsPort = xdsPlaintext?.port ?? 0;
    process.secureXdsPort = xds?.port ?? 0;
    process.#running = process.xebec.run(process.#stop.signal);
    onTestFailed(() => console.error(log.slice(-LINES).join('')));
    onTestFinished(() => process.stop());
    return process;
  }

  async ready(): Promise<void> {
    await eventually(`ready; it waits for ${this.xebec.galley.waitingFor().join(', ')}`, () => this.xebec.isReady);
  }

  /** Codes of what it says of its sources and objects. */
  codes(): readonly string[] {
    return this.xebec.galley.diagnostics().map(({ code }) => code);
  }

  /** Faults of its own. A person is told of forbidden resources and the like by other means. */
  errors(): readonly string[] {
    return this.log.filter((line) => line.includes('"level":50'));
  }

  /** The sum of a counter over its labels. */
  async counted(name: string, label = ''): Promise<number> {
    const lines = (await this.#metrics.expose()).split('\n');
    const found = lines.filter((line) => line.startsWith(name) && line.includes(label));
    return found.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
  }

  async stop(): Promise<void> {
    this.#stop.abort();
    await this.#running;
    await this.#kube.close();
  }
}
