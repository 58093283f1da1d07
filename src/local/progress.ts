import { isInStep } from './admin-pages.ts';
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

/** Pods are ready before everybody has heard of them; a proxy that never answers is not waited for longer. */
const LONGEST_IN_STEP_MS = 10_000;

/** Tells on stderr, a line each, as pods become ready. Ready is what a request from outside would call so. */
export async function waitUntilReady({ stateFolder, timeoutMs, signal }: WaitInputs, io: LocalIo): Promise<Waited> {
  const { clock } = io;
  const started = clock.monotonic();
  const told = new Set<string>();
  while (!signal.aborted) {
    const report = await readMeshReport(stateFolder);
    if (report !== undefined) tell(report, { told, io, seconds: (clock.monotonic() - started) / 1000 });
    if (report?.ready === true) return (await waitInStep(report, { stateFolder, signal }, io)) ? 'ready' : 'ended';
    if (clock.monotonic() - started > timeoutMs) return 'late';
    await clock.sleep(POLL_MS, signal);
  }
  return 'ended';
}

/** False when it was told to stop. */
async function waitInStep(
  { pods }: MeshReport,
  { stateFolder, signal }: Omit<WaitInputs, 'timeoutMs'>,
  { clock }: LocalIo,
): Promise<boolean> {
  const proxies = pods.filter(({ adminSocket }) => adminSocket !== undefined).length;
  const deadline = clock.monotonic() + LONGEST_IN_STEP_MS;
  while (!signal.aborted && clock.monotonic() < deadline) {
    if (await isInStep(stateFolder, proxies)) return true;
    await clock.sleep(POLL_MS, signal);
  }
  return !signal.aborted;
}

type Telling = { readonly told: Set<string>; readonly io: LocalIo; readonly seconds: number };

function tell(report: MeshReport, { told, io, seconds }: Telling): void {
  for (const pod of report.pods) {
    if (!pod.ready || told.has(pod.name)) continue;
    told.add(pod.name);
    io.err(
      `  ${seconds.toFixed(1).padStart(5)} s  ${pod.name} is ready at ${pod.address} (${told.size}/${report.pods.length})\n`,
    );
  }
}
