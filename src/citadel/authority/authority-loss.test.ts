import { describe, expect, test } from 'vitest';
import { ManualClock } from '../../kit/manual-clock.ts';
import { party, pluggedFiles } from '../testing/pki.ts';
import {
  DAY_MS,
  fingerprint,
  HOUR_MS,
  messages,
  ownStore,
  pass,
  rarely,
  startReplica,
  stateOf,
} from '../testing/replica.ts';
import type { FindEvidence } from './evidence.ts';
import { certificatesIn } from './pem.ts';

const MINUTE_MS = 60_000;
const now = Date.UTC(2026, 5, 1, 12);

describe('an authority that is lost while it signs', () => {
  async function signing(times?: typeof rarely) {
    const clock = new ManualClock(now);
    const own = ownStore();
    const replica = startReplica(clock, { own, ...(times && { times }) });
    await pass(clock, 1_000);
    return { clock, own, replica, files: own.files ?? {}, issuer: replica.authority.current() };
  }

  test('signs on, and is put back as it was', async () => {
    const { clock, own, replica, files, issuer } = await signing();
    own.remove();
    await pass(clock, 1_000);
    expect(own.files).toEqual(files);
    expect(replica.authority.current()).toBe(issuer);
    expect(replica.authority.problem()).toBeUndefined();
    expect(messages(replica)).toContain('warn authority was lost, and is restored from memory');
  });

  test('is put back by a replica that knows it, when the one that leads does not', async () => {
    const { clock, own, replica, files } = await signing();
    replica.lead(false);
    const evidence = evidenceOf(files['ca-cert.pem'] ?? '');
    own.remove();
    const leader = startReplica(clock, { own, evidence });
    await pass(clock, 2_000);
    expect(own.files).toBeUndefined();
    expect(leader.authority.current()).toBeUndefined();
    expect(leader.authority.problem()).toContain('a new root would cut it off');
    expect(replica.authority.problem()).toContain('signs on from memory');
    await pass(clock, 3 * MINUTE_MS);
    expect(own.files).toEqual(files);
    expect(stateOf(leader)).toEqual(stateOf(replica));
    expect([leader, replica].map(({ authority }) => authority.problem())).toEqual([undefined, undefined]);
  });

  test.each([
    [
      'cut off',
      (files: Readonly<Record<string, string>>) => ({
        ...files,
        'ca-key.pem': files['ca-key.pem']?.slice(0, 80) ?? '',
      }),
    ],
    [
      'given another key',
      (files: Readonly<Record<string, string>>) => ({ ...files, 'ca-key.pem': party('x', now).key }),
    ],
    ['emptied', () => ({})],
  ])('by being %s signs on, is told once, and is put back after a person had time to', async (_, damage) => {
    const { clock, own, replica, files, issuer } = await signing();
    own.put(damage(files));
    await pass(clock, 1_000);
    expect(replica.authority.current()).toBe(issuer);
    await pass(clock, 3 * MINUTE_MS);
    expect(own.files).toEqual(files);
    expect(replica.authority.current()).toBe(issuer);
    expect(replica.authority.problem()).toBeUndefined();
    expect(messages(replica).filter((line) => line.startsWith('warn authority is degraded')).length).toBeLessThan(2);
  });

  test('by being replaced by another signs on, says what to do, and touches nothing', async () => {
    const { clock, own, replica, issuer } = await signing();
    const foreign = pluggedFiles(party('foreign', now), [], []);
    own.put(foreign);
    await pass(clock, DAY_MS);
    expect(own.files).toEqual(foreign);
    expect(replica.authority.current()).toBe(issuer);
    expect(replica.authority.problem()).toContain('its roots are not what the mesh trusts');
    expect(replica.authority.problem()).toContain('restore the one from before');
    expect(messages(replica).filter((line) => line === 'warn authority is degraded')).toHaveLength(1);
  });

  test('by being replaced on purpose is followed, and both are trusted meanwhile', async () => {
    const { clock, own, replica, issuer } = await signing(rarely);
    const foreign = party('foreign', now);
    own.put(pluggedFiles(foreign, [], []), { accept: true });
    await pass(clock, 1_000);
    expect(replica.authority.current()?.signer).toEqual(issuer?.signer);
    const told = stateOf(replica).roots;
    expect(told).toHaveLength(2);
    await pass(clock, DAY_MS + HOUR_MS);
    expect(stateOf(replica)).toEqual({ signer: fingerprint(foreign.certificate), roots: told });
    await pass(clock, 91 * DAY_MS);
    expect(stateOf(replica).roots).toEqual([fingerprint(foreign.certificate)]);
  });

  test('by its store being out of reach signs on', async () => {
    const { clock, own, replica, issuer } = await signing();
    own.unreadable = { reason: 'no answer', remedy: 'nothing; it is tried again' };
    await pass(clock, DAY_MS);
    expect([replica.authority.current(), replica.authority.problem()]).toEqual([
      issuer,
      'no answer (remedy: nothing; it is tried again)',
    ]);
  });
});

function evidenceOf(roots: string): FindEvidence {
  return () =>
    Promise.resolve({ kind: 'known', published: certificatesIn(roots) ?? [], issued: [], where: 'the test' });
}

describe('an authority that is lost before the start', () => {
  const former = party('former', now);
  const evidence = evidenceOf(former.certificate);

  test('is not replaced by a new one, and what to do is said once', async () => {
    const clock = new ManualClock(now);
    const own = ownStore();
    const replica = startReplica(clock, { own, evidence });
    await pass(clock, DAY_MS);
    expect([own.writes, replica.authority.current()]).toEqual([0, undefined]);
    expect(replica.authority.problem()).toMatch(
      /there is no Secret .* but the mesh trusts .*CN=former.* restore the Secret/,
    );
    expect(messages(replica)).toEqual(['warn authority is degraded']);
    own.put({ 'ca-cert.pem': former.certificate, 'ca-key.pem': former.key });
    await pass(clock, MINUTE_MS);
    expect(stateOf(replica).signer).toBe(fingerprint(former.certificate));
    expect(replica.authority.problem()).toBeUndefined();
  });

  test('is replaced when a person says so, and the former stays trusted while its leaves live', async () => {
    const clock = new ManualClock(now);
    const own = ownStore();
    own.put({}, { accept: true });
    const replica = startReplica(clock, { own, evidence, times: rarely });
    await pass(clock, MINUTE_MS);
    const { signer, roots } = stateOf(replica);
    expect(roots).toEqual([signer, fingerprint(former.certificate)].sort());
    await pass(clock, 91 * DAY_MS);
    expect(stateOf(replica)).toEqual({ signer, roots: [signer] });
  });

  test('is not replaced where only workloads know of it; and what they know, since a tenant may have written it, is never trusted for that', async () => {
    const clock = new ManualClock(now);
    const own = ownStore();
    const issued = certificatesIn(former.certificate) ?? [];
    const planted: FindEvidence = () => Promise.resolve({ kind: 'known', published: [], issued, where: 'the test' });
    const replica = startReplica(clock, { own, evidence: planted });
    await pass(clock, MINUTE_MS);
    expect([own.writes, replica.authority.current()]).toEqual([0, undefined]);
    expect(replica.authority.problem()).toContain('CN=former');
    own.put({}, { accept: true });
    await pass(clock, 2 * MINUTE_MS);
    const made = stateOf(replica);
    expect(made.roots).toEqual([made.signer]);
    // Nor does it keep from signing what we have.
    const late = startReplica(clock, { own, evidence: planted });
    await pass(clock, 2 * MINUTE_MS);
    expect([stateOf(late), late.authority.problem()]).toEqual([made, undefined]);
  });

  test('is not replaced either when nobody can tell whether there was one', async () => {
    const clock = new ManualClock(now);
    const own = ownStore();
    const unknown: FindEvidence = () => Promise.resolve({ kind: 'unknown', reason: 'forbidden', remedy: 'allow it' });
    const replica = startReplica(clock, { own, evidence: unknown });
    await pass(clock, DAY_MS);
    expect([own.writes, replica.authority.problem()]).toEqual([0, 'forbidden (remedy: allow it)']);
  });

  test.each([
    ['damaged', { 'ca-cert.pem': former.certificate, 'ca-key.pem': 'gone' }, 'ca-key.pem cannot be read'],
    ['another', pluggedFiles(party('foreign', now), [], []), 'its roots are not what the mesh trusts'],
  ])('is left alone when it is %s', async (_, files, reason) => {
    const clock = new ManualClock(now);
    const own = ownStore();
    own.put(files);
    const replica = startReplica(clock, { own, evidence });
    await pass(clock, DAY_MS);
    expect([own.files, own.writes, replica.authority.current()]).toEqual([files, 0, undefined]);
    expect(replica.authority.problem()).toContain(reason);
  });

  test('makes place for one that is empty, as an installer leaves it', async () => {
    const clock = new ManualClock(now);
    const own = ownStore();
    own.put({ 'ca-cert.pem': '' });
    const replica = startReplica(clock, { own });
    await pass(clock, MINUTE_MS);
    expect(stateOf(replica).roots).toHaveLength(1);
  });
});
