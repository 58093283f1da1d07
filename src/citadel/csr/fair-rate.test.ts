import { expect, test } from 'vitest';
import { ManualClock } from '../../kit/manual-clock.ts';
import { FairRate } from './fair-rate.ts';

const limits = { perSecond: 10, burst: 2, waiting: 8 };

function start(more: Partial<typeof limits> = {}) {
  const clock = new ManualClock();
  const rate = new FairRate({ ...limits, ...more }, clock);
  const done: string[] = [];
  const ask = (key: string): void => void rate.turn(key).then(({ kind }) => done.push(`${key} ${kind}`));
  return { clock, rate, done, ask };
}

test('a burst goes at once, and what follows at the rate', async () => {
  const { clock, done, ask } = start();
  for (let each = 0; each < 4; each += 1) ask('a');
  await clock.advance(0);
  expect(done).toEqual(['a go', 'a go']);
  await clock.advance(100);
  expect(done).toHaveLength(3);
  await clock.advance(100);
  expect(done).toHaveLength(4);
});

test('keys take turns, whoever wants how many', async () => {
  const { clock, done, ask } = start({ burst: 1 });
  for (const key of ['a', 'a', 'a', 'a', 'b', 'c']) ask(key);
  await clock.advance(1000);
  expect(done).toEqual(['a go', 'a go', 'b go', 'c go', 'a go', 'a go']);
});

test('who would wait too long is told when to come again', async () => {
  const { clock, rate, ask } = start({ burst: 1 });
  for (let each = 0; each < 9; each += 1) ask('a');
  expect(await rate.turn('a')).toEqual({ kind: 'later', retryAfterMs: 900 });
  await clock.advance(2000);
  expect(await rate.turn('a')).toEqual({ kind: 'go' });
});

test('however many keys flood, one that does not has its turn', async () => {
  const { clock, done, ask } = start({ burst: 1, waiting: 6 });
  for (let each = 0; each < 7; each += 1) for (const key of ['a', 'b', 'c']) ask(key);
  ask('quiet');
  await clock.advance(1000);
  const gone = done.filter((line) => line.endsWith('go'));
  expect(gone).toHaveLength(7);
  expect(new Set(gone)).toEqual(new Set(['a go', 'b go', 'c go', 'quiet go']));
  expect(done.filter((line) => line.endsWith('later'))).toHaveLength(15);
});

test('a quiet time saves up no more than a burst', async () => {
  const { clock, done, ask } = start();
  await clock.advance(3_600_000);
  for (let each = 0; each < 4; each += 1) ask('a');
  await clock.advance(0);
  expect(done).toHaveLength(2);
  await clock.advance(1000);
});
