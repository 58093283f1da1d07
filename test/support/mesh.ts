import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import {
  chmodSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { readFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, onTestFinished } from 'vitest';
import type { PodReport } from '../../src/local/mesh/pod-runner.ts';
import { readMeshReport } from '../../src/local/mesh-report.ts';
import { socketGet } from '../../src/local/socket-get.ts';
import { checkout, envoyBinary, nodeBinary } from '../../tools/paths.mjs';
import type { CallBatch, ClientCommand, Echo, LoadPlan, LoadSummary, Outcome } from './apps/calls.ts';
import { performBatch } from './apps/perform.ts';
import { type Authority, createAuthority } from './certificates.ts';
import { canUseNamespaces, needNamespaces } from './namespaces.ts';
import { commandOverSocket, getOverSocket } from './sockets.ts';
import { isInSync } from './sync.ts';
import type { Manifest, MeshFolders, Workload } from './workloads.ts';

export type MeshOptions = {
  /** MeshConfig, as YAML. */
  readonly meshConfig?: string | ((folders: MeshFolders) => string);
  /** Ports of the gateway's Service that the test can call from outside. */
  readonly publish?: readonly number[];
  /** Settings of the control plane beside those of local mode, such as `XEBEC_WORKLOAD_CERT_TTL`. */
  readonly environment?:
    | Readonly<Record<string, string>>
    | ((folders: MeshFolders) => Readonly<Record<string, string>>);
};

type CallOptions = Omit<CallBatch, 'url'>;

const READY_MS = 90_000;
const SETTLE_MS = 20_000;
const POLL_MS = 30;

/**
 * A mesh in local mode for one test file: `const mesh = useMesh()` at its top, `mesh.given(…)` wherever a test says what it needs; all
 * of it is there when the first test starts. It goes with the file, and with the process if that is killed.
 */
export function useMesh(options: MeshOptions = {}): TestMesh {
  const mesh = new TestMesh(options);
  needNamespaces();
  mesh.before(() => mesh.start());
  afterAll(() => mesh.stop());
  return mesh;
}

export class TestMesh {
  readonly #options: MeshOptions;
  readonly #given: (string | Manifest | Workload)[] = [];
  readonly #root: string;
  readonly #config: string;
  readonly folders: MeshFolders;
  readonly authority: Authority = createAuthority();
  #child: ChildProcess | undefined;
  #published = new Map<number, number>();
  #adminPort = 0;
  #marker = 0;

  constructor(options: MeshOptions) {
    this.#options = options;
    // Short: paths of unix sockets hold 107 bytes.
    this.#root = mkdtempSync('/tmp/xm-');
    // Envoy is another user.
    chmodSync(this.#root, 0o755);
    this.#config = join(this.#root, 'config');
    this.folders = {
      sockets: join(this.#root, 's'),
      certificates: join(this.#root, 'certs'),
      logs: join(this.#root, 'l'),
    };
    for (const folder of [this.#config, ...Object.values(this.folders)]) mkdirSync(folder);
    chmodSync(this.folders.logs, 0o777);
  }

  /** Objects that are there from the start. Call it while tests are declared. */
  given(...objects: readonly (string | Manifest | Workload)[]): void {
    this.#given.push(...objects);
  }

  /** Like `beforeAll`, where there can be a mesh. */
  before(prepare: () => Promise<void>): void {
    beforeAll(() => (canUseNamespaces ? prepare() : undefined));
  }

  /** Writes a certificate for the names as NAME.crt and NAME.key (and ca.crt) where servers and gateways read them. */
  certificate(name: string, names: readonly [string, ...string[]]): void {
    const { certificate, key } = this.authority.issue(names);
    writeFileSync(join(this.folders.certificates, `${name}.crt`), certificate);
    writeFileSync(join(this.folders.certificates, `${name}.key`), key);
    writeFileSync(join(this.folders.certificates, 'ca.crt'), this.authority.certificate);
  }

  async start(): Promise<void> {
    this.certificate('server', ['server.example.com', '*.example.com', '*.default.svc.cluster.local']);
    writeFileSync(
      join(this.#config, '00-given.yaml'),
      this.#given.map((object) => this.#render(object)).join('\n---\n'),
    );
    const { meshConfig, publish = [], environment = {} } = this.#options;
    const settings = typeof environment === 'function' ? environment(this.folders) : environment;
    const meshConfigText = typeof meshConfig === 'function' ? meshConfig(this.folders) : meshConfig;
    if (meshConfigText !== undefined) writeFileSync(join(this.#root, 'mesh-config.yaml'), meshConfigText);
    this.#adminPort = await freePort();
    for (const port of publish) this.#published.set(port, await freePort());
    const flags = [
      ...['local', 'up', this.#config, '--foreground', '--admin-port', String(this.#adminPort)],
      ...(publish.length === 0 ? ['--publish', `${await freePort()}:80`] : []),
      ...[...this.#published].flatMap(([port, hostPort]) => ['--publish', `${hostPort}:${port}`]),
      ...(meshConfig === undefined ? [] : ['--mesh-config', join(this.#root, 'mesh-config.yaml')]),
    ];
    const log = openSync(join(this.#root, 'up.log'), 'a');
    // It dies with us, and the whole mesh with it.
    this.#child = spawn('setpriv', ['--pdeathsig', 'KILL', nodeBinary, join(checkout, 'src', 'main.ts'), ...flags], {
      stdio: ['ignore', log, log],
      env: { ...process.env, ...settings, XEBEC_STATE: join(this.#root, 'r'), XEBEC_ENVOY: envoyBinary() },
    });
    await this.waitUntil('the mesh is ready', async () => (await this.#report())?.ready === true, READY_MS);
    await this.settle();
    this.#expectNoErrors(await this.admin('/debug/diagnosticsz'));
  }

  /** At once: the kernel takes the mesh down with its supervisor, and a farewell to every Envoy takes seconds. */
  async stop(): Promise<void> {
    const child = this.#child;
    if (child !== undefined && child.exitCode === null && child.signalCode === null) {
      const ended = once(child, 'exit');
      child.kill('SIGKILL');
      await ended;
    }
    if (process.env['XEBEC_KEEP'] !== undefined) console.log(`kept ${this.#root}`);
    else rmSync(this.#root, { recursive: true, force: true, maxRetries: 20, retryDelay: 50 });
  }

  /** Writes one file of objects, as an editor does, and waits until every Envoy has what came of it. */
  async apply(name: string, ...objects: readonly (string | Manifest | Workload)[]): Promise<void> {
    this.write(name, ...objects);
    await this.settle();
  }

  /** The same without waiting. */
  write(name: string, ...objects: readonly (string | Manifest | Workload)[]): void {
    const file = join(this.#config, `${name}.yaml`);
    writeFileSync(`${file}.next`, objects.map((object) => this.#render(object)).join('\n---\n'));
    renameSync(`${file}.next`, file);
  }

  /** Applies for the length of one test. */
  async during(name: string, ...objects: readonly (string | Manifest | Workload)[]): Promise<void> {
    onTestFinished(() => this.remove(name));
    await this.apply(name, ...objects);
  }

  async remove(name: string): Promise<void> {
    this.unlink(name);
    await this.settle();
  }

  unlink(name: string): void {
    rmSync(join(this.#config, `${name}.yaml`), { force: true });
  }

  /** Waits until everything written so far has reached every Envoy and was accepted, or says what was not. */
  async settle(): Promise<void> {
    this.#marker += 1;
    const name = `marker-${this.#marker}`;
    // Only its own namespace sees it: no Envoy is touched.
    this.write('zz-marker', {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name, namespace: 'marker', annotations: { 'networking.istio.io/exportTo': '.' } },
      spec: { clusterIP: 'None', ports: [{ name: 'http', port: 1 }] },
    });
    const hostname = `"${name}.marker.svc.cluster.local"`;
    await this.waitUntil(
      'the control plane has read the files',
      async () => (await this.admin('/debug/registryz')).includes(hostname),
      SETTLE_MS,
    );
    let calm = 0;
    await this.waitUntil(
      'all proxies are in sync',
      async () => {
        calm = isInSync(await this.admin('/debug/syncz')) ? calm + 1 : 0;
        return calm >= 3;
      },
      SETTLE_MS,
    );
  }

  /** Requests from inside the pod of a client Deployment. */
  async calls(from: string, url: string, options: CallOptions = {}): Promise<readonly Outcome[]> {
    return (await this.#command(from, { kind: 'calls', batch: { url, ...options } })) as readonly Outcome[];
  }

  async call(from: string, url: string, options: CallOptions = {}): Promise<Outcome> {
    return only(await this.calls(from, url, { ...options, count: 1 }));
  }

  /** Requests from outside, through the published port of the gateway that the URL names. */
  async ingressCalls(url: string, options: CallOptions = {}): Promise<readonly Outcome[]> {
    const port = Number(/^[a-z0-9]+:\/\/[^/]*:(\d+)/.exec(url)?.[1] ?? (/^(?:https|h2):/.test(url) ? 443 : 80));
    const hostPort = this.#published.get(port);
    if (hostPort === undefined) throw new Error(`port ${port} is not published`);
    const { host } = new URL(url.replace(/^[a-z0-9]+:/, 'http:'));
    const moved = url.replace(/^([a-z0-9]+:\/\/)([^/:]+)(?::\d+)?/, `$1$2:${hostPort}`);
    return performBatch({ ...options, url: moved, address: '127.0.0.1', headers: { host, ...options.headers } });
  }

  async ingress(url: string, options: CallOptions = {}): Promise<Outcome> {
    return only(await this.ingressCalls(url, { ...options, count: 1 }));
  }

  async startLoad(from: string, plan: LoadPlan): Promise<void> {
    await this.#command(from, { kind: 'start-load', plan });
  }

  async stopLoad(from: string, id: string): Promise<LoadSummary> {
    return (await this.#command(from, { kind: 'stop-load', id })) as LoadSummary;
  }

  /** What the pods of a Deployment were asked so far. */
  async requests(deployment: string): Promise<readonly Echo[]> {
    const pods = await this.pods(deployment);
    const logs = await Promise.all(
      pods.map(({ name }) => getOverSocket(join(this.folders.sockets, `${name}.log`), '/')),
    );
    return logs.flatMap((log) => JSON.parse(log) as readonly Echo[]);
  }

  async pods(deployment: string): Promise<readonly PodReport[]> {
    return ((await this.#report())?.pods ?? []).filter((pod) => pod.deployment === deployment);
  }

  async addressOf(deployment: string): Promise<string> {
    return (await this.pod(deployment)).address;
  }

  async pod(deployment: string): Promise<PodReport> {
    return only(await this.pods(deployment));
  }

  /** A page of the control plane's admin port. */
  async admin(path: string): Promise<string> {
    const reply = await socketGet({ host: '127.0.0.1', port: this.#adminPort }, path);
    if (reply?.status !== 200) throw new Error(`admin ${path}: ${reply?.status ?? 'no answer'} ${reply?.body ?? ''}`);
    return reply.body;
  }

  /** A page of the Envoy of a Deployment's only pod. */
  async envoyAdmin(deployment: string, path: string): Promise<string> {
    const { adminSocket = '' } = await this.pod(deployment);
    const reply = await socketGet({ path: adminSocket }, path);
    if (reply?.status !== 200) throw new Error(`Envoy of ${deployment} ${path}: ${reply?.status ?? 'no answer'}`);
    return reply.body;
  }

  /** The sum of Envoy's counters and gauges that match. */
  async stat(deployment: string, pattern: RegExp): Promise<number> {
    const text = await this.envoyAdmin(deployment, `/stats?filter=${encodeURIComponent(pattern.source)}`);
    const values = text.split('\n').flatMap((line) => /: (\d+)$/.exec(line)?.[1] ?? []);
    return values.reduce((sum, value) => sum + Number(value), 0);
  }

  /** What the Envoy of a Deployment's only pod wrote, access logs included. */
  async envoyLog(deployment: string): Promise<readonly string[]> {
    const { name } = await this.pod(deployment);
    return this.envoyLogOf(name);
  }

  async envoyLogOf(pod: string): Promise<readonly string[]> {
    return (await readFile(join(this.#stateFolder(), 'logs', `${pod}.envoy.log`), 'utf8')).split('\n');
  }

  controlPlaneLog(): string {
    return readFileSync(join(this.#stateFolder(), 'logs', 'control-plane.log'), 'utf8');
  }

  async waitUntil(what: string, isTrue: () => Promise<boolean>, withinMs = 10_000): Promise<void> {
    const deadline = performance.now() + withinMs;
    let problem = '';
    while (performance.now() < deadline) {
      if (this.#child !== undefined && this.#child.exitCode !== null) break;
      try {
        if (await isTrue()) return;
        problem = '';
      } catch (error) {
        problem = ` (${String(error)})`;
      }
      await sleep(POLL_MS);
    }
    throw new Error(`not within ${withinMs} ms: ${what}${problem}\n${this.#describeTrouble()}`);
  }

  /** A test whose own objects are refused would prove something else than it says. */
  #expectNoErrors(diagnostics: string): void {
    const all = JSON.parse(diagnostics) as readonly { readonly level: string }[];
    const errors = all.filter(({ level }) => level === 'error');
    if (errors.length > 0) throw new Error(`what was given has errors: ${JSON.stringify(errors, undefined, 2)}`);
  }

  #render(object: string | Manifest | Workload): string {
    if (typeof object === 'string') return object;
    return JSON.stringify(typeof object === 'function' ? object(this.folders) : object);
  }

  #command(from: string, command: ClientCommand): Promise<unknown> {
    return commandOverSocket(join(this.folders.sockets, `${from}.client`), command);
  }

  #report() {
    return readMeshReport(this.#stateFolder());
  }

  #stateFolder(): string {
    const root = join(this.#root, 'r');
    const name = readFolder(root).find((entry) => /^[0-9a-f]{8}$/.test(entry));
    return join(root, name ?? 'none');
  }

  #describeTrouble(): string {
    const tail = (file: string): string => readText(file).split('\n').slice(-12).join('\n');
    const sync = join(this.#stateFolder(), 'mesh.json');
    return [join(this.#root, 'up.log'), join(this.#stateFolder(), 'logs', 'control-plane.log'), sync]
      .map((file) => `${file}:\n${tail(file)}`)
      .join('\n');
  }
}

function only<T>(list: readonly T[]): T {
  const [first] = list;
  if (first === undefined || list.length > 1) throw new Error(`expected one, got ${list.length}`);
  return first;
}

function readFolder(path: string): readonly string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return '';
  }
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const bound = server.address();
  server.close();
  return typeof bound === 'object' && bound !== null ? bound.port : 0;
}
