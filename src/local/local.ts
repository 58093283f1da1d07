import { makePinoLogger } from '../telemetry/pino-logger.ts';
import { localDemo } from './demo/demo.ts';
import { localDown } from './down.ts';
import { localExec } from './exec.ts';
import type { LocalIo, RunControlPlane } from './local-io.ts';
import { runMesh } from './mesh/mesh-process.ts';
import { type LocalOptions, parseOptions } from './options.ts';
import { checkMachine } from './preflight.ts';
import { localStatus } from './status.ts';
import { localUp } from './up.ts';

/**
 * A mesh on one Linux machine without Kubernetes: pods are network namespaces, containers are processes of the host.
 * It drives the same process as everywhere and shares the injector's pure rules. It promises to leave nothing behind.
 */
export async function runLocal(
  args: readonly string[],
  io: LocalIo,
  runControlPlane: RunControlPlane,
): Promise<number> {
  const [name = 'help', ...rest] = args;
  if (name === 'help' || name === '--help' || rest.includes('--help')) {
    io.out(USAGE);
    return 0;
  }
  if (name === 'demo') return localDemo(rest, io);
  const command = commands[name];
  if (command === undefined)
    return usageError(io, `there is no ${JSON.stringify(name)}; there are up, status, exec, down, demo`);
  const split = rest.indexOf('--');
  const [before, after] = split < 0 ? [rest, []] : [rest.slice(0, split), rest.slice(split + 1)];
  const positionals = name === 'exec' ? before.slice(0, 1) : before;
  const options = parseOptions(positionals, { cwd: io.cwd, env: io.env });
  if (!options.ok) return usageError(io, options.error);
  return command({
    options: options.value,
    rest: [...before.slice(positionals.length), ...after],
    io,
    runControlPlane,
  });
}

type CommandInputs = {
  readonly options: LocalOptions;
  readonly rest: readonly string[];
  readonly io: LocalIo;
  readonly runControlPlane: RunControlPlane;
};

const commands: Readonly<Partial<Record<string, (inputs: CommandInputs) => Promise<number>>>> = {
  up: ({ options, io }) => localUp(options, io),
  down: ({ options, io }) => localDown(options, io),
  status: ({ options, io }) => localStatus(options, io),
  exec: ({ options, rest, io }) => {
    const [pod, program, ...args] = rest;
    if (pod === undefined || program === undefined) return usageError(io, 'exec needs a pod and a command');
    return localExec(options, { pod, command: [program, ...args] }, io);
  },
  mesh: runMeshCommand,
};

const USAGE = `xebec local: a mesh on this machine, without Kubernetes

  xebec local up DIR       start what the Deployments of DIR (or DIR/platform) say, and follow every edit
  xebec local status DIR   how it is (-o json for programs)
  xebec local exec DIR POD -- COMMAND   run a command inside a pod (its name, or its Deployment's)
  xebec local down DIR     end it; also cleans up after meshes that were killed

  xebec local demo [--check]   a tour through Bookinfo; --check asks nobody and fails if anything is not as the YAML says

  --publish HOST:PORT   lead a port of 127.0.0.1 to a port of the gateways (repeatable; 8080:80)
  --admin-port PORT     the control plane's admin port on 127.0.0.1 (15014)
  --mesh-config FILE    a MeshConfig (DIR/mesh-config.yaml)
  --timeout SECONDS     how long up waits for all pods (120)
  --foreground          stay; Ctrl-C ends the mesh
`;

async function usageError(io: LocalIo, message: string): Promise<number> {
  io.err(`xebec local: ${message}\n`);
  return 2;
}

/** What the supervisor starts inside the mesh's namespaces; not for people. */
async function runMeshCommand({ options, io, runControlPlane }: CommandInputs): Promise<number> {
  const programs = await checkMachine(io);
  if (!programs.ok) {
    io.err(`${programs.error}\n`);
    return 1;
  }
  const log = makePinoLogger('info', io.err);
  await runMesh({ ...options, programs: programs.value }, io, { runControlPlane, log });
  return 0;
}
