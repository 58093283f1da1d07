import { existsSync } from 'node:fs';
import { parseCapture } from '../injector/capture.ts';
import { buildCaptureRules, renderRestore } from '../injector/iptables.ts';
import { err, ok, type Result } from '../kit/result.ts';
import type { LocalIo } from './local-io.ts';
import { findPrograms, type Programs } from './programs.ts';
import { runCommand } from './run-command.ts';

/** Whether local mode can run here: its programs, or one line that says what is in the way and what to do. */
export async function checkMachine(io: LocalIo): Promise<Result<Programs, string>> {
  if (io.platform !== 'linux')
    return err(`local mode needs Linux (network namespaces), not ${io.platform}: use a Linux machine or container`);
  if (io.uid !== 0) return err('local mode needs root for network namespaces: run it with sudo');
  const { missing, ...programs } = findPrograms(io.env);
  if (missing.length > 0 || !isComplete(programs)) return err(missing.join('; '));
  if (!existsSync('/etc/resolv.conf'))
    return err('/etc/resolv.conf is missing, and pods get theirs in its place: touch /etc/resolv.conf');
  return checkKernel(programs);
}

/** Tries the very rules that pods will get, in a network namespace of no one. */
async function checkKernel(programs: Programs): Promise<Result<Programs, string>> {
  const namespace = await runCommand([programs.unshare, '--net', '--mount', '--pid', '--fork', 'true']);
  if (namespace.code !== 0) {
    return err(
      `namespaces cannot be made here (${firstLine(namespace.stderr)}): run on a machine, or in a container with --privileged`,
    );
  }
  const capture = parseCapture({}, { dns: true });
  const rules = capture.ok ? renderRestore(buildCaptureRules(capture.value).ipv4) : '';
  const tried = await runCommand([programs.unshare, '--net', programs.iptablesRestore, '--noflush'], rules);
  if (tried.code === 0) return ok(programs);
  return err(
    `iptables cannot redirect traffic here (${firstLine(tried.stderr)}): the kernel needs nf_tables, nat, owner and conntrack (modprobe nf_tables nft_compat xt_owner xt_CT)`,
  );
}

function firstLine(text: string): string {
  return text.trim().split('\n')[0] ?? '';
}

function isComplete(programs: Partial<Programs>): programs is Programs {
  return Object.values(programs).every((path) => path !== undefined) && programs.envoy !== undefined;
}
