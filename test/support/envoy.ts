import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { openSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { type DiscoverySecurity, renderBootstrap } from '../../src/injector/bootstrap.ts';
import type { JsonObject } from '../../src/injector/json.ts';
import { socketGet } from '../../src/local/socket-get.ts';
import type { Proxy } from '../../src/model/proxy.ts';
import { envoyBinary } from '../../tools/paths.mjs';

export type EnvoyInputs = {
  readonly folder: string;
  readonly proxy: Proxy;
  readonly protocol: 'delta' | 'sotw';
  readonly xdsSocket: string;
  /** How it proves who it is to the control plane, behind that socket; plaintext if nothing is said. */
  readonly security?: DiscoverySecurity;
};

/**
 * A real Envoy with the bootstrap of sidecars, alone in a network namespace: whatever ports it opens clash with nothing. It reaches
 * the control plane, and we reach its admin port, by unix sockets.
 */
export class TestEnvoy {
  readonly #child: ChildProcess;
  readonly #logFile: string;
  readonly #admin: string;

  constructor(inputs: EnvoyInputs) {
    this.#logFile = join(inputs.folder, `${inputs.protocol}.log`);
    this.#admin = join(inputs.folder, `${inputs.protocol}.admin`);
    const log = openSync(this.#logFile, 'a');
    const flags = ['--disable-hot-restart', '--concurrency', '1', '--log-level', 'warning'];
    const envoy = [envoyBinary(), ...flags, '--config-yaml', JSON.stringify(buildBootstrap(inputs, this.#admin))];
    const alone = ['unshare', '--net', 'sh', '-c', 'ip link set lo up && exec "$0" "$@"'];
    this.#child = spawn('setpriv', ['--pdeathsig', 'KILL', ...alone, ...envoy], { stdio: ['ignore', log, log] });
  }

  get log(): readonly string[] {
    return readFileSync(this.#logFile, 'utf8')
      .split('\n')
      .filter((line) => line !== '');
  }

  /** Waits until everything that Envoy was given is in use. */
  async waitUntilLive(withinMs: number): Promise<void> {
    const deadline = performance.now() + withinMs;
    let state = 'never answered';
    while (performance.now() < deadline) {
      if (this.#child.exitCode !== null) throw new Error(`Envoy ended:\n${this.log.join('\n')}`);
      const ready = await socketGet({ path: this.#admin }, '/ready');
      state = `${ready?.status ?? 'no answer'} ${ready?.body ?? ''}`;
      if (ready?.status === 200 && (await this.#warming()) === 0) return;
      await sleep(20);
    }
    throw new Error(`Envoy is not live: ${state}\n${this.log.join('\n')}`);
  }

  async get(path: string): Promise<string> {
    const reply = await socketGet({ path: this.#admin }, path);
    if (reply?.status !== 200) throw new Error(`Envoy ${path}: ${reply?.status ?? 'no answer'}`);
    return reply.body;
  }

  async stats(): Promise<ReadonlyMap<string, number>> {
    const lines = (await this.get('/stats')).split('\n');
    return new Map(
      lines.flatMap((line) => {
        const match = /^(.*): (\d+)$/.exec(line);
        return match?.[1] === undefined ? [] : [[match[1], Number(match[2])]];
      }),
    );
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const ended = once(this.#child, 'exit');
    this.#child.kill('SIGKILL');
    await ended;
  }

  async #warming(): Promise<number> {
    const stats = await this.stats();
    const warming = ['cluster_manager.warming_clusters', 'listener_manager.total_listeners_warming'];
    return warming.reduce((sum, name) => sum + (stats.get(name) ?? 0), 0);
  }
}

/** The bootstrap of pods, except for how it talks to us. */
function buildBootstrap(
  { proxy, protocol, xdsSocket, security = { kind: 'plaintext' } }: EnvoyInputs,
  admin: string,
): JsonObject {
  const [address = '127.0.0.1'] = proxy.addresses;
  const [name = ''] = proxy.name.split('.');
  const text = JSON.stringify(
    renderBootstrap({
      kind: proxy.kind === 'router' ? 'router' : 'sidecar',
      name,
      namespace: proxy.namespace,
      addresses: [address],
      domain: proxy.dnsDomain.replace(/^.*\.svc\./, ''),
      labels: proxy.labels,
      serviceAccount: proxy.serviceAccount,
      workloadName: name,
      clusterId: 'Kubernetes',
      network: proxy.network,
      locality: proxy.locality,
      interception: proxy.interception,
      dnsCapture: proxy.dnsCapture,
      podPorts: [],
      nodeName: '',
      version: '0.0.0',
      discovery: { host: '192.0.2.1', port: 15010, security },
      stats: { kind: 'all' },
      adminSocket: undefined,
      overload: undefined,
    }),
  );
  const discovery = '{"socket_address":{"address":"192.0.2.1","port_value":15010}}';
  if (!text.includes(discovery)) throw new Error('the bootstrap names the control plane otherwise than expected');
  const bootstrap = JSON.parse(
    text
      .replace(discovery, JSON.stringify({ pipe: { path: xdsSocket } }))
      .replace('"DELTA_GRPC"', protocol === 'delta' ? '"DELTA_GRPC"' : '"GRPC"'),
  ) as JsonObject;
  return { ...withIdentity(bootstrap, proxy), admin: { address: { pipe: { path: admin } } } };
}

/** Envoys that talk to us in plaintext may have certificates all the same. */
function withIdentity(bootstrap: JsonObject, { identityFolder }: Proxy): JsonObject {
  if (identityFolder === '') return bootstrap;
  const node = bootstrap['node'] as JsonObject;
  const metadata = { ...(node['metadata'] as JsonObject), IDENTITY_FOLDER: identityFolder };
  return { ...bootstrap, node: { ...node, metadata } };
}
