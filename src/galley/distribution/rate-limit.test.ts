import { expect, test } from 'vitest';
import { ManualClock } from '../../kit/manual-clock.ts';
import { RateLimit } from './rate-limit.ts';

const never = new AbortController().signal;

/** How many have passed. */
function flood(limit: RateLimit, count: number): () => number {
  let passed = 0;
  for (let each = 0; each < count; each += 1) {
    void limit.take(never).then(() => {
      passed += 1;
    });
  }
  return () => passed;
}

test('a burst passes at once, and the others one by one', async () => {
  const clock = new ManualClock();
  const passed = flood(new RateLimit({ burst: 3, perSecond: 2 }, clock), 6);
  await clock.advance(0);
  expect(passed()).toBe(3);
  await clock.advance(499);
  expect(passed()).toBe(3);
  await clock.advance(1);
  expect(passed()).toBe(4);
  await clock.advance(1_000);
  expect(passed()).toBe(6);
});

test('a quiet time gives the burst back, and no more than that', async () => {
  const clock = new ManualClock();
  const limit = new RateLimit({ burst: 2, perSecond: 1 }, clock);
  flood(limit, 2);
  await clock.advance(60_000);
  const passed = flood(limit, 3);
  await clock.advance(0);
  expect(passed()).toBe(2);
});

test('who gives up waiting takes nothing from who comes later', async () => {
  const clock = new ManualClock();
  const limit = new RateLimit({ burst: 1, perSecond: 1 }, clock);
  await limit.take(never);
  const gone = new AbortController();
  const left = Array.from({ length: 1_000 }, () => limit.take(gone.signal));
  gone.abort();
  await Promise.all(left);
  const passed = flood(limit, 1);
  await clock.advance(1_000);
  expect(passed()).toBe(1);
});

test('who waits is let go by the signal', async () => {
  const clock = new ManualClock();
  const limit = new RateLimit({ burst: 1, perSecond: 1 }, clock);
  await limit.take(never);
  await limit.take(AbortSignal.abort());
  expect(clock.sleeping).toBe(0);
});
