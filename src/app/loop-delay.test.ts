import { describe, expect, it } from 'vitest';
import type { LoopWatch } from '../kit/loop-watch.ts';
import { PromMetrics } from '../telemetry/prom-metrics.ts';
import { LoopDelay } from './loop-delay.ts';

async function gauges(metrics: PromMetrics): Promise<readonly string[]> {
  return (await metrics.expose()).split('\n').filter((line) => line.startsWith('nodejs_eventloop_lag'));
}

describe('the gauges of the event loop', () => {
  it('tell in seconds what was read, and watch until the signal', async () => {
    const stop = new AbortController();
    const metrics = new PromMetrics();
    const told: string[] = [];
    const watch: LoopWatch = { read: () => ({ p99Ms: 12, maxMs: 1500.5 }), stop: () => told.push('stopped') };
    const delay = new LoopDelay(() => watch, metrics);
    delay.publish();
    expect(await gauges(metrics)).toEqual(['nodejs_eventloop_lag_p99_seconds 0', 'nodejs_eventloop_lag_max_seconds 0']);
    const running = delay.run(stop.signal);
    delay.publish();
    expect(await gauges(metrics)).toEqual([
      'nodejs_eventloop_lag_p99_seconds 0.012',
      'nodejs_eventloop_lag_max_seconds 1.5005',
    ]);
    expect(told).toEqual([]);
    stop.abort();
    await running;
    expect(told).toEqual(['stopped']);
  });
});
