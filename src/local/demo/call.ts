import { enterPod } from '../exec.ts';
import { type Fields, fieldsOf, numberAt, parseFields, textAt } from '../fields.ts';
import { readMeshReport } from '../mesh-report.ts';
import { runCommand } from '../run-command.ts';
import type { Stage } from './stage.ts';

/** What a program inside a pod was answered; status 0 is no answer, and then `error` says why. */
export type PodAnswer = { readonly status: number; readonly body: string; readonly error: string };

const PROGRAM = `
const [url] = process.argv.slice(1);
const tell = (answer) => process.stdout.write(JSON.stringify(answer));
try {
  const response = await fetch(url, { signal: AbortSignal.timeout(10_000) });
  tell({ status: response.status, body: await response.text() });
} catch (error) {
  tell({ error: error.cause?.code ?? error.name });
}
`;

const POLL_MS = 100;
const LONGEST_MS = 30_000;

/** Asks from inside a pod, called `NAMESPACE/DEPLOYMENT`, with its network and by its DNS. */
export async function callFrom(stage: Stage, pod: string, url: string): Promise<PodAnswer> {
  const entered = await enterPod(stage.options, stage.io, pod);
  if ('problem' in entered) return { status: 0, body: '', error: entered.problem };
  const [node] = stage.io.self;
  const { stdout, stderr } = await runCommand([...entered.argv, node, '--input-type=module', '-e', PROGRAM, '--', url]);
  const fields = parseFields(stdout);
  if (fields === undefined) return { status: 0, body: '', error: stderr.trim() };
  return { status: numberAt(fields, 'status'), body: textAt(fields, 'body'), error: textAt(fields, 'error') };
}

/** Waits until the pods of a Deployment take traffic. */
export async function waitForPods(stage: Stage, namespace: string, deployment: string): Promise<boolean> {
  return waitFor(stage, async () => {
    const pods = (await readMeshReport(stage.stateFolder))?.pods ?? [];
    const own = pods.filter((pod) => pod.namespace === namespace && pod.deployment === deployment);
    return own.length > 0 && own.every(({ ready }) => ready);
  });
}

/** False when it never came true. */
export async function waitFor(stage: Stage, isTrue: () => Promise<boolean>): Promise<boolean> {
  const { clock, signal } = stage.io;
  const deadline = clock.monotonic() + LONGEST_MS;
  while (clock.monotonic() < deadline && !signal.aborted) {
    if (await isTrue()) return true;
    await clock.sleep(POLL_MS, signal);
  }
  return false;
}

/** The headers that httpbin was sent, from its answer. */
export function headersIn(body: string): Fields {
  return fieldsOf(parseFields(body)?.['headers']);
}
