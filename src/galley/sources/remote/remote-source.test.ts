import { describe, expect, onTestFinished, test } from 'vitest';
import { ManualClock } from '../../../kit/manual-clock.ts';
import { makePinoLogger } from '../../../telemetry/pino-logger.ts';
import { PromMetrics } from '../../../telemetry/prom-metrics.ts';
import type { SourceUpdate } from '../source.ts';
import { type Connection, RemoteSource } from './remote-source.ts';

const MINUTE = 60_000;

/** A source whose connections do what the test says, and when they were made. */
async function runSource(connect: (attempt: number, clock: ManualClock) => Connection) {
  const clock = new ManualClock();
  const began = clock.monotonic();
  const attempts: number[] = [];
  const updates: SourceUpdate[] = [];
  const log: string[] = [];
  const source = new RemoteSource({
    address: { kind: 'xds', host: '10.0.0.1', port: 15_010 },
    connect: () => {
      attempts.push(clock.monotonic() - began);
      return connect(attempts.length, clock);
    },
    isWholeMesh: false,
    rootNamespace: 'istio-system',
    clock,
    random: () => 1,
    log: makePinoLogger('info', (line) => log.push(line)),
    metrics: new PromMetrics(),
  });
  const stop = new AbortController();
  const running = source.run({ apply: (update) => updates.push(update), synced: () => undefined }, stop.signal);
  onTestFinished(async () => {
    stop.abort();
    await running;
  });
  while (attempts.length === 0) await new Promise((resolve) => setImmediate(resolve));
  return { source, clock, attempts, updates, log, stop, running };
}

/** A connection that ends by itself, or when it is cancelled. */
function connection(ending: Promise<void> | undefined): Connection {
  let cancel = (): void => undefined;
  const cancelled = new Promise<void>((resolve) => {
    cancel = resolve;
  });
  const over = ending === undefined ? cancelled : Promise.race([ending, cancelled]);
  return {
    open: () => ({
      messages: {
        async *[Symbol.asyncIterator]() {
          await over;
        },
      },
      send: () => Promise.resolve(true),
      status: over.then(() => ({ code: 14, message: 'connection refused' })),
      cancel,
    }),
    close: () => undefined,
  };
}

describe('a remote source', () => {
  test('comes again at once, then later and later, up to half a minute', async () => {
    const { clock, attempts } = await runSource(() => connection(Promise.resolve()));
    await clock.advance(3 * MINUTE);
    const pauses = attempts.slice(1).map((at, index) => at - (attempts[index] ?? 0));
    expect(pauses.slice(0, 8)).toEqual([0, 1_000, 2_000, 4_000, 8_000, 16_000, 30_000, 30_000]);
  });

  test('says once that it has lost the other side', async () => {
    const { clock, updates, log, source } = await runSource(() => connection(Promise.resolve()));
    await clock.advance(MINUTE);
    expect(source.name).toBe('xds://10.0.0.1:15010');
    const said = updates.flatMap(({ diagnostics = [] }) =>
      diagnostics.map(({ code, message }) => `${code} ${message}`),
    );
    expect(said).toEqual([
      'XEB1021 config source xds://10.0.0.1:15010 does not answer (connection refused): see that it runs and can be reached; what was received before stays in force',
    ]);
    expect(log.filter((line) => line.includes('config source lost'))).toHaveLength(1);
  });

  test('lets go of everything when it is told to stop', async () => {
    const { stop, running, clock, attempts } = await runSource(() => connection(undefined));
    stop.abort();
    await running;
    expect(clock.sleeping).toBe(0);
    expect(attempts).toHaveLength(1);
  });
});
