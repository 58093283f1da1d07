import { writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ChangeSignal } from '../../kit/change-signal.ts';
import { type Runnable, runAll } from '../../kit/run-group.ts';
import type { Logger } from '../../telemetry/logger.ts';
import type { LocalIo, RunControlPlane } from '../local-io.ts';
import { type MeshReport, meshReportFile } from '../mesh-report.ts';
import { DNS_ADDRESS } from '../plan/addresses.ts';
import { LocalSource, type ObjectSource } from '../plan/local-source.ts';
import type { Programs } from '../programs.ts';
import { adminSocket, type Publish, publishSocket } from '../publish.ts';
import { Relay } from '../relay.ts';
import { mustRun } from '../run-command.ts';
import { writeAtomically } from '../state.ts';
import { DISCOVERY, type ProcessSetting } from './envoy-process.ts';
import { GatewayTarget } from './gateway-target.ts';
import { LateSigner } from './late-signer.ts';
import { LogTrimmer } from './log-trimmer.ts';
import { NameServer } from './name-server.ts';
import { makeOwnEtc } from './own-etc.ts';
import { createBridge, PodNetworks } from './pod-network.ts';
import { Pods } from './pods.ts';

export type MeshOptions = {
  readonly stateFolder: string;
  readonly root: string;
  readonly folder: string;
  readonly meshConfig: string | undefined;
  readonly publish: readonly Publish[];
  readonly workloadCertTtl: string | undefined;
  readonly programs: Programs;
};

export type MeshDeps = {
  readonly runControlPlane: RunControlPlane;
  readonly log: Logger;
  /** From 0 up to 1. */
  readonly random: () => number;
};

const ADMIN_PORT = 8080;
const REPORT_EVERY_MS = 50;
/** A pod that is ready takes traffic once everybody has heard of it. */
const SETTLE_MS = 500;

/**
 * The mesh itself: control plane, pods, and the inner ends of published ports. It runs as the first process of namespaces of
 * its own (processes, network, mounts): when it ends, however it ends, the kernel ends all of them.
 */
export async function runMesh(options: MeshOptions, io: LocalIo, deps: MeshDeps): Promise<void> {
  const stop = new AbortController();
  io.signal.addEventListener('abort', () => stop.abort(), { once: true });
  // The supervisor holds the other end of our input. Its end is ours.
  void io.readStdin().then(() => stop.abort());
  await prepare(options);
  const mesh = new Mesh(options, io, deps);
  await mesh.run(stop.signal);
}

async function prepare({ programs, stateFolder }: MeshOptions): Promise<void> {
  await createBridge(programs);
  await makeOwnEtc(programs, join(stateFolder, 'etc'));
  // Envoy's user may not be allowed into the folder it was fetched to.
  await writeFile(envoyInside(stateFolder), '', { mode: 0o755 });
  await mustRun([programs.mount, '--bind', programs.envoy, envoyInside(stateFolder)]);
}

function envoyInside(stateFolder: string): string {
  return join(stateFolder, 'bin', 'envoy');
}

class Mesh {
  readonly #options: MeshOptions;
  readonly #io: LocalIo;
  readonly #runControlPlane: RunControlPlane;
  readonly #log: Logger;
  readonly #signer = new LateSigner();
  readonly #pods: Pods;
  readonly #changes = new ChangeSignal();
  #source: LocalSource | undefined;
  #movedAt = 0;

  constructor(options: MeshOptions, io: LocalIo, deps: MeshDeps) {
    this.#options = options;
    this.#io = io;
    this.#runControlPlane = deps.runControlPlane;
    this.#log = deps.log;
    this.#pods = new Pods({
      networks: new PodNetworks({ ...options, clock: io.clock, kill: io.kill }),
      setting: settingOf(options, io),
      identities: { signer: this.#signer, random: deps.random },
      clock: io.clock,
      kill: io.kill,
      log: deps.log,
      onChange: () => {
        this.#movedAt = io.clock.monotonic();
        this.#source?.refresh();
        this.#changes.raise();
      },
    });
  }

  async run(signal: AbortSignal): Promise<void> {
    const relays = this.#buildRelays();
    for (const relay of relays) await relay.open();
    try {
      const logs = new LogTrimmer({ folder: join(this.#options.stateFolder, 'logs'), clock: this.#io.clock });
      await runAll([this.#controlPlane(), this.#pods, this.#nameServer(), this.#reporter(), logs], signal);
    } finally {
      await Promise.all(relays.map((relay) => relay.close()));
    }
  }

  #nameServer(): Runnable {
    const resolve = (name: string, asker: string): readonly string[] | undefined => this.#source?.resolve(name, asker);
    return new NameServer({ address: DNS_ADDRESS, resolve, log: this.#log });
  }

  #controlPlane(): Runnable {
    const { folder, meshConfig, workloadCertTtl } = this.#options;
    const wrapSource = (source: ObjectSource): ObjectSource => {
      this.#source = new LocalSource({ folder: source, pods: this.#pods, onChange: () => this.#changes.raise() });
      return this.#source;
    };
    return {
      name: 'control plane',
      run: (signal) =>
        this.#runControlPlane(
          {
            folder,
            meshConfig,
            wrapSource,
            workloadCertTtl,
            useSigner: (signer) => this.#signer.follow(signer),
            xds: DISCOVERY,
            admin: { host: '127.0.0.1', port: ADMIN_PORT },
          },
          signal,
        ),
    };
  }

  #buildRelays(): readonly Relay[] {
    const { stateFolder, publish } = this.#options;
    const admin = new Relay({
      listen: { path: adminSocket(stateFolder) },
      target: () => ({ host: '127.0.0.1', port: ADMIN_PORT }),
    });
    const gateways = publish.map((pair) => {
      const target = new GatewayTarget({
        servicePort: pair.servicePort,
        mesh: () => ({ services: this.#source?.services ?? [], pods: this.#pods.states }),
      });
      return new Relay({ listen: { path: publishSocket(stateFolder, pair) }, target: () => target.next() });
    });
    return [admin, ...gateways];
  }

  /** Writes the report whenever something moved, a few times a second at most. */
  #reporter(): Runnable {
    return {
      name: 'report',
      run: async (signal) => {
        do {
          const report = this.#report();
          await writeAtomically(meshReportFile(this.#options.stateFolder), `${JSON.stringify(report)}\n`);
          await this.#io.clock.sleep(REPORT_EVERY_MS, signal);
          if (!report.ready) this.#changes.raise();
        } while (await this.#changes.next(signal));
      },
    };
  }

  #report(): MeshReport {
    const pods = this.#pods.reports;
    const source = this.#source;
    const isSettled = this.#io.clock.monotonic() - this.#movedAt > SETTLE_MS;
    return {
      ready: source?.isSynced === true && isSettled && pods.every(({ ready }) => ready),
      pods,
    };
  }
}

function settingOf({ programs, stateFolder, root }: MeshOptions, { env, self, version }: LocalIo): ProcessSetting {
  return {
    setpriv: programs.setpriv,
    envoy: envoyInside(stateFolder),
    root,
    // `node` in a command is the Node that runs us.
    path: [dirname(self[0]), env['PATH'] ?? '', '/usr/sbin:/usr/bin:/sbin:/bin']
      .filter((part) => part !== '')
      .join(':'),
    appUser: appUserFrom(env),
    logFolder: join(stateFolder, 'logs'),
    version,
  };
}

/** Whoever called sudo runs the containers too, unless that is Envoy's own number, whose traffic is not captured. */
function appUserFrom(env: LocalIo['env']): ProcessSetting['appUser'] {
  const uid = env['SUDO_UID'] ?? '';
  const gid = env['SUDO_GID'] ?? '';
  if (!/^\d{1,9}$/.test(uid) || !/^\d{1,9}$/.test(gid) || uid === '1337' || gid === '1337') return undefined;
  return { uid: Number(uid), gid: Number(gid) };
}
