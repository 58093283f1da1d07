import { readFile } from 'node:fs/promises';
import { type CheckCaller, type CheckInputs, type CheckLine, runChecks } from '../app/check/check.ts';
import { type Flags, type ProcessConfig, parseProcessConfig } from '../app/config.ts';
import { connectKubernetes } from '../app/connect.ts';
import { type DataFormat, renderData } from '../app/render-data.ts';
import type { Clock } from '../kit/clock.ts';
import { err, ok, type Result } from '../kit/result.ts';
import { silentLogger } from '../telemetry/logger.ts';
import { PromMetrics } from '../telemetry/prom-metrics.ts';
import { describeChecks, renderChecks } from './check-report.ts';
import { type CliIo, EXIT, type ExitCode } from './io.ts';
import { VERSION } from './version.ts';

export type CheckArgs = {
  readonly flags: Flags;
  readonly output: 'table' | DataFormat;
  readonly failOn: 'error' | 'warning';
  readonly noColor: boolean;
  readonly hasWebhook: boolean;
  readonly hasXds: boolean;
  /** The token of its account, where a pod checks. */
  readonly tokenFile: string | undefined;
  /** How long what fails may take to come right. */
  readonly waitMs: number;
};

const AGAIN_MS = 1_000;

/** `xebec check`: whether a control plane in a cluster does what it should, and what to do where it does not. */
export async function runCheck(args: CheckArgs, io: CliIo, clock: Clock): Promise<ExitCode> {
  const config = parseProcessConfig({ ...args.flags, kubernetes: 'true' }, io.env);
  if (!config.ok) {
    io.err(`${config.error}\n(xebec check --help explains the settings)\n`);
    return EXIT.usage;
  }
  const parts = { config: config.value, clock, random: () => 0, log: silentLogger, metrics: new PromMetrics() };
  const caller = await readCaller(args, config.value, io);
  if (!caller.ok) {
    io.err(`${caller.error}\n`);
    return EXIT.usage;
  }
  const kube = await connectKubernetes(parts, io.env, VERSION);
  if (!kube.ok || kube.value === undefined) {
    io.err(`${kube.ok ? 'there is no Kubernetes API' : kube.error}\n`);
    return EXIT.unreachable;
  }
  try {
    const where = { caller: caller.value, ...expectations(args, config.value, io) };
    const inputs = { kube: kube.value, config: config.value, clock, ...where };
    const lines = await untilWell(inputs, args, io);
    if (io.signal.aborted) return EXIT.partial;
    const color = io.isTerminal && !args.noColor && (io.env['NO_COLOR'] ?? '') === '';
    io.out(args.output === 'table' ? renderChecks(lines, { color }) : renderData(describeChecks(lines), args.output));
    return exitCodeOf(lines, args.failOn);
  } finally {
    await kube.value.close();
  }
}

/** A pod reaches the Service by its name; elsewhere a person says where it is. */
function expectations(
  { hasWebhook, hasXds }: CheckArgs,
  { kubeconfig, monitoring, xds, service, namespace, domain }: ProcessConfig,
  { env }: CliIo,
): Pick<CheckInputs, 'hasWebhook' | 'hasXds' | 'monitoring' | 'xds'> {
  const isInside = kubeconfig === undefined && (env['KUBERNETES_SERVICE_HOST'] ?? '') !== '';
  const host = `${service}.${namespace}.svc.${domain}`;
  const inside = isInside ? { monitoring: { host, port: 15014 }, xds: { host, port: 15012 } } : undefined;
  return { hasWebhook, hasXds, monitoring: monitoring ?? inside?.monitoring, xds: xds ?? inside?.xds };
}

/** A pod proves by a token who it is, and asks as itself. */
async function readCaller(
  { tokenFile }: CheckArgs,
  { replica: pod }: ProcessConfig,
  { env }: CliIo,
): Promise<Result<CheckCaller | undefined, string>> {
  if (tokenFile === undefined) return ok(undefined);
  const address = env['POD_IP'] ?? '';
  if (pod === undefined || address === '') return err('--token-file: is for a pod; set POD_NAME and POD_IP there');
  try {
    return ok({ token: (await readFile(tokenFile, 'utf8')).trim(), pod, address });
  } catch (error) {
    return err(`--token-file: ${error instanceof Error ? error.message : String(error)}`);
  }
}

/** Looks again until nothing fails, or the time is over; it begins with the first look. */
async function untilWell(inputs: CheckInputs, { waitMs }: CheckArgs, io: CliIo): Promise<readonly CheckLine[]> {
  const { clock } = inputs;
  let lines = await runChecks(inputs, io.signal);
  const deadline = clock.monotonic() + waitMs;
  for (let told = ''; clock.monotonic() < deadline && !io.signal.aborted; lines = await runChecks(inputs, io.signal)) {
    const failure = lines.find(({ state }) => state === 'failed');
    if (failure === undefined) break;
    if (failure.message !== told) io.err(`waiting: ${failure.message}\n`);
    told = failure.message;
    await clock.sleep(AGAIN_MS, io.signal);
  }
  return lines;
}

function exitCodeOf(lines: readonly CheckLine[], failOn: CheckArgs['failOn']): ExitCode {
  const failures = lines.filter(({ state }) => state === 'failed' || (state === 'warning' && failOn === 'warning'));
  if (failures.some(({ group }) => group === 'kubernetes-api')) return EXIT.unreachable;
  return failures.length === 0 ? EXIT.fine : EXIT.findings;
}
