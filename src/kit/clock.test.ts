import { getEventListeners } from 'node:events';
import { describe, expect, test } from 'vitest';
import { ManualClock } from './manual-clock.ts';
import { systemClock } from './system-clock.ts';

describe('the machine’s clock', () => {
  test('wakes a sleeper early when the signal aborts, and leaves nothing at it', async () => {
    const stop = new AbortController();
    const sleeping = systemClock.sleep(3_600_000, stop.signal);
    stop.abort();
    await sleeping;
    await systemClock.sleep(3_600_000, stop.signal);
    const { signal } = new AbortController();
    await systemClock.sleep(1, signal);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  test('never goes back', async () => {
    const before = systemClock.monotonic();
    await systemClock.yield();
    expect(systemClock.monotonic()).toBeGreaterThanOrEqual(before);
  });
});

describe('a manual clock', () => {
  test('wakes sleepers in the order of their time, also who sleeps again', async () => {
    const clock = new ManualClock(0);
    const woken: string[] = [];
    const { signal } = new AbortController();
    const sleepTwice = async (): Promise<void> => {
      await clock.sleep(10, signal);
      woken.push(`first ${clock.now()}`);
      await clock.sleep(10, signal);
      woken.push(`second ${clock.now()}`);
    };
    const all = [sleepTwice(), clock.sleep(15, signal).then(() => woken.push(`other ${clock.now()}`))];
    await clock.advance(100);
    await Promise.all(all);
    expect(woken).toEqual(['first 10', 'other 15', 'second 20']);
    expect(clock.now()).toBe(100);
  });
});
