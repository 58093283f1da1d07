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
  pluggedStore,
  settled,
  startReplica,
  stateOf,
} from '../testing/replica.ts';

const MINUTE_MS = 60_000;
const now = Date.UTC(2026, 5, 1, 12);

describe('an authority that somebody plugs in', () => {
  const root = party('root', now);
  const middle = party('middle', now, root);
  const signer = party('signer', now, middle);
  const files = pluggedFiles(signer, [middle], [root]);

  test('signs, and our own is neither made nor asked', async () => {
    const clock = new ManualClock(now);
    const [own, plugged] = [ownStore(), pluggedStore()];
    plugged.put(files);
    const replica = startReplica(clock, { own, plugged });
    await pass(clock, MINUTE_MS);
    expect(own.writes).toBe(0);
    expect(replica.authority.current()).toMatchObject({
      signer: { certificate: signer.certificate },
      intermediates: signer.certificate + middle.certificate,
      roots: root.certificate,
    });
  });

  test('is not another one because its bundle has another order', async () => {
    const clock = new ManualClock(now);
    const plugged = pluggedStore();
    const other = party('other', now);
    plugged.put(pluggedFiles(signer, [middle, root], [root, other]));
    const replica = startReplica(clock, { own: ownStore(), plugged });
    await pass(clock, MINUTE_MS);
    plugged.put(pluggedFiles(signer, [root, middle, other], [other, root]));
    await pass(clock, MINUTE_MS);
    expect(replica.changes.count).toBe(1);
  });

  test('is read again each time that it changes', async () => {
    const clock = new ManualClock(now);
    const plugged = pluggedStore();
    plugged.put(files);
    const replica = startReplica(clock, { own: ownStore(), plugged });
    await pass(clock, MINUTE_MS);
    for (const name of ['second', 'third', 'fourth']) {
      const next = party(name, now, middle);
      plugged.put(pluggedFiles(next, [middle], [root]));
      await settled(clock);
      expect(stateOf(replica)).toEqual({
        signer: fingerprint(next.certificate),
        roots: [fingerprint(root.certificate)],
      });
    }
    expect(replica.changes.count).toBe(4);
  });

  test('under another root is first told of, then signs', async () => {
    const clock = new ManualClock(now);
    const plugged = pluggedStore();
    plugged.put(files);
    const replica = startReplica(clock, { own: ownStore(), plugged });
    await pass(clock, MINUTE_MS);
    const newRoot = party('new root', now);
    plugged.put(pluggedFiles(newRoot, [], [root, newRoot]));
    await pass(clock, MINUTE_MS);
    const both = [root, newRoot].map(({ certificate }) => fingerprint(certificate)).sort();
    expect(stateOf(replica)).toEqual({ signer: fingerprint(signer.certificate), roots: both });
    const told = replica.authority.current()?.roots ?? '';
    await pass(clock, DAY_MS + HOUR_MS);
    expect(stateOf(replica)).toEqual({ signer: fingerprint(newRoot.certificate), roots: both });
    expect(isBelieved(replica, told, clock.now())).toBe(true);
  });

  test('under a root that nobody trusts yet does not sign, and the one before does', async () => {
    const clock = new ManualClock(now);
    const plugged = pluggedStore();
    plugged.put(files);
    const replica = startReplica(clock, { own: ownStore(), plugged });
    await pass(clock, MINUTE_MS);
    const before = replica.authority.current();
    const newRoot = party('new root', now);
    plugged.put(pluggedFiles(newRoot, [], [newRoot]));
    await pass(clock, 2 * DAY_MS);
    expect(replica.authority.current()).toBe(before);
    expect(replica.authority.problem()).toContain('add the present root to its root-cert.pem');
  });

  test('that is damaged or gone signs on, and nothing takes its place', async () => {
    const clock = new ManualClock(now);
    const [own, plugged] = [ownStore(), pluggedStore()];
    plugged.put(files);
    const replica = startReplica(clock, { own, plugged });
    await pass(clock, MINUTE_MS);
    const before = replica.authority.current();
    plugged.put({ ...files, 'root-cert.pem': root.certificate.slice(0, 100) });
    await pass(clock, MINUTE_MS);
    expect(replica.authority.problem()).toContain('root-cert.pem holds what is no certificate');
    plugged.remove();
    await pass(clock, DAY_MS);
    expect(replica.authority.problem()).toContain('Secret istio-system/cacerts is gone');
    expect([own.writes, replica.authority.current()]).toEqual([0, before]);
    plugged.put(files);
    await pass(clock, MINUTE_MS);
    expect(replica.authority.problem()).toBeUndefined();
  });

  test('takes the place of our own when it trusts that, and only then', async () => {
    const clock = new ManualClock(now);
    const [own, plugged] = [ownStore(), pluggedStore()];
    const replica = startReplica(clock, { own, plugged });
    await pass(clock, MINUTE_MS);
    const before = stateOf(replica);
    plugged.put(files);
    await pass(clock, MINUTE_MS);
    expect(stateOf(replica)).toEqual(before);
    expect(replica.authority.problem()).toContain(
      'Secret istio-system/cacerts: its roots are not what the mesh trusts',
    );
    const ownRoot = own.files?.['ca-cert.pem'] ?? '';
    plugged.put({ ...files, 'root-cert.pem': root.certificate + ownRoot });
    await pass(clock, MINUTE_MS);
    expect(stateOf(replica)).toMatchObject({ signer: before.signer, roots: { length: 2 } });
    await pass(clock, DAY_MS);
    expect(stateOf(replica).signer).toBe(fingerprint(signer.certificate));
    expect(replica.authority.problem()).toBeUndefined();
  });

  test('that is broken at the start does not keep our own from signing', async () => {
    const clock = new ManualClock(now);
    const [own, plugged] = [ownStore(), pluggedStore()];
    const first = startReplica(clock, { own });
    await pass(clock, MINUTE_MS);
    plugged.put({ ...files, 'ca-key.pem': '' });
    const second = startReplica(clock, { own, plugged });
    await pass(clock, MINUTE_MS);
    expect(stateOf(second)).toEqual(stateOf(first));
    expect(second.authority.problem()).toContain('cacerts: ca-key.pem is missing');
  });

  test('and is the only place to look is waited for, and nothing is made', async () => {
    const clock = new ManualClock(now);
    const plugged = pluggedStore();
    const replica = startReplica(clock, { own: undefined, plugged });
    await pass(clock, MINUTE_MS);
    expect(replica.authority.problem()).toContain('there is no certificate in the Secret istio-system/cacerts');
    plugged.put(files);
    await settled(clock);
    expect(stateOf(replica).signer).toBe(fingerprint(signer.certificate));
  });
});
