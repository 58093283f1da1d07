import type { LocalIo } from './local-io.ts';
import { type MeshReport, readMeshReport } from './mesh-report.ts';

const POLL_MS = 50;

/** `ready`: every pod takes traffic; `ended`: somebody else said stop; `late`: it took too long. */
export type Waited = 'ready' | 'ended' | 'late';

export type WaitInputs = {
  readonly stateFolder: string;
  readonly timeoutMs: number;
  readonly signal: AbortSignal;
};

/** Tells on stderr, a line each, as pods become ready. */
export async function waitUntilReady({ stateFolder, timeoutMs, signal }: WaitInputs, io: LocalIo): Promise<Waited> {
  const { clock } = io;
  const started = clock.monotonic();
  const told = new Set<string>();
  const problems = new Set<string>();
  while (!signal.aborted) {
    const report = await readMeshReport(stateFolder);
    if (report !== undefined) tell(report, { told, problems, io, seconds: (clock.monotonic() - started) / 1000 });
    if (report?.ready === true) return 'ready';
    if (clock.monotonic() - started > timeoutMs) return 'late';
    await clock.sleep(POLL_MS, signal);
  }
  return 'ended';
}

type Telling = {
  readonly told: Set<string>;
  readonly problems: Set<string>;
  readonly io: LocalIo;
  readonly seconds: number;
};

function tell(report: MeshReport, { told, problems, io, seconds }: Telling): void {
  for (const problem of report.problems) {
    if (problems.has(problem)) continue;
    problems.add(problem);
    io.err(`  ${problem}\n`);
  }
  for (const pod of report.pods) {
    if (!pod.ready || told.has(pod.name)) continue;
    told.add(pod.name);
    io.err(
      `  ${seconds.toFixed(1).padStart(5)} s  ${pod.name} is ready at ${pod.address} (${told.size}/${report.pods.length})\n`,
    );
  }
}
