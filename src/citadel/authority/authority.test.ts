import { X509Certificate } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { ManualClock } from '../../kit/manual-clock.ts';
import { DAY_MS, messages, ownStore, pass, settled, startReplica, stateOf } from '../testing/replica.ts';
import { MemoryStore } from './memory-store.ts';

const MINUTE_MS = 60_000;
const now = Date.UTC(2026, 5, 1, 12);

describe('an authority that nobody gave', () => {
  test('is made once, by whoever is first, and the others take it', async () => {
    const clock = new ManualClock(now);
    const own = ownStore();
    const [one, two] = [startReplica(clock, { own }), startReplica(clock, { own })];
    two.lead(false);
    await pass(clock, 1_000);
    expect(own.writes).toBe(1);
    expect(stateOf(one)).toEqual(stateOf(two));
    expect(one.authority.problem()).toBeUndefined();
    const root = new X509Certificate(one.authority.current()?.signer.certificate ?? '');
    expect(root.subject).toMatch(/^O=cluster\.local\nCN=root [0-9a-f]{8}$/);
    expect(root.publicKey.asymmetricKeyDetails?.namedCurve).toBe('prime256v1');
    expect(Date.parse(root.validTo)).toBe(now + 3650 * DAY_MS);
    expect([...messages(one), ...messages(two)].filter((line) => line.includes('root made'))).toHaveLength(1);
  });

  test('is the same object as long as nothing moves, and follows the trust domain', async () => {
    const clock = new ManualClock(now);
    const replica = startReplica(clock, { own: ownStore() });
    await pass(clock, 10 * MINUTE_MS);
    const before = replica.authority.current();
    expect(before?.trustDomain).toBe('cluster.local');
    await pass(clock, 10 * MINUTE_MS);
    expect(replica.authority.current()).toBe(before);
    expect(replica.changes.count).toBe(1);
    replica.setTrustDomain('project.example.org');
    await settled(clock);
    expect(replica.authority.current()).toEqual({ ...before, trustDomain: 'project.example.org' });
  });

  test('is waited for until the trust domain is known', async () => {
    const clock = new ManualClock(now);
    const own = ownStore();
    const trustDomain = { current: () => undefined, onChange: () => () => undefined };
    const replica = startReplica(clock, { own, trustDomain });
    await pass(clock, MINUTE_MS);
    expect([own.writes, replica.authority.current(), replica.authority.problem()]).toEqual([0, undefined, undefined]);
  });

  test('lives in memory where nothing else is, and that is said', async () => {
    const clock = new ManualClock(now);
    const replica = startReplica(clock, { own: new MemoryStore() });
    await pass(clock, 1_000);
    expect(messages(replica)).toContain('info the root is kept in memory only: with the next start there is another');
    expect(stateOf(replica).roots).toHaveLength(1);
  });

  test('that cannot be written is tried again, and said once', async () => {
    const clock = new ManualClock(now);
    const own = ownStore();
    own.unwritable = { reason: 'cannot create', remedy: 'allow it' };
    const replica = startReplica(clock, { own });
    await pass(clock, MINUTE_MS);
    expect(replica.authority.problem()).toBe('cannot create (remedy: allow it)');
    expect(messages(replica)).toEqual(['warn authority is degraded']);
    expect(await replica.metrics.expose()).toContain('citadel_server_ca_degraded 1\n');
    expect(await replica.metrics.expose()).toContain('citadel_server_root_cert_expiry_timestamp -1\n');
    own.unwritable = undefined;
    await pass(clock, 3 * MINUTE_MS);
    expect(replica.authority.problem()).toBeUndefined();
    const text = await replica.metrics.expose();
    expect(text).toContain('citadel_server_ca_degraded 0\n');
    const root = new X509Certificate(replica.authority.current()?.signer.certificate ?? '');
    expect(text).toContain(`citadel_server_root_cert_expiry_timestamp ${Date.parse(root.validTo) / 1_000}\n`);
    expect(text).toContain(`citadel_server_cert_chain_expiry_timestamp ${Date.parse(root.validTo) / 1_000}\n`);
    expect(text).toMatch(/citadel_server_root_cert_expiry_seconds \d{9}\n/);
    expect(text).toMatch(/citadel_server_cert_chain_expiry_seconds \d{9}\n/);
  });
});
