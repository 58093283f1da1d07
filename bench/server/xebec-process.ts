import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, openSync, readFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { setTimeout as sleep } from 'node:timers/promises';
import { nodeBinary } from '../../tools/paths.mjs';
import { serverPrefix } from '../measure/machine.ts';
import { serverProgram } from './build.ts';
import { Inspector } from './inspector.ts';
import { readUsage, type Usage } from './proc.ts';

export type ServerOptions = {
  /** What to serve: a folder, or a Kubernetes API, as a pod finds it. */
  readonly source: string | PodView;
  /** More flags of `xebec serve`. */
  readonly flags?: readonly string[];
  readonly meshConfig?: string;
  /** A folder for its log. */
  readonly work: string;
};

/** What a pod has of its cluster: an address, and the folder of its service account. */
export type PodView = { readonly host: string; readonly port: string; readonly serviceAccount: string };

type Bound = {
  readonly xdsPlaintext: Address;
  readonly xds?: Address;
  readonly admin: Address;
  readonly webhook?: Address;
};
type Address = { readonly host: string; readonly port: number };

/** How the server is run, for reports: everything that is not said here is the default of `xebec serve`. */
export const DEBOUNCE = '100 ms quiet / 10 s at most, the first change at once';

const POLL_MS = 2;
/** A block that begins sooner after a reading of the loop's lateness is not seen. */
const WATCH_MS = 50;
const PATIENCE_MS = 120_000;
let serial = 0;

/** `xebec serve` in a process of its own, on its own core where there are two. */
export class XebecProcess {
  /** When the process was started. */
  readonly startedAt = performance.now();
  readonly #child: ChildProcess;
  readonly #log: string;
  #bound: Bound | undefined;

  constructor({ source, flags = [], meshConfig, work }: ServerOptions) {
    serial += 1;
    this.#log = join(work, `server-${serial}.log`);
    const file = openSync(this.#log, 'w');
    const [program = '', ...args] = [
      ...(typeof source === 'string' ? [] : podPrefix(source)),
      ...serverPrefix(),
      serverProgram,
      ...['serve', '--xds-plaintext', '127.0.0.1:0', '--admin', '127.0.0.1:0', ...flags],
      ...(typeof source === 'string' ? ['--source', source] : ['--kubernetes']),
      ...(meshConfig === undefined ? [] : ['--mesh-config', meshConfig]),
    ];
    // The inspector's port is used only when it is asked for, by SIGUSR1.
    const path = `${dirname(nodeBinary)}${delimiter}${process.env['PATH'] ?? ''}`;
    const env = {
      ...{ ...process.env, PATH: path, NODE_OPTIONS: '--inspect-port=127.0.0.1:0' },
      ...(typeof source === 'string'
        ? {}
        : { KUBERNETES_SERVICE_HOST: source.host, KUBERNETES_SERVICE_PORT: source.port }),
    };
    this.#child = spawn(program, args, { stdio: ['ignore', file, file], env });
    closeSync(file);
  }

  get pid(): number {
    if (this.#child.pid === undefined) throw new Error('the server did not start');
    return this.#child.pid;
  }

  /** Where it serves ADS, as soon as it does. */
  async address(): Promise<string> {
    const { xdsPlaintext: xds } = await this.#whenBound();
    return `${xds.host}:${xds.port}`;
  }

  /** Where it serves over TLS. */
  async securePort(): Promise<number> {
    const { xds } = await this.#whenBound();
    if (xds === undefined) throw new Error('the server has no port over TLS');
    return xds.port;
  }

  /** Where it serves admission reviews. */
  async webhookPort(): Promise<number> {
    const { webhook } = await this.#whenBound();
    if (webhook === undefined) throw new Error('the server has no webhook');
    return webhook.port;
  }

  /** Waits until it has built its first snapshot. */
  async ready(): Promise<void> {
    const { admin } = await this.#whenBound();
    await this.#waitFor('be ready', async () => {
      const answer = await fetch(`http://${admin.host}:${admin.port}/ready`).catch(() => undefined);
      return answer?.status === 200 ? true : undefined;
    });
  }

  usage(): Usage {
    return readUsage(this.pid);
  }

  /** The sum of a metric's samples that have these labels. */
  async metric(name: string, labels: Readonly<Record<string, string>> = {}): Promise<number> {
    const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
    return sumOf(await this.#metrics(), name, wanted);
  }

  /** How late its event loop was since this was read the last time. */
  async readLoop(): Promise<{ readonly p99Ms: number; readonly maxMs: number }> {
    // Reading begins a new period, so both gauges must be of one text.
    const text = await this.#metrics();
    await sleep(WATCH_MS);
    const p99 = sumOf(text, 'nodejs_eventloop_lag_p99_seconds', []);
    return { p99Ms: p99 * 1000, maxMs: sumOf(text, 'nodejs_eventloop_lag_max_seconds', []) * 1000 };
  }

  async inspect(): Promise<Inspector> {
    // The second time it does nothing.
    this.#child.kill('SIGUSR1');
    const url = await this.#waitFor('open its inspector', () => /ws:\/\/\S+/.exec(this.#readLog())?.[0]);
    return await Inspector.connect(url);
  }

  /** Frees what can be freed, and reads what is left. */
  async usageAfterGc(): Promise<Usage & { readonly heapMiB: number }> {
    const inspector = await this.inspect();
    await inspector.collectGarbage();
    const heap = await inspector.evaluate('process.memoryUsage().heapUsed');
    inspector.close();
    // The allocator gives pages back a moment later.
    await sleep(300);
    return { ...this.usage(), heapMiB: heap / 1024 / 1024 };
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }

  async #metrics(): Promise<string> {
    const { admin } = await this.#whenBound();
    return await (await fetch(`http://${admin.host}:${admin.port}/metrics`)).text();
  }

  async #whenBound(): Promise<Bound> {
    this.#bound ??= await this.#waitFor('serve', () => {
      const line = /^\{.*"message":"serving".*\}$|^\{.*"msg":"serving".*\}$/m.exec(this.#readLog())?.[0];
      return line === undefined ? undefined : (JSON.parse(line) as { readonly bound: Bound }).bound;
    });
    return this.#bound;
  }

  async #waitFor<T>(what: string, look: () => T | undefined | Promise<T | undefined>): Promise<T> {
    const until = performance.now() + PATIENCE_MS;
    while (performance.now() < until) {
      const found = await look();
      if (found !== undefined) return found;
      if (this.#child.exitCode !== null || this.#child.signalCode !== null) break;
      await sleep(POLL_MS);
    }
    throw new Error(`the server did not ${what}:\n${this.#readLog().slice(-4000)}`);
  }

  #readLog(): string {
    return readFileSync(this.#log, 'utf8');
  }
}

function sumOf(text: string, name: string, labels: readonly string[]): number {
  const samples = text
    .split('\n')
    .filter((line) => line.startsWith(`${name} `) || line.startsWith(`${name}{`))
    .filter((line) => labels.every((label) => line.includes(label)));
  if (samples.length === 0) return Number.NaN;
  return samples.reduce((sum, line) => sum + Number(line.slice(line.lastIndexOf(' ') + 1)), 0);
}

/** Words before a command that put a service account where pods have theirs, in a file system of its own. Needs root. */
function podPrefix({ serviceAccount }: PodView): readonly string[] {
  const place = '/run/secrets/kubernetes.io';
  const script = `mount -t tmpfs none /run && mkdir -p ${place} && ln -s "$0" ${place}/serviceaccount && exec "$@"`;
  return ['unshare', '--mount', 'sh', '-c', script, serviceAccount];
}
