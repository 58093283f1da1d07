import { describe, expect, it } from 'vitest';
import { ManualClock } from '../kit/manual-clock.ts';
import { Lanes, type Pusher, type Sending } from './lanes.ts';

async function turns(count: number, clock: ManualClock): Promise<void> {
  for (let n = 0; n < count; n += 1) await clock.yield();
}

describe('Lanes', () => {
  it('lets so many push at a time, and gives everybody else a turn between', async () => {
    const clock = new ManualClock();
    const lanes = new Lanes(clock, { lanes: 2, lanePatienceMs: 100, crowdedBytes: 1000 });
    let active = 0;
    let most = 0;
    let done = 0;
    const send = async (): Promise<void> => {
      active += 1;
      most = Math.max(most, active);
      await clock.yield();
      active -= 1;
      done += 1;
    };
    const push = (): Sending => ({ bytes: 1, taken: send() });
    for (let n = 0; n < 10; n += 1) lanes.add({ push }, 'change');
    await turns(3, clock);
    expect(done).toBeLessThan(10);
    await turns(20, clock);
    expect([done, most, lanes.waiting]).toEqual([10, 2, 0]);
  });

  it('takes a pusher that is added again once', async () => {
    const clock = new ManualClock();
    const lanes = new Lanes(clock, { lanes: 1, lanePatienceMs: 100, crowdedBytes: 1000 });
    let pushes = 0;
    const pusher = { push: () => sent(() => (pushes += 1)) };
    for (let n = 0; n < 5; n += 1) lanes.add(pusher, n % 2 === 0 ? 'change' : 'answer');
    await turns(5, clock);
    expect(pushes).toBe(1);
  });

  it('serves answers before changes, but not only answers', async () => {
    const clock = new ManualClock();
    const lanes = new Lanes(clock, { lanes: 1, lanePatienceMs: 100, crowdedBytes: 1000 });
    const order: string[] = [];
    const pusher = (name: string): Pusher => ({ push: () => sent(() => order.push(name)) });
    for (const name of ['c1', 'c2', 'c3']) lanes.add(pusher(name), 'change');
    for (const name of ['a1', 'a2', 'a3', 'a4', 'a5']) lanes.add(pusher(name), 'answer');
    await turns(20, clock);
    expect(order).toEqual(['a1', 'a2', 'c1', 'a3', 'a4', 'c2', 'a5', 'c3']);
  });

  it('takes the lane from who is slow', async () => {
    const clock = new ManualClock();
    const lanes = new Lanes(clock, { lanes: 1, lanePatienceMs: 100, crowdedBytes: 1000 });
    let isServed = false;
    lanes.add(stuck(1), 'answer');
    lanes.add({ push: () => sent(() => (isServed = true)) }, 'answer');
    await turns(5, clock);
    expect(isServed).toBe(false);
    await clock.advance(100);
    await turns(5, clock);
    expect(isServed).toBe(true);
  });

  it('leaves it longer to who is slow while much is unread, but not for ever', async () => {
    const clock = new ManualClock();
    const lanes = new Lanes(clock, { lanes: 1, lanePatienceMs: 100, crowdedBytes: 1000 });
    let isServed = false;
    lanes.add(stuck(2000), 'answer');
    lanes.add({ push: () => sent(() => (isServed = true)) }, 'answer');
    await turns(5, clock);
    expect(lanes.unread).toBe(2000);
    await clock.advance(400);
    expect(isServed).toBe(false);
    await clock.advance(200);
    await turns(5, clock);
    expect(isServed).toBe(true);
  });

  it('goes on at once past who has nothing to send', async () => {
    const clock = new ManualClock();
    const lanes = new Lanes(clock, { lanes: 1, lanePatienceMs: 100, crowdedBytes: 1000 });
    let looks = 0;
    for (let n = 0; n < 100; n += 1) lanes.add({ push: () => void (looks += 1) as undefined }, 'change');
    await turns(1, clock);
    expect(looks).toBe(100);
  });
});

function sent(note: () => void): Sending {
  note();
  return { bytes: 1, taken: Promise.resolve() };
}

function stuck(bytes: number): Pusher {
  return { push: () => ({ bytes, taken: new Promise(() => undefined) }) };
}
