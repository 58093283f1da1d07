import { existsSync, readdirSync, readlinkSync, rmSync } from 'node:fs';
import { mkdir } from 'node:fs/promises';
import { freemem, tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { mustRun, runCommand } from '../../src/local/run-command.ts';
import { Daemon } from './daemon.ts';
import { createCgroups, removeCgroups } from './node-cgroups.ts';

/** Where a node and its pods are. The process that started it has routes to all of them. */
export type NodeAddresses = {
  /** Of the process that started the node, as pods see it. */
  readonly outside: string;
  readonly node: string;
  readonly podRange: string;
  readonly serviceRange: string;
  /** Of the Service `kubernetes`. */
  readonly apiService: string;
  readonly dnsService: string;
};

/** How many nodes a machine can have at once. */
const SLOTS = 8;
const PATIENCE_MS = 10_000;

/** What kubelet would set for the whole machine, and leaves alone if it reads these values. */
const machineSettings = {
  'vm/overcommit_memory': 1,
  'vm/panic_on_oom': 0,
  'kernel/panic': 10,
  'kernel/panic_on_oops': 1,
};

/** With less free memory than this, images and containers are on the disk, which takes seconds more per image. */
const ROOMY_BYTES = 6 * 2 ** 30;

/** `sh -c` with: folder, node, outside, memory or disk. */
const furnish = `set -e
ip link set lo up
ip addr add "$2/24" dev eth0
ip link set eth0 up
ip route add default via "$3"
mount -t tmpfs -o mode=755 tmpfs /run
mkdir -p "$1/store" "$1/settings"
if [ "$4" = memory ]; then mount -t tmpfs -o mode=755 tmpfs "$1/store"; fi
mkdir "$1/store/var" "$1/store/var-work"
mount -t overlay overlay -o "lowerdir=/var,upperdir=$1/store/var,workdir=$1/store/var-work" /var
${Object.entries(machineSettings)
  .map(
    ([key, value], index) =>
      `echo ${value} > "$1/settings/${index}"; mount --bind "$1/settings/${index}" /proc/sys/${key}`,
  )
  .join('\n')}`;

/**
 * The place of a node: network, mounts, /run, /var and processes of its own. One process holds it, and dies with us, however we end;
 * with it die all processes inside, and the kernel takes mounts and network back. What remains then is a folder and empty cgroups,
 * which the next node removes.
 */
export class NodeSpace {
  readonly slot: number;
  readonly addresses: NodeAddresses;
  readonly folder: string;
  /** Where the large things of the node go: not on the disk if there is memory enough. */
  readonly store: string;
  readonly cgroup: string;
  /** Runs a program inside. */
  readonly enter: readonly string[];
  /** Runs a program in the network only: it stays our own process. */
  readonly enterNetwork: readonly string[];
  readonly #holder: Daemon;

  private constructor(holder: Daemon, slot: number) {
    const namespaces = `/proc/${holder.pid ?? 0}/ns`;
    this.#holder = holder;
    this.slot = slot;
    this.addresses = buildAddresses(slot);
    this.cgroup = linkName(slot);
    this.folder = folderOf(slot);
    this.store = join(this.folder, 'store');
    this.enterNetwork = ['nsenter', `--net=${namespaces}/net`];
    this.enter = [...this.enterNetwork, `--mount=${namespaces}/mnt`, `--pid=${namespaces}/pid_for_children`];
  }

  static async claim(): Promise<NodeSpace> {
    const holder = new Daemon({ name: 'the space of the node', logFile: '/dev/null', ...holderCommand });
    try {
      await holder.waitUntil(() => Promise.resolve(hasOwnNetwork(holder.pid)), PATIENCE_MS);
      const space = new NodeSpace(holder, await claimSlot(holder.pid ?? 0));
      await space.#furnish();
      for (let slot = 0; slot < SLOTS; slot++) if (slot !== space.slot) await tidyIfAbandoned(slot, holder.pid ?? 0);
      return space;
    } catch (error) {
      await holder.stop();
      throw error;
    }
  }

  async stop({ keepLogs }: { readonly keepLogs: boolean }): Promise<void> {
    await this.#holder.stop();
    // The kernel does this too, a moment later; the slot is to be free now.
    await runCommand(['ip', 'link', 'delete', linkName(this.slot)]);
    await tidy(this.slot, { keepLogs });
  }

  async #furnish(): Promise<void> {
    const { outside, node, podRange, serviceRange } = this.addresses;
    const link = linkName(this.slot);
    await tidy(this.slot, { keepLogs: false });
    await mkdir(this.folder, { recursive: true, mode: 0o755 });
    await createCgroups(this.cgroup);
    const medium = freemem() > ROOMY_BYTES ? 'memory' : 'disk';
    await mustRun([...this.enter, 'sh', '-c', furnish, 'sh', this.folder, node, outside, medium]);
    await mustRun(['ip', 'address', 'add', `${outside}/24`, 'dev', link]);
    await mustRun(['ip', 'link', 'set', link, 'up']);
    for (const range of [podRange, serviceRange]) await mustRun(['ip', 'route', 'add', range, 'via', node]);
  }
}

/** A shell, for it collects the processes that lost their parents. */
const holderCommand = {
  program: 'unshare',
  args: [
    ...['--net', '--mount', '--pid', '--fork', '--kill-child=KILL', '--mount-proc', '--propagation=slave'],
    ...['sh', '-c', 'sleep infinity & wait'],
  ],
};

/** One that has ended, for want of a right for instance, has none. */
function hasOwnNetwork(pid: number | undefined): boolean {
  try {
    return readlinkSync(`/proc/${pid ?? 0}/ns/net`) !== readlinkSync('/proc/self/ns/net');
  } catch {
    return false;
  }
}

/** Who creates the link of a slot has the slot; the link goes with the network at its other end. */
async function claimSlot(holder: number): Promise<number> {
  let said = '';
  for (let slot = 0; slot < SLOTS; slot++) {
    const peer = ['peer', 'name', 'eth0', 'netns', `${holder}`];
    const { code, stderr } = await runCommand(['ip', 'link', 'add', linkName(slot), 'type', 'veth', ...peer]);
    if (code === 0) return slot;
    said = stderr.trim();
    await sleep(10);
  }
  throw new Error(`no room for a node: ${said}`);
}

/** What a run left that had no time to tidy up. Nobody can take the slot meanwhile, for we have it. */
async function tidyIfAbandoned(slot: number, holder: number): Promise<void> {
  if (!existsSync(folderOf(slot))) return;
  const peer = ['peer', 'name', 'broom', 'netns', `${holder}`];
  if ((await runCommand(['ip', 'link', 'add', linkName(slot), 'type', 'veth', ...peer])).code !== 0) return;
  await tidy(slot, { keepLogs: true });
  await mustRun(['ip', 'link', 'delete', linkName(slot)]);
}

async function tidy(slot: number, { keepLogs }: { readonly keepLogs: boolean }): Promise<void> {
  await removeCgroups(linkName(slot));
  const folder = folderOf(slot);
  const names = existsSync(folder) ? readdirSync(folder) : [];
  const logs = keepLogs ? names.filter((name) => name.endsWith('.log')) : [];
  for (const name of names) if (!logs.includes(name)) rmSync(join(folder, name), { recursive: true, force: true });
  if (logs.length === 0) rmSync(folder, { recursive: true, force: true });
}

function folderOf(slot: number): string {
  return join(tmpdir(), linkName(slot));
}

function linkName(slot: number): string {
  return `xebec-node-${slot}`;
}

/** Nodes at the same time must differ in all of them: we have routes to each. The first has the ranges that everybody knows. */
function buildAddresses(slot: number): NodeAddresses {
  return {
    outside: `10.243.${slot}.1`,
    node: `10.243.${slot}.2`,
    podRange: `10.244.${slot}.0/24`,
    serviceRange: `10.${96 + slot}.0.0/16`,
    apiService: `10.${96 + slot}.0.1`,
    dnsService: `10.${96 + slot}.0.10`,
  };
}
