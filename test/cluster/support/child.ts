import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';
import { asRecord, numberIn, parseJson } from '../../../src/kube/json.ts';
import { eventually } from '../kube-copy.ts';

const XEBEC = fileURLToPath(new URL('../../../bin/xebec', import.meta.url));

type Port = 'xdsPlaintext' | 'admin' | 'mcp';

/** `xebec serve` as a process of its own, until the end of the test. */
export class Child {
  readonly #process: ChildProcess;
  readonly #ended: Promise<unknown>;
  #text = '';

  /** Ports are free ones unless the arguments say otherwise. */
  constructor(args: readonly string[]) {
    const anywhere = ['--admin=127.0.0.1:0', '--debounce-after=5ms', '--debounce-max=100ms'];
    const xds = args.some((arg) => arg.startsWith('--xds-plaintext')) ? [] : ['--xds-plaintext=127.0.0.1:0'];
    const { KUBECONFIG: _, ...env } = process.env;
    this.#process = spawn(XEBEC, ['serve', ...anywhere, ...xds, ...args], { env, stdio: ['ignore', 'ignore', 'pipe'] });
    this.#process.stderr?.setEncoding('utf8').on('data', (text: string) => (this.#text += text));
    this.#ended = once(this.#process, 'close');
    onTestFinished(async () => {
      this.signal('SIGKILL');
      await this.#ended;
    });
  }

  /** What it logs, line by line. */
  get log(): readonly Readonly<Record<string, unknown>>[] {
    return this.#text.split('\n').map((line) => asRecord(parseJson(line)));
  }

  /** Faults of its own. */
  get errors(): readonly Readonly<Record<string, unknown>>[] {
    return this.log.filter(({ level }) => typeof level === 'number' && level >= 50);
  }

  signal(name: 'SIGTERM' | 'SIGKILL' | 'SIGSTOP' | 'SIGCONT'): void {
    this.#process.kill(name);
  }

  /** The exit code, once it has ended. */
  async ended(): Promise<number | null> {
    await this.#ended;
    return this.#process.exitCode;
  }

  async port(name: Port): Promise<number> {
    const find = (): number | undefined => {
      const bound = this.log.find(({ msg }) => msg === 'serving')?.['bound'];
      return numberIn(asRecord(asRecord(bound)[name]), 'port');
    };
    await eventually('serving', () => find() !== undefined || this.#process.exitCode !== null);
    const port = find();
    if (port === undefined) throw new Error(`no port for ${name}: ${this.#text}`);
    return port;
  }

  async page(path: string): Promise<{ readonly status: number; readonly text: string }> {
    const reply = await fetch(`http://127.0.0.1:${await this.port('admin')}${path}`);
    return { status: reply.status, text: await reply.text() };
  }

  async isReady(): Promise<boolean> {
    return (await this.page('/ready')).status === 200;
  }

  async ready(): Promise<this> {
    await eventually('ready', () => this.isReady());
    return this;
  }
}
