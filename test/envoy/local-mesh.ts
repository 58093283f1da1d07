import { type ChildProcessByStdio, spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { envoyBinary, nodeBinary } from '../../tools/paths.mjs';

export const canRunLocal = process.platform === 'linux' && process.getuid?.() === 0;

const MAIN = fileURLToPath(new URL('../../src/main.ts', import.meta.url));

export type Ended = { readonly code: number | null; readonly stdout: string; readonly stderr: string };

export type Status = {
  readonly running: boolean;
  readonly ready: boolean;
  readonly problems: readonly { readonly level: string; readonly message: string; readonly position?: object }[];
  readonly pods: readonly {
    readonly name: string;
    readonly deployment: string;
    readonly ready: boolean;
    readonly restarts: number;
    readonly address: string;
    readonly adminSocket: string;
    readonly identity?: { readonly spiffeId: string; readonly notAfter: string };
  }[];
};

/** A folder of YAML with a mesh of its own, in a state folder of its own; `end` leaves nothing of either. */
export class LocalMesh {
  readonly base = mkdtempSync(join(tmpdir(), 'xebec-local-'));
  readonly folder = join(this.base, 'mesh');
  readonly stateRoot = join(this.base, 'state');
  gatewayPort = 0;
  adminPort = 0;

  constructor(files: Readonly<Record<string, string>>) {
    // Envoys run as a user of their own, and have their sockets in the state folder.
    chmodSync(this.base, 0o755);
    mkdirSync(this.folder);
    for (const [name, text] of Object.entries(files)) this.write(name, text);
  }

  write(name: string, text: string): void {
    writeFileSync(join(this.folder, name), text);
  }

  remove(name: string): void {
    rmSync(join(this.folder, name));
  }

  get url(): string {
    return `http://127.0.0.1:${this.gatewayPort}`;
  }

  async up(...args: readonly string[]): Promise<Ended> {
    this.gatewayPort ||= await freePort();
    this.adminPort ||= await freePort();
    const ports = ['--publish', `${this.gatewayPort}:80`, '--admin-port', String(this.adminPort)];
    return this.run('up', this.folder, ...ports, '--timeout', '90', ...args);
  }

  down(): Promise<Ended> {
    return this.run('down', this.folder);
  }

  async status(): Promise<Status> {
    const { stdout } = await this.run('status', this.folder, '-o', 'json');
    return JSON.parse(stdout) as Status;
  }

  exec(pod: string, ...command: readonly string[]): Promise<Ended> {
    return this.run('exec', this.folder, pod, '--', ...command);
  }

  run(...args: readonly string[]): Promise<Ended> {
    return endOf(this.#start(args));
  }

  /** As somebody does who starts it and thinks better of it. */
  interrupt(afterMs: number): Promise<Ended> {
    const child = this.#start(['up', this.folder, '--publish', '1:80', '--admin-port', '2']);
    setTimeout(() => child.kill('SIGINT'), afterMs);
    return endOf(child);
  }

  #start(args: readonly string[]): ChildProcessByStdio<null, Readable, Readable> {
    const env = { ...process.env, XEBEC_STATE: this.stateRoot, XEBEC_ENVOY: envoyBinary() };
    return spawn(nodeBinary, [MAIN, 'local', ...args], { env, stdio: ['ignore', 'pipe', 'pipe'] });
  }

  supervisorPid(): number {
    const [id = ''] = readdirSync(this.stateRoot).filter((name) => /^[0-9a-f]{8}$/.test(name));
    const text = readFileSync(join(this.stateRoot, id, 'supervisor.json'), 'utf8');
    const { process: owner } = JSON.parse(text) as { readonly process: { readonly pid: number } };
    return owner.pid;
  }

  /** The commands of every process that names this mesh's folder or state. */
  processes(): readonly string[] {
    return this.#pids().map(commandOf);
  }

  /** As kill -9 does it; returns how many there were. */
  killEnvoys(): number {
    const envoys = this.#pids().filter((pid) => /^\S*\/bin\/envoy /.test(commandOf(pid)));
    for (const pid of envoys) process.kill(Number(pid), 'SIGKILL');
    return envoys.length;
  }

  #pids(): readonly string[] {
    return readdirSync('/proc').filter(
      (name) => /^\d+$/.test(name) && Number(name) !== process.pid && commandOf(name).includes(this.base),
    );
  }

  mounts(): readonly string[] {
    return readFileSync('/proc/self/mounts', 'utf8')
      .split('\n')
      .filter((line) => line.includes(this.base));
  }

  states(): readonly string[] {
    try {
      return readdirSync(this.stateRoot);
    } catch {
      return [];
    }
  }

  async end(): Promise<void> {
    await this.down();
    rmSync(this.base, { recursive: true, force: true });
  }
}

function endOf(child: ChildProcessByStdio<null, Readable, Readable>): Promise<Ended> {
  let stdout = '';
  let stderr = '';
  child.stdout.setEncoding('utf8').on('data', (text: string) => {
    stdout += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    stderr += text;
  });
  return new Promise((resolve) => {
    child.once('close', (code) => resolve({ code, stdout, stderr }));
  });
}

export async function eventually<T>(
  read: () => Promise<T> | T,
  isFine: (value: T) => boolean,
  seconds = 60,
): Promise<T> {
  const deadline = Date.now() + seconds * 1000;
  for (;;) {
    const value = await read();
    if (isFine(value) || Date.now() > deadline) return value;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

export type Answer = { readonly status: number; readonly body: string };

/** Status 0 when there is no answer. */
export async function fetchText(url: string, headers: Record<string, string> = {}): Promise<Answer> {
  try {
    const response = await fetch(url, { headers, signal: AbortSignal.timeout(10_000) });
    return { status: response.status, body: await response.text() };
  } catch {
    return { status: 0, body: '' };
  }
}

function commandOf(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}

async function freePort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  return typeof address === 'object' && address !== null ? address.port : 0;
}
