import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { networkInterfaces } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { identify, isAlive, type ProcessIdentity } from '../../src/local/process-identity.ts';
import { nodeBinary } from '../../tools/paths.mjs';
import { needNamespaces } from '../support/namespaces.ts';
import { images } from './image-catalog.ts';
import { startNode } from './node.ts';
import { type NodeAccess, NodeClient } from './node-client.ts';

needNamespaces();

const pod = {
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'pod' },
  spec: { containers: [{ name: 'tools', image: images.tools, command: ['sleep', 'infinity'] }] },
};

async function runPod(client: NodeClient): Promise<void> {
  await client.useImages(images.tools);
  await client.apply([pod]);
  await client.waitForCondition('Ready', ['pod/pod']);
}

/** The processes of the node and of its pods; among them at least one of each kind. */
async function processesOf({ folder, url }: NodeAccess): Promise<readonly ProcessIdentity[]> {
  const pids = readdirSync('/proc').filter((name) => /^\d+$/.test(name));
  const belongs = (pid: string): boolean => {
    const says = (file: string, text: string) => existsSync(file) && readFileSync(file, 'utf8').includes(text);
    const address = new URL(url).hostname;
    return (
      says(`/proc/${pid}/cmdline`, folder) ||
      says(`/proc/${pid}/cmdline`, address) ||
      says(`/proc/${pid}/cgroup`, slotOf(folder))
    );
  };
  const found = await Promise.all(pids.filter(belongs).map((pid) => identify(Number(pid))));
  return found.flatMap((identity) => identity ?? []);
}

function slotOf(folder: string): string {
  return folder.split('/').at(-1) ?? '';
}

async function expectNoneAlive(processes: readonly ProcessIdentity[]): Promise<void> {
  const deadline = performance.now() + 10_000;
  for (;;) {
    const alive = (await Promise.all(processes.map(isAlive))).filter(Boolean);
    if (alive.length === 0) return;
    if (performance.now() > deadline) throw new Error(`${alive.length} processes are still there`);
    await sleep(50);
  }
}

function cgroupsOf(folder: string): readonly string[] {
  const root = '/sys/fs/cgroup';
  const hierarchies = [root, ...readdirSync(root).map((name) => join(root, name))];
  return hierarchies.map((hierarchy) => join(hierarchy, slotOf(folder))).filter((cgroup) => existsSync(cgroup));
}

/** A node whose process is then killed without a word. */
async function startForeignNode(): Promise<{ readonly access: NodeAccess; kill(): Promise<void> }> {
  const source = `import { startNode } from '${join(import.meta.dirname, 'node.ts')}';
    console.log(JSON.stringify((await startNode()).client.access)); setInterval(() => {}, 1000);`;
  const child = spawn(nodeBinary, ['--input-type=module', '-e', source], { stdio: ['ignore', 'pipe', 'inherit'] });
  const [line] = (await once(child.stdout, 'data')) as [Buffer];
  const kill = async () => {
    child.kill('SIGKILL');
    await once(child, 'exit');
  };
  return { access: JSON.parse(line.toString('utf8')) as NodeAccess, kill };
}

test('a node beside another one ends with its process, and the next one tidies up after it and leaves nothing at all', async () => {
  const foreign = await startForeignNode();
  const left = join(foreign.access.folder, 'left');
  writeFileSync(left, '');
  await runPod(new NodeClient(foreign.access));
  const before = await processesOf(foreign.access);
  await foreign.kill();
  expect(before.length).toBeGreaterThan(10);
  await expectNoneAlive(before);

  const own = await startNode();
  const { access } = own.client;
  const { folder } = access;
  try {
    expect(existsSync(left)).toBe(false);
    await runPod(own.client);
    expect(cgroupsOf(folder)).not.toEqual([]);
  } catch (error) {
    await own.stop({ keepLogs: true });
    throw error;
  }
  const after = await processesOf(access);
  await own.stop();
  expect(after.length).toBeGreaterThan(10);
  await expectNoneAlive(after);
  expect(cgroupsOf(folder)).toEqual([]);
  expect(existsSync(folder)).toBe(false);
  expect(existsSync(access.kubeconfig)).toBe(false);
  expect(Object.keys(networkInterfaces())).not.toContain(slotOf(folder));
});
