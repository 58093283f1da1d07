import { getEventListeners } from 'node:events';
import { describe, expect, onTestFinished, test } from 'vitest';
import { ChangeSignal } from './change-signal.ts';
import { debounced } from './debounce.ts';
import { ManualClock } from './manual-clock.ts';

const times = { quietMs: 100, maxMs: 1_000 };

/** Notes when batches come. `workMs`: how long the consumer takes over each. */
function follow({ workMs = 0 }: { readonly workMs?: number } = {}) {
  const clock = new ManualClock(0);
  const changes = new ChangeSignal();
  const stop = new AbortController();
  const batches: number[] = [];
  const done = (async () => {
    for await (const _ of debounced(changes, times, clock, stop.signal)) {
      batches.push(clock.monotonic());
      if (workMs > 0) await clock.sleep(workMs, stop.signal);
    }
  })();
  const end = async (): Promise<void> => {
    stop.abort();
    await done;
  };
  onTestFinished(end);
  const changeAfter = async (ms: number): Promise<void> => {
    await clock.advance(ms);
    changes.raise();
    await clock.yield();
  };
  return { clock, changes, batches, changeAfter, end, signal: stop.signal };
}

describe('debouncing', () => {
  test('the first change comes at once', async () => {
    const { batches, changeAfter } = follow();
    await changeAfter(5);
    expect(batches).toEqual([5]);
  });

  test('a change after quiet comes at once too', async () => {
    const { batches, changeAfter } = follow();
    await changeAfter(0);
    await changeAfter(100);
    expect(batches).toEqual([0, 100]);
  });

  test('what follows closely is one batch, as soon as it pauses', async () => {
    const { clock, batches, changeAfter } = follow();
    await changeAfter(0);
    for (let count = 0; count < 5; count += 1) await changeAfter(20);
    await clock.advance(99);
    expect(batches).toEqual([0]);
    await clock.advance(1);
    expect(batches).toEqual([0, 200]);
    await clock.advance(10_000);
    expect(batches).toEqual([0, 200]);
  });

  test('a storm without end is told of at the maximum, again and again', async () => {
    const { batches, changeAfter } = follow();
    await changeAfter(0);
    for (let count = 0; count < 250; count += 1) await changeAfter(10);
    expect(batches).toEqual([0, 1_010, 2_010]);
  });

  test('what changed while the consumer was at work is not lost, and is not rushed', async () => {
    const { clock, batches, changeAfter } = follow({ workMs: 500 });
    await changeAfter(0);
    await changeAfter(200);
    await clock.advance(2_000);
    expect(batches).toEqual([0, 600]);
  });

  test('ends while it waits for quiet, and leaves no timer and no listener', async () => {
    const { clock, batches, changeAfter, end, signal } = follow();
    await changeAfter(0);
    await changeAfter(10);
    await end();
    expect(batches).toEqual([0]);
    expect(clock.sleeping).toBe(0);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });
});
