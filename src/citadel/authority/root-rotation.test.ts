import { describe, expect, test } from 'vitest';
import { ManualClock } from '../../kit/manual-clock.ts';
import { party, pluggedFiles } from '../testing/pki.ts';
import {
  DAY_MS,
  fingerprint,
  HOUR_MS,
  isBelieved,
  ownStore,
  pass,
  rarely,
  startReplica,
  stateOf,
} from '../testing/replica.ts';

const now = Date.UTC(2026, 5, 1, 12);

describe('a root that is replaced', () => {
  async function rotating() {
    const clock = new ManualClock(now);
    const own = ownStore();
    const times = rarely;
    const [leader, follower] = [startReplica(clock, { own, times }), startReplica(clock, { own, times })];
    follower.lead(false);
    await pass(clock, 1_000);
    const first = stateOf(leader);
    own.put(own.files ?? {}, { rotate: 'monday' });
    await pass(clock, 1_000);
    return { clock, own, leader, follower, first };
  }

  test('on demand is announced first, then signs, then the old one leaves: at no time is anybody cut off', async () => {
    const { clock, leader, follower, first } = await rotating();
    const announced = stateOf(leader);
    expect(announced.signer).toBe(first.signer);
    expect(announced.roots).toHaveLength(2);
    expect(announced.roots).toContain(first.signer);
    expect(stateOf(follower)).toEqual(announced);
    const told = leader.authority.current()?.roots ?? '';

    await pass(clock, DAY_MS + HOUR_MS);
    const switched = stateOf(leader);
    expect(switched.signer).not.toBe(first.signer);
    expect(switched.roots).toEqual(announced.roots);
    expect(stateOf(follower)).toEqual(switched);
    expect(leader.authority.current()?.roots).toBe(told);
    expect(isBelieved(leader, told, clock.now())).toBe(true);

    await pass(clock, 89 * DAY_MS);
    expect(stateOf(leader)).toEqual(switched);
    await pass(clock, 2 * DAY_MS);
    expect(stateOf(leader)).toEqual({ signer: switched.signer, roots: [switched.signer] });
    expect(stateOf(follower)).toEqual(stateOf(leader));
    expect(leader.authority.problem()).toBeUndefined();
  });

  test('on demand is replaced once for each demand', async () => {
    const { clock, own, leader, first } = await rotating();
    await pass(clock, 100 * DAY_MS);
    const second = stateOf(leader);
    expect(second.signer).not.toBe(first.signer);
    await pass(clock, 100 * DAY_MS);
    expect(stateOf(leader)).toEqual(second);
    own.put(own.files ?? {}, { rotate: 'tuesday' });
    await pass(clock, 100 * DAY_MS);
    expect(stateOf(leader).signer).not.toBe(second.signer);
  });

  test('goes on where it was when another replica leads', async () => {
    const { clock, own, leader, follower, first } = await rotating();
    const announced = stateOf(leader);
    await leader.stop();
    follower.lead(true);
    const third = startReplica(clock, { own, times: rarely });
    third.lead(false);
    await pass(clock, DAY_MS + HOUR_MS);
    const switched = stateOf(follower);
    expect(switched.roots).toEqual(announced.roots);
    expect(switched.signer).not.toBe(first.signer);
    expect(stateOf(third)).toEqual(switched);
    await follower.stop();
    third.lead(true);
    await pass(clock, 91 * DAY_MS);
    expect(stateOf(third)).toEqual({ signer: switched.signer, roots: [switched.signer] });
  });

  test('is due when a fifth of its life is left, and a root that lives shortly hurries', async () => {
    const clock = new ManualClock(now);
    const own = ownStore();
    const times = { rootLifetimeMs: DAY_MS, announceMs: DAY_MS, longestLeafMs: HOUR_MS };
    const replica = startReplica(clock, { own, times });
    await pass(clock, 0.74 * DAY_MS);
    const first = stateOf(replica);
    expect(first.roots).toHaveLength(1);
    await pass(clock, 0.07 * DAY_MS);
    expect(stateOf(replica)).toMatchObject({ signer: first.signer, roots: { length: 2 } });
    await pass(clock, 0.1 * DAY_MS);
    const switched = stateOf(replica);
    expect(switched.signer).not.toBe(first.signer);
    expect(switched.roots).toContain(first.signer);
    await pass(clock, 0.05 * DAY_MS);
    expect(stateOf(replica).roots).toEqual([switched.signer]);
  });

  test('that has ended is forgotten at once, also while another one is announced', async () => {
    const clock = new ManualClock(now);
    const own = ownStore();
    const signer = party('signer', now);
    const ending = party('ending', now, undefined, { notAfter: now + 2 * HOUR_MS });
    own.put(pluggedFiles(signer, [], [signer, ending]), { rotate: 'monday' });
    const replica = startReplica(clock, { own, times: { ...rarely, pollMs: 60_000 } });
    await pass(clock, HOUR_MS);
    const announced = stateOf(replica);
    expect(announced.roots).toHaveLength(3);
    await pass(clock, 2 * HOUR_MS);
    expect(stateOf(replica).roots).toEqual(announced.roots.filter((root) => root !== fingerprint(ending.certificate)));
    expect(stateOf(replica).signer).toBe(announced.signer);
    await pass(clock, DAY_MS);
    expect(stateOf(replica).signer).not.toBe(announced.signer);
    expect(stateOf(replica).roots).toContain(announced.signer);
  });

  test('is not replaced by a replica that does not lead', async () => {
    const clock = new ManualClock(now);
    const own = ownStore();
    const replica = startReplica(clock, { own });
    replica.lead(false);
    await pass(clock, 1_000);
    own.put(own.files ?? {}, { rotate: 'monday' });
    await pass(clock, 2 * DAY_MS);
    expect([own.writes, stateOf(replica).roots.length]).toEqual([1, 1]);
  });

  test('whose store lost how far it is begins that phase again, and cuts nobody off', async () => {
    const { clock, own, leader } = await rotating();
    const announced = stateOf(leader);
    await pass(clock, DAY_MS / 2);
    own.put({ ...own.files, 'rotation.json': '' });
    await pass(clock, DAY_MS / 2 + HOUR_MS);
    expect(stateOf(leader)).toEqual(announced);
    await pass(clock, DAY_MS);
    expect(stateOf(leader)).toMatchObject({ roots: announced.roots });
    expect(stateOf(leader).signer).not.toBe(announced.signer);
  });
});
