import { makePinoLogger } from '../telemetry/pino-logger.ts';
import { localDemo } from './demo/demo.ts';
import { describeDiskTrouble } from './disk-trouble.ts';
import { localDown } from './down.ts';
import { localExec } from './exec.ts';
import { localCommands, localHelp } from './help.ts';
import type { LocalIo, RunControlPlane } from './local-io.ts';
import { runMesh } from './mesh/mesh-process.ts';
import { type Flag, type LocalOptions, parseOptions } from './options.ts';
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
  const [name = '', ...rest] = args;
  if (name === 'help' || isHelp(name)) return tell(io, localHelp(rest[0]));
  const split = rest.indexOf('--');
  const [before, after] = split < 0 ? [rest, []] : [rest.slice(0, split), rest.slice(split + 1)];
  if (before.some(isHelp)) return tell(io, localHelp(name));
  if (name === 'demo') return localDemo(rest, io);
  const command = commands[name];
  if (command === undefined) return noCommand(io, name);
  const positionals = name === 'exec' ? before.slice(0, 1) : before;
  const options = parseOptions(positionals, { cwd: io.cwd, env: io.env }, command.flags);
  if (!options.ok) return usageError(io, name, options.error);
  return command.run({
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

type LocalCommand = {
  readonly flags: readonly Flag[];
  readonly run: (inputs: CommandInputs) => Promise<number>;
};

const upFlags: readonly Flag[] = ['publish', 'admin-port', 'mesh-config', 'workload-cert-ttl', 'timeout', 'foreground'];

const commands: Readonly<Partial<Record<string, LocalCommand>>> = {
  up: { flags: upFlags, run: ({ options, io }) => localUp(options, io) },
  down: { flags: [], run: ({ options, io }) => localDown(options, io) },
  status: { flags: ['output'], run: ({ options, io }) => localStatus(options, io) },
  exec: { flags: [], run: runExec },
  mesh: { flags: upFlags, run: runMeshCommand },
};

function isHelp(argument: string): boolean {
  return argument === '--help' || argument === '-h';
}

async function tell(io: LocalIo, text: string): Promise<number> {
  io.out(text);
  return 0;
}

async function noCommand(io: LocalIo, name: string): Promise<number> {
  if (name === '') io.err(localHelp());
  else io.err(`xebec local: there is no ${JSON.stringify(name)}; there are ${localCommands.join(', ')}\n`);
  return 2;
}

async function usageError(io: LocalIo, command: string, message: string): Promise<number> {
  io.err(`xebec local: ${message}\n(xebec local ${command} --help explains)\n`);
  return 2;
}

async function runExec({ options, rest, io }: CommandInputs): Promise<number> {
  const [pod, program, ...args] = rest;
  if (pod === undefined || program === undefined) return usageError(io, 'exec', 'exec needs a pod and a command');
  return localExec(options, { pod, command: [program, ...args] }, io);
}

/** What the supervisor starts inside the mesh's namespaces; not for people. */
async function runMeshCommand({ options, io, runControlPlane }: CommandInputs): Promise<number> {
  // What it mounts and connects belongs into namespaces of its own, where it is the first process.
  if (io.pid !== 1) return usageError(io, 'up', '`mesh` is what `up` starts, in namespaces of its own');
  const programs = await checkMachine(io);
  if (!programs.ok) {
    io.err(`${programs.error}\n`);
    return 1;
  }
  const log = makePinoLogger('info', io.err);
  try {
    await runMesh({ ...options, programs: programs.value }, io, { runControlPlane, log, random: Math.random });
    return 0;
  } catch (error) {
    log.error({ error: describeDiskTrouble(error) }, 'the mesh cannot go on');
    return 1;
  }
}
