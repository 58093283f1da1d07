import { describe, expect, it } from 'vitest';
import type { Clock } from '../kit/clock.ts';
import { PromMetrics } from '../telemetry/prom-metrics.ts';
import { LoopDelay } from './loop-delay.ts';

/** A loop that is late by the given milliseconds, one sleep after the other, and then still. */
function lateClock(delays: readonly number[], done: () => void): Clock {
  let now = 0;
  const left = [...delays];
  return {
    now: () => now,
    monotonic: () => now,
    sleep: (ms) => {
      const late = left.shift();
      if (late === undefined) done();
      now += ms + (late ?? 0);
      return Promise.resolve();
    },
    yield: () => Promise.resolve(),
  };
}

async function readAfter(delays: readonly number[]): Promise<readonly string[]> {
  const stop = new AbortController();
  const metrics = new PromMetrics();
  const delay = new LoopDelay(
    lateClock(delays, () => stop.abort()),
    metrics,
  );
  await delay.run(stop.signal);
  delay.publish();
  const first = await gauges(metrics);
  delay.publish();
  return [...first, ...(await gauges(metrics))];
}

async function gauges(metrics: PromMetrics): Promise<readonly string[]> {
  return (await metrics.expose()).split('\n').filter((line) => line.startsWith('nodejs_eventloop_lag'));
}

describe('the gauges of the event loop', () => {
  it('tell the 99th percentile and the longest block, and begin anew', async () => {
    const delays = [...Array.from({ length: 97 }, () => 0.4), 12, 12, 1500.5];
    expect(await readAfter(delays)).toEqual([
      'nodejs_eventloop_lag_p99_seconds 0.012',
      'nodejs_eventloop_lag_max_seconds 1.5005',
      'nodejs_eventloop_lag_p99_seconds 0',
      'nodejs_eventloop_lag_max_seconds 0',
    ]);
  });
});
