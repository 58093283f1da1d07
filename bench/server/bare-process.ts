import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { performance } from 'node:perf_hooks';
import { fileURLToPath } from 'node:url';
import { nodeBinary } from '../../tools/paths.mjs';
import { GrpcStream } from '../ads-client/grpc-stream.ts';
import { serverPrefix } from '../measure/machine.ts';
import { median, percentile } from '../measure/stats.ts';
import { readUsage } from './proc.ts';

export type BareTimes = { readonly p50Ms: number; readonly p99Ms: number; readonly cpuMs: number };

/** As long as an answer of a proxy. */
const ANSWER_BYTES = 100;
const ROUNDS = 8;
const WARM_ROUNDS = 4;

/** What a server costs that sends so many bytes to so many clients on the same transport and decides nothing. */
export async function measureBare(bytes: number, clients: number): Promise<BareTimes> {
  const [program = '', ...prefix] = [...serverPrefix(), nodeBinary];
  const child = spawn(program, [...prefix, fileURLToPath(new URL('./bare-server.ts', import.meta.url))], {
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const port = await told(child, (word) => word.port !== undefined);
  const arrivals: number[] = [];
  let allArrived = Promise.withResolvers<void>();
  const streams = Array.from({ length: clients }, (): GrpcStream => {
    const stream = new GrpcStream(`127.0.0.1:${port}`, BARE_PATH, {
      onMessage: (_, at) => {
        arrivals.push(at);
        stream.send(Buffer.alloc(ANSWER_BYTES), () => undefined);
        if (arrivals.length === clients) allArrived.resolve();
      },
      onEnd: () => undefined,
    });
    stream.send(Buffer.alloc(ANSWER_BYTES), () => undefined);
    return stream;
  });
  await told(child, (word) => word.streams === clients);
  const round = async (): Promise<readonly number[]> => {
    await quiet();
    arrivals.length = 0;
    allArrived = Promise.withResolvers<void>();
    const start = performance.now();
    child.send(bytes);
    await allArrived.promise;
    return arrivals.map((at) => at - start);
  };
  for (let index = 0; index < WARM_ROUNDS; index += 1) await round();
  await quiet();
  const pid = child.pid ?? 0;
  const before = readUsage(pid).cpuMs;
  const times: (readonly number[])[] = [];
  for (let index = 0; index < ROUNDS; index += 1) times.push(await round());
  await quiet();
  const cpuMs = (readUsage(pid).cpuMs - before) / ROUNDS;
  for (const stream of streams) stream.close();
  const ended = once(child, 'exit');
  child.disconnect();
  await ended;
  const of = (share: number): number => median(times.map((each) => percentile(each, share)));
  return { p50Ms: of(0.5), p99Ms: of(0.99), cpuMs };
}

const BARE_PATH = '/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources';

type Word = { readonly port?: number; readonly streams?: number };

/** Waits for a word of the server and gives its number. */
function told(child: ChildProcess, isIt: (word: Word) => boolean): Promise<number> {
  return new Promise((resolve) => {
    const onMessage = (word: Word): void => {
      if (!isIt(word)) return;
      child.off('message', onMessage);
      resolve(word.port ?? word.streams ?? 0);
    };
    child.on('message', onMessage);
  });
}

function quiet(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, 300));
}
