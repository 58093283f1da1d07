import { expect, test } from 'vitest';
import type { Clock } from './clock.ts';
import { Turn } from './turn.ts';

test('others have a turn when one has lasted, and not before', async () => {
  let now = 0;
  let yields = 0;
  const clock: Clock = {
    now: () => now,
    monotonic: () => now,
    sleep: () => Promise.resolve(),
    yield: async () => {
      yields += 1;
      now += 100;
    },
  };
  const turn = new Turn(clock);
  for (const [step, expected] of [
    [7, 0],
    [1, 1],
    [7, 1],
    [1, 2],
  ] as const) {
    now += step;
    await turn.share();
    expect(yields).toBe(expected);
  }
});

test('pieces that share one have it one after the other, and not all at once', async () => {
  let now = 0;
  const clock: Clock = {
    now: () => now,
    monotonic: () => now,
    sleep: () => Promise.resolve(),
    yield: () => new Promise((resolve) => setImmediate(resolve)),
  };
  const turn = new Turn(clock);
  let phase = 0;
  const phases: number[] = [];
  now += 10;
  const pieces = Array.from({ length: 6 }, async () => {
    await turn.share();
    phases.push(phase);
    // Each takes half a turn.
    now += 4;
  });
  const over = new AbortController();
  const counting = (async () => {
    while (!over.signal.aborted) {
      await clock.yield();
      phase += 1;
    }
  })();
  await Promise.all(pieces);
  over.abort();
  await counting;
  const together = Map.groupBy(phases, (each) => each);
  expect(Math.max(...[...together.values()].map(({ length }) => length))).toBe(2);
});
