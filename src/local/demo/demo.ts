import { chmod, cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import type { LocalIo } from '../local-io.ts';
import { type LocalOptions, parseOptions } from '../options.ts';
import { checkMachine } from '../preflight.ts';
import { waitUntilReady } from '../progress.ts';
import { Relay } from '../relay.ts';
import { sweepStates } from '../state.ts';
import { supervise } from '../supervisor.ts';
import { showCircuitBreaking } from './circuit.ts';
import { lookAtPages, playStep } from './play.ts';
import type { Scene } from './scene.ts';
import { SECURITY_SCENES } from './security.ts';
import { Stage } from './stage.ts';
import { type Step, TOUR } from './tour.ts';

const SAMPLE = fileURLToPath(new URL('../../../samples/bookinfo', import.meta.url));
/** What runs at the beginning of the tour, whatever a person has put beside it since. */
export const PLATFORM: readonly string[] = ['bookinfo.yaml', 'bookinfo-gateway.yaml', 'ingressgateway.yaml'];
/** What follows the tour of pages. */
const SCENES: readonly Scene[] = [
  {
    title: 'circuit breaking',
    why: 'httpbin gets one connection and one request that waits for it; the rest is refused at once.',
    play: showCircuitBreaking,
  },
  ...SECURITY_SCENES,
];
const FIRST_FREE_PORT = 18_080;
const TTL = 'workload-cert-ttl';
const USAGE = 'xebec local demo [--check] [--publish PORT:80] [--workload-cert-ttl TTL]';

type DemoFlags = {
  readonly check: boolean;
  readonly publish: string | undefined;
  readonly certificate: readonly string[];
};

/**
 * The tour through Bookinfo, on a copy of the sample and a mesh of its own, which ends with us. With `--check` nobody is asked
 * and the exit code says whether everything was as the YAML says.
 */
export async function localDemo(args: readonly string[], io: LocalIo): Promise<number> {
  const flags = readFlags(args);
  if (flags === undefined) {
    io.err(`xebec local: usage: ${USAGE}\n(xebec local demo --help explains)\n`);
    return 2;
  }
  const programs = await checkMachine(io);
  if (!programs.ok) {
    io.err(`xebec local: ${programs.error}\n`);
    return 1;
  }
  const root = await copySample();
  const options = await chooseOptions(root, flags, io);
  if (options === undefined) {
    await rm(root, { recursive: true, force: true });
    return 2;
  }
  await sweepStates(options.stateRoot, io.kill);
  const ending = new AbortController();
  const signal = AbortSignal.any([io.signal, ending.signal]);
  const supervised = supervise({ options, programs: programs.value, temporaryFolder: root }, io, signal);
  const failed = supervised.then((result) => (result.ok ? undefined : result.error));
  const played = playTour({ options, io: { ...io, signal }, isChecking: flags.check || !io.isTerminal });
  const first = await Promise.race([played, failed.then((error) => ({ error }))]);
  ending.abort();
  const error = await failed;
  await rm(root, { recursive: true, force: true });
  if (typeof first === 'boolean') return first ? 0 : 1;
  if (error !== undefined) io.err(`xebec local: ${error}\n`);
  return 1;
}

function readFlags(args: readonly string[]): DemoFlags | undefined {
  try {
    const options = {
      check: { type: 'boolean' },
      publish: { type: 'string', short: 'p' },
      [TTL]: { type: 'string' },
    } as const;
    const { values } = parseArgs({ args: [...args], options });
    const ttl = values[TTL];
    const certificate = ttl === undefined ? [] : [`--${TTL}`, ttl];
    return { check: values.check === true, publish: values.publish, certificate };
  } catch {
    return undefined;
  }
}

/** Edits of the tour stay out of the checkout. */
async function copySample(): Promise<string> {
  const root = await mkdtemp(join(tmpdir(), 'xebec-demo-'));
  await cp(SAMPLE, root, {
    recursive: true,
    filter: (path) => dirname(path) !== join(SAMPLE, 'platform') || PLATFORM.includes(basename(path)),
  });
  // Containers may belong to somebody else than us.
  await chmod(root, 0o755);
  return root;
}

/** The usual ports where they are free, else others: a stranger's machine may have something on 8080. */
async function chooseOptions(root: string, flags: DemoFlags, io: LocalIo): Promise<LocalOptions | undefined> {
  const publish = flags.publish ?? `${await firstFree([8080, FIRST_FREE_PORT])}:80`;
  const adminPort = String(await firstFree([15_014, FIRST_FREE_PORT + 1000]));
  const options = parseOptions([root, '--publish', publish, '--admin-port', adminPort, ...flags.certificate], io);
  if (options.ok) return options.value;
  io.err(`xebec local: ${options.error}\n`);
  return undefined;
}

async function firstFree([usual, from]: readonly [number, number]): Promise<number> {
  const candidates = [usual, ...Array.from({ length: 100 }, (_, index) => from + index)];
  for (const port of candidates) {
    const probe = new Relay({ listen: { host: '127.0.0.1', port }, target: () => undefined });
    const isFree = await probe.open().then(
      () => true,
      () => false,
    );
    if (!isFree) continue;
    await probe.close();
    return port;
  }
  return usual;
}

type PlayInputs = {
  readonly options: LocalOptions;
  readonly io: LocalIo;
  readonly isChecking: boolean;
};

async function playTour({ options, io, isChecking }: PlayInputs): Promise<boolean> {
  io.err('starting Bookinfo: seven pods, each a network namespace with its own Envoy and its own identity\n');
  const waited = await waitUntilReady({ ...options, signal: io.signal }, io);
  if (waited !== 'ready') {
    if (waited === 'late') io.err(`not all pods became ready; logs: ${options.stateFolder}/logs\n`);
    return false;
  }
  const stage = new Stage({ io, options });
  io.out(
    [
      '',
      `the gateway: ${stage.url}/productpage`,
      `edit here:   ${options.folder} (a copy, which goes with the tour)`,
      `look inside: http://127.0.0.1:${options.adminPort}, or: bin/xebec local status ${options.root}`,
      '',
    ].join('\n'),
  );
  const fine = await playSteps(stage, isChecking);
  if (io.signal.aborted) return false;
  io.out(fine ? '\neverything was as the YAML says\n' : '\nnot everything was as the YAML says\n');
  return fine;
}

async function playSteps(stage: Stage, isChecking: boolean): Promise<boolean> {
  const total = TOUR.length + SCENES.length;
  let fine = true;
  for (const [index, step] of TOUR.entries()) {
    stage.title(index + 1, total, step);
    fine = (await playStep(step, stage)) && fine;
    if (stage.io.signal.aborted || (!isChecking && !(await pause(step, stage)))) return fine;
  }
  for (const [index, scene] of SCENES.entries()) {
    stage.title(TOUR.length + index + 1, total, scene);
    fine = (await scene.play(stage)) && fine;
    if (stage.io.signal.aborted || (!isChecking && !(await pause(undefined, stage)))) return fine;
  }
  return fine;
}

/** Waits for a person, who may edit and look again; false when they have seen enough. */
async function pause(step: Step | undefined, stage: Stage): Promise<boolean> {
  const { io } = stage;
  const look = step === undefined ? '' : 'l: look again after an edit   ';
  for (;;) {
    io.out(`\n  Enter: go on   ${look}q: stop\n`);
    const line = await io.readLine(io.signal);
    const answer = line?.trim();
    if (answer === undefined || answer === 'q') return false;
    if (answer === '') return true;
    if (answer === 'l' && step !== undefined) {
      await lookAtPages(step, stage);
      await stage.showProblems();
    }
  }
}
