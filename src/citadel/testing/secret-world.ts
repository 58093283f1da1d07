import { ManualClock } from '../../kit/manual-clock.ts';
import type { EventNote, EventSubject, KubeObject } from '../../kube/api.ts';
import { asRecord, textIn } from '../../kube/json.ts';
import { countingLog } from '../../kube/testing/copy.ts';
import { PromMetrics } from '../../telemetry/prom-metrics.ts';
import { SecretController } from '../secrets/secret-controller.ts';
import type { SecretRules } from '../secrets/secret-keeper.ts';
import { TestIssuers, testIssuer, testRoot } from './issuers.ts';
import { MemoryKube, start } from './memory-kube.ts';

export const HOUR_MS = 3_600_000;

export const rules: SecretRules = {
  ownNamespace: 'istio-system',
  listened: [],
  enabledByDefault: true,
  graceRatio: 0.5,
  minGraceMs: 600_000,
  lifetimeMs: 24 * HOUR_MS,
};

export const root = testRoot('one');
export const otherRoot = testRoot('two');

/** A cluster in memory in time that stands still, and a secret controller that leads when it is told to. */
export class SecretWorld {
  readonly kube = new MemoryKube();
  readonly clock = new ManualClock();
  readonly issuers = new TestIssuers(testIssuer(root));
  readonly events: (EventNote & { readonly subject: EventSubject })[] = [];
  readonly metrics = new PromMetrics();
  readonly lines: string[];
  readonly #controller: SecretController;
  #end: (() => Promise<void>) | undefined;

  constructor(own: Partial<SecretRules> = {}) {
    const { log, lines } = countingLog();
    this.lines = lines;
    this.#controller = new SecretController({
      kube: this.kube,
      reflect: this.kube.reflect,
      leadership: { whileLeading: (work, signal) => work(signal) },
      events: { record: (subject, note) => void this.events.push({ ...note, subject }) },
      issuers: this.issuers,
      rules: { ...rules, ...own },
      clock: this.clock,
      random: () => 0.5,
      log,
      metrics: this.metrics,
    });
  }

  get isLed(): boolean {
    return this.#end !== undefined;
  }

  namespace(name: string, labels: Readonly<Record<string, string>> = {}, more: object = {}): void {
    this.kube.put('namespaces', { metadata: { name, labels, ...more } });
  }

  account(namespace: string, name: string): void {
    this.kube.put('serviceaccounts', { metadata: { namespace, name } });
  }

  removeAccount(namespace: string, name: string): void {
    this.kube.remove('serviceaccounts', { namespace, name });
  }

  secret(namespace: string, account: string): KubeObject | undefined {
    return this.kube.find('secrets', namespace, `istio.${account}`);
  }

  /** One of the files in a Secret; empty when there is none. */
  file(namespace: string, account: string, name: string): string {
    const data = asRecord(this.secret(namespace, account)?.['data']);
    return Buffer.from(textIn(data, name), 'base64').toString('utf8');
  }

  /** Changes a Secret as somebody else does. */
  edit(namespace: string, account: string, change: (secret: KubeObject) => KubeObject): void {
    const known = this.secret(namespace, account);
    if (known !== undefined) this.kube.put('secrets', change(known));
  }

  lead(): void {
    this.#end ??= start(this.#controller);
  }

  async resign(): Promise<void> {
    await this.#end?.();
    this.#end = undefined;
  }

  /** Until nothing more happens, time standing still. */
  async settle(): Promise<void> {
    for (let quiet = 0, calls = -1; quiet < 12; quiet += 1) {
      if (calls !== this.kube.calls) quiet = 0;
      calls = this.kube.calls;
      await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Lets time go on, step by step. */
  async pass(ms: number, steps = 1): Promise<void> {
    for (let step = 0; step < steps; step += 1) {
      await this.clock.advance(ms / steps);
      await this.settle();
    }
  }

  async counted(name: string): Promise<number> {
    const lines = (await this.metrics.expose()).split('\n').filter((line) => line.startsWith(name));
    return lines.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' '))), 0);
  }
}
