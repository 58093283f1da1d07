import { expect, onTestFinished, test } from 'vitest';
import { ManualClock } from './manual-clock.ts';
import { type WorkOutcome, WorkQueue } from './work-queue.ts';

type Work = (key: string) => Promise<WorkOutcome> | WorkOutcome;

function begin(work: Work, concurrency = 2) {
  const clock = new ManualClock();
  const done: string[] = [];
  const thrown: unknown[] = [];
  const queue = new WorkQueue<string>({
    name: 'test',
    clock,
    concurrency,
    work: async (key) => {
      done.push(key);
      return await work(key);
    },
    onThrow: (key, error) => void thrown.push([key, error]),
    pauseMs: (failures) => 100 * 2 ** failures,
  });
  const stop = new AbortController();
  const running = queue.run(stop.signal);
  const end = async (): Promise<void> => {
    stop.abort();
    await running;
  };
  onTestFinished(end);
  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < 10; turn += 1) await clock.yield();
  };
  return { clock, queue, done, thrown, settle, end };
}

const fine: Work = () => ({ kind: 'done' });

test('a key is worked on once however often it was added, and once more when it was added meanwhile', async () => {
  const gate: (() => void)[] = [];
  const { queue, done, settle } = begin(() => new Promise((resolve) => gate.push(() => resolve({ kind: 'done' }))));
  for (let count = 0; count < 5; count += 1) queue.add('a');
  await settle();
  expect(done).toEqual(['a']);
  for (let count = 0; count < 5; count += 1) queue.add('a');
  await settle();
  expect(done).toEqual(['a']);
  gate.shift()?.();
  await settle();
  expect(done).toEqual(['a', 'a']);
  gate.shift()?.();
  await settle();
  expect(done).toEqual(['a', 'a']);
  expect(queue.backlog).toBe(0);
});

test('so many at once and no more; whoever is to come first does', async () => {
  const gate: (() => void)[] = [];
  const { queue, done, settle } = begin(() => new Promise((resolve) => gate.push(() => resolve({ kind: 'done' }))));
  for (const key of ['a', 'b', 'c', 'd']) queue.add(key);
  queue.add('e', 'first');
  queue.add('d', 'first');
  // Once it is to come first, it stays.
  queue.add('d');
  await settle();
  expect(done).toEqual(['e', 'd']);
  expect(queue.backlog).toBe(5);
  while (gate.length > 0) {
    gate.shift()?.();
    await settle();
  }
  expect(done).toEqual(['e', 'd', 'a', 'b', 'c']);
});

test('what is to be looked at again is, after its time, and sooner when it is added', async () => {
  const { clock, queue, done, settle } = begin(() => ({ kind: 'again', afterMs: 1_000 }));
  queue.add('a');
  await settle();
  await clock.advance(999);
  expect(done).toEqual(['a']);
  await clock.advance(1);
  await settle();
  expect(done).toEqual(['a', 'a']);
  await clock.advance(500);
  queue.add('a');
  await settle();
  await clock.advance(999);
  expect(done).toHaveLength(3);
  await clock.advance(1);
  await settle();
  expect(done).toHaveLength(4);
});

test('a key that fails or throws waits longer each time, keeps nobody waiting, and begins anew when it was good', async () => {
  let isBroken = true;
  const { clock, queue, done, thrown, settle } = begin((key) => {
    if (key === 'bad' && isBroken) throw new Error('a fault');
    return key === 'worse' && isBroken ? { kind: 'failed', leastMs: 1_000 } : fine(key);
  });
  for (const key of ['bad', 'worse', 'good']) queue.add(key);
  await settle();
  expect(done).toEqual(['bad', 'worse', 'good']);
  expect(queue.failing).toBe(2);
  expect(thrown).toEqual([['bad', new Error('a fault')]]);
  done.length = 0;
  for (let step = 0; step < 14; step += 1) {
    await clock.advance(100);
    await settle();
  }
  // After 200 and 400 more; after 1000.
  expect(done).toEqual(['bad', 'bad', 'worse', 'bad']);
  isBroken = false;
  await clock.advance(100_000);
  await settle();
  expect(queue.failing).toBe(0);
});

test('ends with its signal, after the work that is under way', async () => {
  const gate: (() => void)[] = [];
  const { queue, done, settle, end } = begin(
    () => new Promise((resolve) => gate.push(() => resolve({ kind: 'done' }))),
    1,
  );
  queue.add('a');
  queue.add('b');
  await settle();
  const ended = end();
  gate.shift()?.();
  await ended;
  expect(done).toEqual(['a']);
});
