import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { availableParallelism, loadavg } from 'node:os';
import { performance } from 'node:perf_hooks';
import { findProgram } from '../../tools/paths.mjs';

/** Words before the server's command that give it a core of its own, if there is more than one. */
export function serverPrefix(): readonly string[] {
  return canPin() ? ['taskset', '-c', '0'] : [];
}

/** Keeps this process off the server's core. */
export function pinLoadGenerator(): void {
  if (canPin()) execFileSync('taskset', ['-a', '-c', '-p', `1-${availableCores - 1}`, String(process.pid)]);
}

// Read once: the answer is smaller after this process was pinned.
const availableCores = availableParallelism();

function canPin(): boolean {
  return availableCores > 1 && findProgram('taskset') !== undefined;
}

/** One line for reports. */
export function describeMachine(): string {
  const model = /^model name\s*:\s*(.*)$/m.exec(readFileSync('/proc/cpuinfo', 'utf8'))?.[1] ?? 'unknown CPU';
  const pinning = canPin() ? 'server pinned to core 0, load to the rest' : 'not pinned';
  const load = loadavg().map((value) => value.toFixed(1));
  return `${availableCores} cores (${model}), Node ${process.version}, ${pinning}, load average ${load.join(' ')}`;
}

/** How long the machine needs to copy so many bytes once: what no server can beat. */
export function memcpyMs(bytes: number): number {
  const from = Buffer.alloc(bytes, 1);
  const to = Buffer.alloc(bytes);
  const times: number[] = [];
  for (let run = 0; run < 20; run += 1) {
    const start = performance.now();
    from.copy(to);
    times.push(performance.now() - start);
  }
  return times.sort((a, b) => a - b)[10] ?? Number.NaN;
}
