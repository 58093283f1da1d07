import { existsSync } from 'node:fs';
import { mkdir, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { mustRun } from '../../src/local/run-command.ts';
import { clusterBinaries } from './binaries.ts';
import { type CommandResult, runCommand } from './command.ts';
import { catalogImage } from './image-catalog.ts';
import type { NodeAddresses } from './node-space.ts';

/** What somebody needs to use a node that another process started. */
export type NodeAccess = {
  readonly url: string;
  readonly kubeconfig: string;
  readonly addresses: NodeAddresses;
  readonly folder: string;
  readonly enter: readonly string[];
};

export type HelmVersion = 'helm3' | 'helm4';

/** Uses a running node, from outside: pods and Services answer at their addresses. */
export class NodeClient {
  readonly access: NodeAccess;

  constructor(access: NodeAccess) {
    this.access = access;
  }

  /** Runs kubectl as the administrator; that it fails is a result. */
  tryKubectl(args: readonly string[], stdin?: string): Promise<CommandResult> {
    return this.#run(clusterBinaries().kubernetes.kubectl, args, stdin);
  }

  /** Runs kubectl, which has to work, and returns what it prints. */
  async kubectl(args: readonly string[], stdin?: string): Promise<string> {
    return demand('kubectl', args, await this.tryKubectl(args, stdin));
  }

  /** Applies objects, or YAML. */
  async apply(content: string | readonly object[]): Promise<void> {
    const text = typeof content === 'string' ? content : buildList(content);
    await this.kubectl(['apply', '-f', '-'], text);
  }

  async helm(version: HelmVersion, args: readonly string[]): Promise<string> {
    return demand(version, args, await this.#run(clusterBinaries()[version], args));
  }

  /** Runs a command in a container and returns what it prints. */
  async exec(pod: PodName, command: readonly string[]): Promise<string> {
    return this.kubectl(['exec', ...podFlags(pod), '--', ...command]);
  }

  async podLogs(pod: PodName): Promise<string> {
    return this.kubectl(['logs', ...podFlags(pod)]);
  }

  /** Makes images of the catalog if need be, and loads those that are not there yet. */
  async useImages(...tags: readonly string[]): Promise<void> {
    for (const tag of tags) await this.loadImage(await catalogImage(tag));
  }

  /** Loads a docker-archive once; an archive of another content has another name. */
  async loadImage({ archive }: { readonly archive: string }): Promise<void> {
    const loaded = join(this.access.folder, 'loaded');
    const mark = join(loaded, basename(archive));
    if (existsSync(mark)) return;
    await this.run(['ctr', '--namespace=k8s.io', 'images', 'import', archive]);
    await mkdir(loaded, { recursive: true });
    await writeFile(mark, '');
  }

  /** Runs a program on the node, as root. */
  run(argv: readonly string[]): Promise<string> {
    return mustRun([...this.access.enter, ...argv]);
  }

  /** Tries until there is a result; what fails or is undefined is tried again. */
  async waitFor<T>(what: string, attempt: () => Promise<T | undefined>, withinMs = 60_000): Promise<T> {
    const deadline = performance.now() + withinMs;
    for (;;) {
      const { value, problem } = await attempt().then(
        (result) => ({ value: result, problem: 'no result' }),
        (error: unknown) => ({ value: undefined, problem: String(error) }),
      );
      if (value !== undefined) return value;
      if (performance.now() > deadline) throw new Error(`after ${withinMs} ms not yet: ${what}; last: ${problem}`);
      await sleep(100);
    }
  }

  /** Waits for a condition of objects, as `kubectl wait`: `waitForCondition('Ready', ['pod', '--selector=app=web'])`. */
  async waitForCondition(condition: string, objects: readonly string[], withinMs = 60_000): Promise<void> {
    const args = ['wait', `--for=condition=${condition}`, `--timeout=${Math.ceil(withinMs / 1000)}s`, ...objects];
    const result = await this.tryKubectl(args);
    if (result.status === 0) return;
    const events = await this.tryKubectl(['get', 'events', '--all-namespaces', '--sort-by=.lastTimestamp']);
    const recent = events.stdout.trimEnd().split('\n').slice(-20).join('\n');
    throw new Error(`kubectl ${args.join(' ')}: ${result.stderr}\nThe last events:\n${recent}`);
  }

  #run(program: string, args: readonly string[], stdin?: string): Promise<CommandResult> {
    const { kubeconfig, folder } = this.access;
    const homes = { KUBECACHEDIR: join(folder, 'kubectl'), HELM_CACHE_HOME: join(folder, 'helm', 'cache') };
    const helm = { HELM_CONFIG_HOME: join(folder, 'helm', 'config'), HELM_DATA_HOME: join(folder, 'helm', 'data') };
    return runCommand({ program, args, environment: { KUBECONFIG: kubeconfig, ...homes, ...helm }, stdin });
  }
}

export type PodName = {
  /** A name, or `deployment/web`. */
  readonly pod: string;
  readonly namespace?: string;
  readonly container?: string;
};

function podFlags({ pod, namespace = 'default', container }: PodName): readonly string[] {
  return [pod, `--namespace=${namespace}`, ...(container === undefined ? [] : [`--container=${container}`])];
}

function buildList(items: readonly object[]): string {
  return JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
}

function demand(program: string, args: readonly string[], { status, stdout, stderr }: CommandResult): string {
  if (status !== 0) throw new Error(`${program} ${args.join(' ')}: ${stderr}`);
  return stdout;
}
