import { type ChildProcess, spawn } from 'node:child_process';
import { createHash } from 'node:crypto';
import { chmod, chown, mkdir, readdir, readlink, rm, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { POD_IDENTITY_FOLDER } from '../../app/pod-identities.ts';
import { buildCaptureRules, PROXY_OWNER, renderRestore } from '../../injector/iptables.ts';
import type { Clock } from '../../kit/clock.ts';
import type { Kill } from '../local-io.ts';
import { BRIDGE_ADDRESS, DNS_ADDRESS, POD_PREFIX_LENGTH } from '../plan/addresses.ts';
import type { PodPlan } from '../plan/pod-plan.ts';
import type { Programs } from '../programs.ts';
import { mustRun } from '../run-command.ts';

const BRIDGE = 'xebec';

export type NetworksInputs = {
  readonly programs: Programs;
  readonly stateFolder: string;
  readonly clock: Clock;
  readonly kill: Kill;
};

/** Where a pod keeps what it needs on disk. */
export type PodFolder = {
  readonly path: string;
  readonly adminSocket: string;
  /** With its identity; in memory, and at `/etc/certs` inside the pod. */
  readonly identity: string;
};

/** A pod's namespaces, held by a process that does nothing else. */
export type PodPlace = {
  readonly folder: PodFolder;
  readonly holder: ChildProcess;
  readonly pid: number;
  /** Enters the pod's network and mounts; the command follows. */
  readonly enter: readonly [string, ...string[]];
};

/** The bridge of the mesh, in the network namespace of this process. */
export async function createBridge(programs: Programs): Promise<void> {
  const batch = [
    'link set lo up',
    `link add ${BRIDGE} type bridge`,
    `addr add ${BRIDGE_ADDRESS}/${POD_PREFIX_LENGTH} dev ${BRIDGE}`,
    `addr add ${DNS_ADDRESS}/32 dev ${BRIDGE}`,
    `link set ${BRIDGE} up`,
  ];
  await mustRun([programs.ip, '-batch', '-'], `${batch.join('\n')}\n`);
  // With forwarding on and no route beyond the bridge, packets to nowhere are refused at once instead of vanishing.
  await writeFile('/proc/sys/net/ipv4/ip_forward', '1');
}

/** Makes the network and mount namespaces of pods inside those of this process: nothing outside sees them. */
export class PodNetworks {
  readonly #programs: Programs;
  readonly #stateFolder: string;
  readonly #clock: Clock;
  readonly #kill: Kill;

  constructor(inputs: NetworksInputs) {
    this.#programs = inputs.programs;
    this.#stateFolder = inputs.stateFolder;
    this.#clock = inputs.clock;
    this.#kill = inputs.kill;
  }

  folderOf(plan: Pick<PodPlan, 'namespace' | 'name'>): PodFolder {
    // Short, since the path of a unix socket holds 107 bytes and a Deployment's name may be long.
    const id = createHash('sha256').update(`${plan.namespace}/${plan.name}`).digest('hex').slice(0, 10);
    const path = join(this.#stateFolder, 'pods', id);
    return { path, adminSocket: join(path, 'envoy', 'admin.sock'), identity: join(POD_IDENTITY_FOLDER, id) };
  }

  async create(plan: PodPlan, address: string): Promise<PodPlace> {
    const folder = this.folderOf(plan);
    await this.#remove(folder);
    await this.#writeFiles(plan, address, folder);
    const place = await this.#hold(folder);
    try {
      await this.#bindFiles(place);
      await this.#connect(place, address);
      await this.#capture(plan, place);
      return place;
    } catch (error) {
      await this.destroy(place);
      throw error;
    }
  }

  /** Ends whatever still runs inside; with its last process a namespace goes. Safe to call twice. */
  async destroy({ holder, pid, folder }: PodPlace): Promise<void> {
    if (holder.exitCode === null && holder.signalCode === null) {
      for (const other of await processesBeside(pid)) this.#kill(other, 'SIGKILL');
      holder.kill('SIGKILL');
    }
    await this.#remove(folder);
  }

  async #remove({ path, identity }: PodFolder): Promise<void> {
    await rm(path, { recursive: true, force: true });
    await rm(identity, { recursive: true, force: true });
  }

  async #hold(folder: PodFolder): Promise<PodPlace> {
    const { unshare, sleep, nsenter } = this.#programs;
    const holder = spawn(unshare, ['--net', '--mount', '--propagation', 'private', sleep, 'infinity'], {
      stdio: 'ignore',
    });
    holder.on('error', () => undefined);
    const { pid } = holder;
    if (pid === undefined) throw new Error(`${unshare} cannot be started`);
    await this.#waitUntilApart(holder, pid);
    return { folder, holder, pid, enter: [nsenter, `--target=${pid}`, '--net', '--mount'] };
  }

  /** It begins in our own namespaces, and to enter it then would be to change ours. */
  async #waitUntilApart(holder: ChildProcess, pid: number): Promise<void> {
    const never = new AbortController().signal;
    const [network, mounts] = [await namespaceOf('self', 'net'), await namespaceOf('self', 'mnt')];
    while ((await namespaceOf(pid, 'net')) === network || (await namespaceOf(pid, 'mnt')) === mounts) {
      if (holder.exitCode !== null) throw new Error(`namespaces cannot be made: unshare ended with ${holder.exitCode}`);
      await this.#clock.sleep(1, never);
    }
  }

  async #writeFiles(plan: PodPlan, address: string, folder: PodFolder): Promise<void> {
    const { namespace, name } = plan;
    const envoyFolder = join(folder.path, 'envoy');
    await mkdir(envoyFolder, { recursive: true });
    await chmod(folder.path, 0o755);
    await mkdir(folder.identity);
    for (const owned of [envoyFolder, folder.identity]) {
      await chown(owned, PROXY_OWNER.uids[0] ?? 0, PROXY_OWNER.gids[0] ?? 0);
    }
    await chmod(folder.identity, 0o500);
    const search = [`${namespace}.svc.cluster.local`, 'svc.cluster.local', 'cluster.local'];
    const files = {
      'resolv.conf': `nameserver ${DNS_ADDRESS}\nsearch ${search.join(' ')}\noptions ndots:5\n`,
      hosts: `127.0.0.1 localhost\n::1 localhost ip6-localhost\n${address} ${name}\n`,
      // Names come from files and DNS alone, whatever daemons the host asks.
      'nsswitch.conf': 'passwd: files\ngroup: files\nhosts: files dns\n',
    };
    for (const [file, text] of Object.entries(files)) await writeFile(join(folder.path, file), text, { mode: 0o644 });
  }

  async #bindFiles({ folder, enter }: PodPlace): Promise<void> {
    // Over those of all pods: it sees its own identity only.
    await mustRun([...enter, this.#programs.mount, '--bind', folder.identity, POD_IDENTITY_FOLDER]);
    for (const file of ['resolv.conf', 'hosts', 'nsswitch.conf']) {
      if (!(await exists(`/etc/${file}`))) continue;
      await mustRun([...enter, this.#programs.mount, '--bind', join(folder.path, file), `/etc/${file}`]);
    }
  }

  async #connect(place: PodPlace, address: string): Promise<void> {
    const { ip, tee } = this.#programs;
    const host = `v${address.split('.').slice(2).join('x')}`;
    const outside = [
      `link add ${host} type veth peer name eth0 netns ${place.pid}`,
      `link set ${host} master ${BRIDGE} up`,
    ];
    await mustRun([ip, '-batch', '-'], `${outside.join('\n')}\n`);
    const inside = [
      'link set lo up',
      `addr add ${address}/${POD_PREFIX_LENGTH} dev eth0`,
      'link set eth0 up',
      // Addresses of services lie beyond it: packets to them leave the pod, and are captured on the way.
      `route add default via ${BRIDGE_ADDRESS}`,
    ];
    await mustRun([...place.enter, ip, '-batch', '-'], `${inside.join('\n')}\n`);
    // As container runtimes have it: a container may listen on port 80 without being root.
    await mustRun([...place.enter, tee, '/proc/sys/net/ipv4/ip_unprivileged_port_start'], '0\n');
  }

  async #capture(plan: PodPlan, place: PodPlace): Promise<void> {
    const rules = buildCaptureRules(plan.capture);
    const { iptablesRestore, ip6tablesRestore } = this.#programs;
    if (rules.ipv4.length > 0) await mustRun([...place.enter, iptablesRestore, '--noflush'], renderRestore(rules.ipv4));
    if (rules.ipv6.length > 0 && (await exists('/proc/net/if_inet6'))) {
      await mustRun([...place.enter, ip6tablesRestore, '--noflush'], renderRestore(rules.ipv6));
    }
  }
}

async function exists(path: string): Promise<boolean> {
  return (await stat(path).catch(() => undefined)) !== undefined;
}

/** The other processes in the network namespace of a process. */
async function processesBeside(holder: number): Promise<readonly number[]> {
  const wanted = await namespaceOf(holder, 'net');
  if (wanted === undefined || wanted === (await namespaceOf('self', 'net'))) return [];
  const pids = (await readdir('/proc')).filter((name) => /^\d+$/.test(name)).map(Number);
  const namespaces = await Promise.all(pids.map((pid) => namespaceOf(pid, 'net')));
  return pids.filter((pid, index) => pid !== holder && namespaces[index] === wanted);
}

/** Such as `net:[4026532008]`; undefined for a process that is gone. */
async function namespaceOf(pid: number | 'self', kind: 'net' | 'mnt'): Promise<string | undefined> {
  return readlink(`/proc/${pid}/ns/${kind}`).catch(() => undefined);
}
