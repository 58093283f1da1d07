// A root is replaced while everybody talks to everybody over TLS: at no moment does a handshake fail, also not between those who know and
// those who do not know yet.
import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { expect, test } from 'vitest';
import { readPeerIdentity } from '../../../src/citadel/authority/verify-identity.ts';
import { type IssuedIdentity, issueIdentity } from '../../../src/citadel/issuer.ts';
import { party, pluggedFiles } from '../../../src/citadel/testing/pki.ts';
import { ownStore, pass, pluggedStore, type Replica, startReplica } from '../../../src/citadel/testing/replica.ts';
import { ManualClock } from '../../../src/kit/manual-clock.ts';

const MINUTE_MS = 60_000;
/** Short enough that what is issued before and after is valid at the time that TLS sees, which does not move. */
const ANNOUNCE_MS = 30_000;
const times = {
  rootLifetimeMs: 3650 * 86_400_000,
  announceMs: ANNOUNCE_MS,
  longestLeafMs: 3 * MINUTE_MS,
  pollMs: 1_000,
};

function issue({ authority }: Replica, clock: ManualClock, serviceAccount: string): IssuedIdentity {
  const issuer = authority.current();
  if (issuer === undefined) throw new Error('nobody signs');
  const identity = { namespace: 'shop', serviceAccount };
  return issueIdentity(issuer, { identity, now: clock.now(), lifetimeMs: 60 * MINUTE_MS });
}

/** Who the client is for the server, and the server for the client. */
async function handshake(client: IssuedIdentity, server: IssuedIdentity): Promise<readonly [string, string]> {
  const party = ({ chain, key, roots }: IssuedIdentity) => ({ cert: chain, key: key ?? '', ca: roots });
  const listener = createServer({ ...party(server), requestCert: true, rejectUnauthorized: true });
  listener.listen(0, '127.0.0.1');
  await once(listener, 'listening');
  const { port } = listener.address() as AddressInfo;
  const accepted = once(listener, 'secureConnection') as Promise<[TLSSocket]>;
  const socket = connect({ ...party(client), host: '127.0.0.1', port, checkServerIdentity: () => undefined });
  try {
    await once(socket, 'secureConnect');
    const [peer] = await accepted;
    const names = [nameOf(peer), nameOf(socket)] as const;
    peer.destroy();
    return names;
  } finally {
    socket.destroy();
    listener.close();
  }
}

function nameOf(socket: TLSSocket): string {
  const der = socket.getPeerX509Certificate()?.raw ?? Buffer.alloc(0);
  const read = readPeerIdentity(der, { trustDomains: ['cluster.local'], now: Date.now() });
  return read.ok ? read.value.serviceAccount : read.error;
}

async function expectAllTalk(everybody: readonly IssuedIdentity[]): Promise<void> {
  for (const client of everybody)
    for (const server of everybody) expect(await handshake(client, server)).toEqual(['web', 'web']);
}

test('a root of our own is replaced, and no handshake fails', async () => {
  // Begun a little ago, since time goes on while TLS stands still.
  const clock = new ManualClock(Date.now() - MINUTE_MS);
  const own = ownStore();
  const replica = startReplica(clock, { own, times });
  await pass(clock, 5_000);
  const before = issue(replica, clock, 'web');
  own.put(own.files ?? {}, { rotate: 'now' });
  await pass(clock, 5_000);
  const announced = issue(replica, clock, 'web');
  // The old root is enough for who signs still, and for whom it signed.
  await expectAllTalk([before, announced]);
  await pass(clock, ANNOUNCE_MS + 5_000);
  const switched = issue(replica, clock, 'web');
  expect(switched.roots).toBe(announced.roots);
  await expectAllTalk([announced, switched]);
  // This is what would happen without the announcement.
  await expect(handshake(before, switched)).rejects.toThrow();
});

test('an authority of somebody else, with its intermediates, is replaced by another, and no handshake fails', async () => {
  const clock = new ManualClock(Date.now() - MINUTE_MS);
  const [plugged, own] = [pluggedStore(), ownStore()];
  const authority = (name: string) => {
    const root = party(`${name} root`, clock.now());
    const middle = party(`${name} middle`, clock.now(), root);
    return { root, middle, signer: party(`${name} signer`, clock.now(), middle) };
  };
  const [one, two] = [authority('one'), authority('two')];
  plugged.put(pluggedFiles(one.signer, [one.middle], [one.root]));
  const replica = startReplica(clock, { own, plugged, times });
  await pass(clock, 5_000);
  const before = issue(replica, clock, 'web');
  plugged.put(pluggedFiles(two.signer, [two.root, two.middle], [two.root, one.root]));
  await pass(clock, 5_000);
  const announced = issue(replica, clock, 'web');
  await expectAllTalk([before, announced]);
  await pass(clock, ANNOUNCE_MS + 5_000);
  const switched = issue(replica, clock, 'web');
  expect(switched.chain.split('BEGIN CERTIFICATE')).toHaveLength(4);
  await expectAllTalk([announced, switched]);
});
