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
