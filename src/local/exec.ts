import { spawn } from 'node:child_process';
import { findPod } from './find-pod.ts';
import type { LocalIo } from './local-io.ts';
import { readMeshReport } from './mesh-report.ts';
import type { LocalOptions } from './options.ts';
import { findPrograms } from './programs.ts';
import { findRunning } from './state.ts';
import { findMeshPid } from './supervisor.ts';

type Problem = { readonly problem: string; readonly code: number };

export type ExecInputs = { readonly pod: string; readonly command: readonly [string, ...string[]] };

/** The arguments that run a command inside a pod, seen from outside the mesh; or why that cannot be. */
export async function enterPod(
  options: LocalOptions,
  io: LocalIo,
  podName: string,
): Promise<{ readonly argv: readonly [string, ...string[]] } | Problem> {
  const running = await findRunning(options.stateFolder);
  const pid = running === undefined ? undefined : await findMeshPid(running);
  if (running === undefined || pid === undefined) {
    return { problem: `no mesh of ${options.root} runs: start it with xebec local up`, code: 3 };
  }
  if (io.uid !== 0) return { problem: 'the mesh belongs to root: run this with sudo', code: 1 };
  const pod = findPod((await readMeshReport(options.stateFolder))?.pods ?? [], podName);
  if ('problem' in pod) return { problem: pod.problem, code: 1 };
  if (pod.pid === undefined) return { problem: `${pod.name} has no namespaces yet: wait a moment`, code: 1 };
  const { nsenter } = findPrograms(io.env);
  if (nsenter === undefined) return { problem: 'nsenter is missing: apt-get install util-linux', code: 1 };
  const intoMesh = [`--target=${pid}`, '--net', '--mount', '--pid'];
  const intoPod = [`--target=${pod.pid}`, '--net', '--mount', `--wd=${options.root}`];
  return { argv: [nsenter, ...intoMesh, nsenter, ...intoPod] };
}

/** Runs a command in a pod with our own terminal; the exit code is the command's. */
export async function localExec(options: LocalOptions, { pod, command }: ExecInputs, io: LocalIo): Promise<number> {
  const entered = await enterPod(options, io, pod);
  if ('problem' in entered) {
    io.err(`xebec local: ${entered.problem}\n`);
    return entered.code;
  }
  const [program, ...args] = entered.argv;
  const child = spawn(program, [...args, ...command], { stdio: 'inherit', env: { ...io.env } });
  return new Promise((resolve) => {
    child.once('error', (error) => {
      io.err(`xebec local: ${error.message}\n`);
      resolve(1);
    });
    child.once('exit', (code) => resolve(code ?? 1));
  });
}
