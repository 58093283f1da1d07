import { readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkout } from '../../tools/paths.mjs';
import { AdminClient, type ApiReply } from './admin-client.ts';
import { clusterBinaries, demandBinaries } from './binaries.ts';
import { type CommandResult, runCommand } from './command.ts';
import { Daemon } from './daemon.ts';
import { buildApiServer, buildControllers, buildEtcd, type DaemonsInputs, etcdUrl } from './daemons.ts';
import { FlakyProxy } from './flaky-proxy.ts';
import { freePorts } from './free-ports.ts';
import { createKeys } from './keys.ts';
import { buildKubeconfig, type Credentials } from './kubeconfig.ts';
import { createRunFolder } from './run-folder.ts';

export type ApiServerOptions = {
  /** Also kube-controller-manager: service accounts in new namespaces, garbage collection, EndpointSlices, Deployments. */
  readonly controllers?: boolean;
  /** What the server listens on and tells others; anything but loopback makes it listen on all addresses. */
  readonly address?: string;
  readonly port?: number;
  /** More names and addresses that its certificate is for. */
  readonly names?: readonly string[];
  /** More flags of kube-apiserver. */
  readonly flags?: readonly string[];
  /** A command that runs each program, for example `nsenter --net=…`; `address` must then be one that we reach. */
  readonly prefix?: readonly string[];
};

const START_MS = 60_000;
/** Long enough to end by itself when nobody watches; with watches it would wait for a minute. */
const GRACE_MS = 2_000;

/** Starts a real API server (etcd, kube-apiserver and perhaps the controllers) and waits until it answers. */
export async function startApiServer(options: ApiServerOptions = {}): Promise<ApiServer> {
  const server = await ApiServer.prepare(options);
  try {
    await server.start();
  } catch (error) {
    await server.stop({ keepLogs: true });
    throw error;
  }
  return server;
}

/** A real API server on loopback, with an authority and a folder of its own. Everything of it ends with `stop`, or with this process. */
export class ApiServer {
  /** Logs, keys, data. `stop` removes it. */
  readonly folder: string;
  readonly url: string;
  readonly keys: DaemonsInputs['keys'];
  /** The file for the administrator. */
  readonly kubeconfig: string;
  readonly #inputs: DaemonsInputs;
  readonly #admin: AdminClient;
  readonly #hasControllers: boolean;
  readonly #proxies: FlakyProxy[] = [];
  #etcd: Daemon | undefined;
  #server: Daemon | undefined;
  #controllers: Daemon | undefined;
  #files = 0;

  private constructor(inputs: DaemonsInputs, hasControllers: boolean) {
    this.#inputs = inputs;
    this.#hasControllers = hasControllers;
    this.folder = inputs.folder;
    this.keys = inputs.keys;
    this.url = `https://${inputs.address}:${inputs.ports.api}`;
    this.#admin = new AdminClient(this.url, inputs.keys);
    this.kubeconfig = this.#writeKubeconfig({ kind: 'certificate', certificate: inputs.keys.admin }, this.url);
  }

  /** The folder, keys and ports of a server, not started yet. */
  static async prepare(options: ApiServerOptions): Promise<ApiServer> {
    const binaries = clusterBinaries();
    const { controllers = false, address = '127.0.0.1', names = [], flags = [], prefix = [] } = options;
    const { apiserver, kubectl, controllerManager } = binaries.kubernetes;
    demandBinaries(binaries.etcd, apiserver, kubectl, ...(controllers ? [controllerManager] : []));
    const [free = 0, etcd = 0, etcdPeer = 0] = await freePorts(3);
    const folder = createRunFolder();
    const own = ['kubernetes.default', 'kubernetes.default.svc', 'localhost', '127.0.0.1', '10.96.0.1', address];
    // Without its controller no namespace has the service account that the admission plugin demands of a pod.
    const withoutControllers = controllers ? [] : ['--disable-admission-plugins=ServiceAccount'];
    const inputs = {
      binaries,
      folder,
      keys: createKeys(folder, [...new Set([...own, ...names])]),
      ports: { api: options.port ?? free, etcd, etcdPeer },
      address,
      prefix,
      flags: [...withoutControllers, ...flags],
    };
    return new ApiServer(inputs, controllers);
  }

  /** Starts what `prepare` prepared. */
  async start(): Promise<void> {
    this.#etcd = new Daemon(buildEtcd(this.#inputs));
    await this.#etcd.waitUntil(async () => (await this.#callEtcd('maintenance/status', {})) !== undefined, START_MS);
    await this.up();
    if (!this.#hasControllers) return;
    this.#controllers = new Daemon(buildControllers(this.#inputs, this.kubeconfig));
    const account = '/api/v1/namespaces/default/serviceaccounts/default';
    await this.#controllers.waitUntil(async () => (await this.call('GET', account)).status === 200, START_MS);
  }

  /** Of the processes that run. */
  get pids(): readonly number[] {
    return [this.#etcd, this.#server, this.#controllers].flatMap((daemon) => {
      const isRunning = daemon?.pid !== undefined && !daemon.hasEnded;
      return isRunning ? [daemon.pid] : [];
    });
  }

  /** Calls the API as the administrator; status 0 is no answer. */
  call(method: 'GET' | 'POST' | 'DELETE', path: string, body?: object): Promise<ApiReply> {
    return this.#admin.call(method, path, body);
  }

  /** Runs kubectl, as the administrator unless `--kubeconfig` says otherwise. */
  kubectl(args: readonly string[], stdin?: string): Promise<CommandResult> {
    return runCommand({
      program: this.#inputs.binaries.kubernetes.kubectl,
      args,
      environment: { KUBECONFIG: this.kubeconfig, KUBECACHEDIR: join(this.folder, 'kubectl') },
      stdin,
    });
  }

  /** Applies the CRDs of the project and waits until they are served. */
  async applyCrds(folder = join(checkout, 'crds/')): Promise<void> {
    await this.#demand(['apply', '--server-side', '-f', folder]);
    await this.#demand(['wait', '--for=condition=Established', '--timeout=60s', '-f', folder]);
  }

  /** A token of a service account (`namespace/name`), which is created if need be; its namespace is there. */
  async tokenFor(serviceAccount: string): Promise<string> {
    const [namespace = '', name = ''] = serviceAccount.split('/');
    const accounts = `/api/v1/namespaces/${namespace}/serviceaccounts`;
    const created = await this.call('POST', accounts, { metadata: { name } });
    if (created.status !== 201 && created.status !== 409) throw new Error(`${serviceAccount}: ${created.body}`);
    const reply = await this.call('POST', `${accounts}/${name}/token`, {});
    if (reply.status !== 201) throw new Error(`no token for ${serviceAccount}: ${reply.body}`);
    return (JSON.parse(reply.body) as { readonly status: { readonly token: string } }).status.token;
  }

  /** The file of a user, known by a certificate; what he may do is up to RBAC. `url` may be that of a flaky proxy. */
  userKubeconfig(user: string, groups: readonly string[] = [], url = this.url): string {
    const certificate = this.keys.authority.issueToUser(user, groups);
    return this.#writeKubeconfig({ kind: 'certificate', certificate }, url);
  }

  /** The file of whoever holds the token. */
  tokenKubeconfig(token: string, url = this.url): string {
    return this.#writeKubeconfig({ kind: 'token', token }, url);
  }

  /** A proxy in front of this server that fails when told to; ends with the server. */
  async flakyProxy(): Promise<FlakyProxy> {
    const proxy = await FlakyProxy.start({ host: this.#inputs.address, port: this.#inputs.ports.api });
    this.#proxies.push(proxy);
    return proxy;
  }

  /** Ends kube-apiserver alone: connections are refused, etcd keeps the objects. */
  async down(): Promise<void> {
    await this.#server?.stop(GRACE_MS);
  }

  /** Starts kube-apiserver again, on the same port. */
  async up(): Promise<void> {
    this.#server = new Daemon(buildApiServer(this.#inputs));
    await this.#server.waitUntil(() => this.#isReady(), START_MS);
  }

  async restart(): Promise<void> {
    await this.down();
    await this.up();
  }

  /**
   * Forgets all revisions of etcd but the current one. The API server answers watches from its own memory as long as it can: what was
   * compacted is 410 Gone to a watch only after a restart.
   */
  async compact(): Promise<void> {
    const range = await this.#callEtcd('kv/range', { key: Buffer.from('/').toString('base64'), count_only: true });
    const revision = (range as { readonly header?: { readonly revision: string } } | undefined)?.header?.revision;
    const done = await this.#callEtcd('kv/compaction', { revision, physical: true });
    if (revision === undefined || done === undefined) throw new Error('etcd does not compact');
  }

  /** Ends every process. The logs go, unless something failed. */
  async stop({ keepLogs = false }: { readonly keepLogs?: boolean } = {}): Promise<void> {
    await Promise.all(this.#proxies.map((proxy) => proxy.stop()));
    // Nobody needs this data again, so nobody is asked to end in order.
    await Promise.all([this.#controllers?.stop(), this.#server?.stop(), this.#etcd?.stop()]);
    if (keepLogs) {
      for (const name of readdirSync(this.folder).filter((name) => !name.endsWith('.log')))
        rmSync(join(this.folder, name), { recursive: true, force: true });
      console.error(`the logs of the API server are in ${this.folder}`);
    } else rmSync(this.folder, { recursive: true, force: true });
  }

  async #isReady(): Promise<boolean> {
    if ((await this.call('GET', '/readyz')).status !== 200) return false;
    return (await this.call('GET', '/api/v1/namespaces/default')).status === 200;
  }

  async #demand(args: readonly string[]): Promise<void> {
    const { status, stderr } = await this.kubectl(args);
    if (status !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`);
  }

  #writeKubeconfig(credentials: Credentials, server: string): string {
    const file = join(this.folder, `kubeconfig-${this.#files++}`);
    const authority = this.keys.authority.certificate;
    writeFileSync(file, buildKubeconfig({ server, authority, credentials }), { mode: 0o600 });
    return file;
  }

  /** The JSON form of etcd's API. Undefined: no answer, or a refusal. */
  async #callEtcd(path: string, body: object): Promise<unknown> {
    try {
      const url = `${etcdUrl(this.#inputs)}/v3/${path}`;
      const reply = await fetch(url, { method: 'POST', body: JSON.stringify(body) });
      return reply.ok ? await reply.json() : undefined;
    } catch {
      return undefined;
    }
  }
}
