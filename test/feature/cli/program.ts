import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { onTestFinished } from 'vitest';

const XEBEC = fileURLToPath(new URL('../../../bin/xebec', import.meta.url));
const PATIENCE_MS = 15_000;

export type Run = { readonly code: number | null; readonly out: string; readonly err: string };

/** The program as a person starts it. */
export class Program {
  readonly #child: ChildProcess;
  readonly #ended: Promise<unknown>;
  readonly #text = { out: '', err: '' };

  constructor(args: readonly string[], env: Readonly<Record<string, string>> = {}) {
    this.#child = spawn(XEBEC, args, { env: { ...process.env, ...env }, stdio: ['pipe', 'pipe', 'pipe'] });
    this.#child.stdout?.setEncoding('utf8').on('data', (text: string) => (this.#text.out += text));
    this.#child.stderr?.setEncoding('utf8').on('data', (text: string) => (this.#text.err += text));
    this.#ended = once(this.#child, 'close');
    onTestFinished(() => void this.#child.kill('SIGKILL'));
  }

  get err(): string {
    return this.#text.err;
  }

  /** What it logs, line by line. */
  get log(): readonly Readonly<Record<string, unknown>>[] {
    const lines = this.err.split('\n').filter((line) => line.startsWith('{') && line.endsWith('}'));
    return lines.map((line) => JSON.parse(line) as Readonly<Record<string, unknown>>);
  }

  write(text: string): void {
    this.#child.stdin?.end(text);
  }

  signal(name: 'SIGTERM' | 'SIGINT'): void {
    this.#child.kill(name);
  }

  /** Reads nothing of what it prints from now on. */
  closeOutput(): void {
    this.#child.stdout?.destroy();
  }

  async end(): Promise<Run> {
    await this.#ended;
    return { code: this.#child.exitCode, ...this.#text };
  }

  async until<T>(what: string, find: () => T | undefined | Promise<T | undefined>): Promise<T> {
    const deadline = performance.now() + PATIENCE_MS;
    while (performance.now() < deadline && this.#child.exitCode === null) {
      const found = await find();
      if (found !== undefined) return found;
      await sleep(10);
    }
    throw new Error(`never ${what}: ${this.#text.out}\n${this.#text.err}`);
  }
}

export async function run(args: readonly string[], input = ''): Promise<Run> {
  const program = new Program(args);
  program.write(input);
  return program.end();
}

/** A folder of its own for one test, gone afterwards. */
export async function makeFolder(): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'xebec-cli-'));
  onTestFinished(() => rm(path, { recursive: true, force: true }));
  return path;
}

/** A service, its pod and its endpoint, as YAML. */
export function shopYaml(name = 'reviews'): string {
  return `
apiVersion: v1
kind: Service
metadata: { namespace: shop, name: ${name} }
spec: { selector: { app: ${name} }, clusterIP: 10.96.0.1, ports: [{ name: http, port: 80, targetPort: 8080 }] }
---
apiVersion: v1
kind: Pod
metadata: { namespace: shop, name: ${name}-1, labels: { app: ${name}, version: v1 } }
spec: { containers: [{ name: app }] }
status: { phase: Running, podIP: 10.1.0.1, podIPs: [{ ip: 10.1.0.1 }], conditions: [{ type: Ready, status: 'True' }] }
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { namespace: shop, name: ${name} }
spec:
  hosts: [${name}]
  http:
    - match: [{ uri: { prefix: /v1 }, sourceLabels: { version: v1 } }]
      route: [{ destination: { host: ${name} } }]
    - route: [{ destination: { host: ${name} } }]
`;
}

export const PROXY = 'sidecar~10.1.0.1~reviews-1.shop~shop.svc.cluster.local';
