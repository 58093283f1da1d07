import { readdirSync, readFileSync } from 'node:fs';

/** What the kernel says of a process. */
export type Usage = {
  /** CPU time of all its threads. */
  readonly cpuMs: number;
  /** For how long its threads could have run but others had the CPU: how far to trust wall times. */
  readonly waitedMs: number;
  readonly rssMiB: number;
  /** The largest `rssMiB` so far. */
  readonly peakMiB: number;
};

export function readUsage(pid: number): Usage {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  const rssMiB = kilobytes(status, 'VmRSS') / 1024;
  return { ...readSchedule(pid), rssMiB, peakMiB: kilobytes(status, 'VmHWM') / 1024 };
}

/** The scheduler counts in nanoseconds per thread; `stat` would give hundredths of a second. */
function readSchedule(pid: number): Pick<Usage, 'cpuMs' | 'waitedMs'> {
  let onCpu = 0;
  let waited = 0;
  for (const thread of readdirSync(`/proc/${pid}/task`)) {
    const [ran = 0, queued = 0] = readNumbers(`/proc/${pid}/task/${thread}/schedstat`);
    onCpu += ran;
    waited += queued;
  }
  return { cpuMs: onCpu / 1e6, waitedMs: waited / 1e6 };
}

function readNumbers(file: string): readonly number[] {
  try {
    return readFileSync(file, 'utf8').split(' ').map(Number);
  } catch {
    // A thread that ended meanwhile.
    return [];
  }
}

function kilobytes(status: string, field: string): number {
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1] ?? Number.NaN);
}
