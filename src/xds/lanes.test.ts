import { describe, expect, it } from 'vitest';
import { ManualClock } from '../kit/manual-clock.ts';
import { Lanes } from './lanes.ts';

async function turns(count: number, clock: ManualClock): Promise<void> {
  for (let n = 0; n < count; n += 1) await clock.yield();
}

describe('Lanes', () => {
  it('lets so many push at a time, and gives everybody else a turn between', async () => {
    const clock = new ManualClock();
    const lanes = new Lanes(clock, { width: 2, patienceMs: 100 });
    let active = 0;
    let most = 0;
    let done = 0;
    const push = async (): Promise<void> => {
      active += 1;
      most = Math.max(most, active);
      await clock.yield();
      active -= 1;
      done += 1;
    };
    for (let n = 0; n < 10; n += 1) lanes.add({ push }, 'change');
    await turns(3, clock);
    expect(done).toBeLessThan(10);
    await turns(20, clock);
    expect([done, most, lanes.waiting]).toEqual([10, 2, 0]);
  });

  it('takes a pusher that is added again once', async () => {
    const clock = new ManualClock();
    const lanes = new Lanes(clock, { width: 1, patienceMs: 100 });
    let pushes = 0;
    const pusher = { push: (): Promise<void> => Promise.resolve(void (pushes += 1)) };
    for (let n = 0; n < 5; n += 1) lanes.add(pusher, n % 2 === 0 ? 'change' : 'answer');
    await turns(5, clock);
    expect(pushes).toBe(1);
  });

  it('serves answers before changes, but not only answers', async () => {
    const clock = new ManualClock();
    const lanes = new Lanes(clock, { width: 1, patienceMs: 100 });
    const order: string[] = [];
    const pusher = (name: string) => ({ push: (): Promise<void> => Promise.resolve(void order.push(name)) });
    for (const name of ['c1', 'c2', 'c3']) lanes.add(pusher(name), 'change');
    for (const name of ['a1', 'a2', 'a3', 'a4', 'a5']) lanes.add(pusher(name), 'answer');
    await turns(20, clock);
    expect(order).toEqual(['a1', 'a2', 'c1', 'a3', 'a4', 'c2', 'a5', 'c3']);
  });

  it('takes the lane from who is slow', async () => {
    const clock = new ManualClock();
    const lanes = new Lanes(clock, { width: 1, patienceMs: 100 });
    let isServed = false;
    lanes.add({ push: () => new Promise(() => undefined) }, 'answer');
    lanes.add({ push: () => Promise.resolve(void (isServed = true)) }, 'answer');
    await turns(5, clock);
    expect(isServed).toBe(false);
    await clock.advance(100);
    await turns(5, clock);
    expect(isServed).toBe(true);
  });
});
