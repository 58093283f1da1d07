import { describe, expect, onTestFinished, test } from 'vitest';
import { asRecord } from '../../kube/json.ts';
import { testIssuer } from '../testing/issuers.ts';
import { HOUR_MS, otherRoot, root, SecretWorld } from '../testing/secret-world.ts';
import type { SecretRules } from './secret-keeper.ts';

function worldOf(own: Partial<SecretRules> = {}): SecretWorld {
  const world = new SecretWorld(own);
  onTestFinished(() => world.resign());
  world.namespace('shop');
  return world;
}

/** One that leads, with one account whose Secret is there. */
async function served(own: Partial<SecretRules> = {}): Promise<SecretWorld> {
  const world = worldOf(own);
  world.account('shop', 'web');
  world.lead();
  await world.settle();
  world.kube.writes.length = 0;
  return world;
}

describe('identities as Secrets', () => {
  test('an account gets what a stock Envoy reads', async () => {
    const world = await served();
    expect(world.secret('shop', 'web')).toMatchObject({
      apiVersion: 'v1',
      kind: 'Secret',
      type: 'istio.io/key-and-cert',
      metadata: {
        annotations: { 'istio.io/service-account.name': 'web' },
        ownerReferences: [{ apiVersion: 'v1', kind: 'ServiceAccount', name: 'web' }],
      },
    });
    const data = asRecord(world.secret('shop', 'web')?.['data']);
    expect(Object.keys(data)).toEqual(['cert-chain.pem', 'key.pem', 'root-cert.pem', 'sds-cert.yaml', 'sds-root.yaml']);
    expect(world.file('shop', 'web', 'root-cert.pem')).toBe(root.certificate);
    expect(world.file('shop', 'web', 'sds-cert.yaml')).toContain('/etc/certs/cert-chain.pem');
    expect(world.events).toEqual([]);
  });

  test('a new account is served at once, before what only is to be renewed', async () => {
    const world = worldOf();
    for (let index = 0; index < 200; index += 1) world.account('shop', `old-${index}`);
    world.lead();
    await world.settle();
    world.kube.writes.length = 0;
    world.kube.isHeld = true;
    world.account('shop', 'new');
    world.issuers.use(testIssuer(otherRoot, { roots: root.certificate + otherRoot.certificate }));
    world.kube.release();
    await world.settle();
    const place = world.kube.writes.indexOf('create secrets shop/istio.new');
    expect(world.kube.writes).toHaveLength(201);
    // Behind those that were under way already.
    expect(place).toBeLessThan(32);
    expect(world.kube.writes.filter((write) => write.includes('istio.new'))).toHaveLength(1);
  });

  test('whoever begins to lead writes nothing where all is well, and asks nothing again', async () => {
    const world = await served();
    await world.resign();
    world.lead();
    await world.settle();
    expect(world.kube.writes).toEqual([]);
    const { calls } = world.kube;
    // A touch that changes nothing, of each kind.
    world.kube.put('serviceaccounts', world.kube.find('serviceaccounts', 'shop', 'web') ?? {});
    world.namespace('shop', { team: 'a' });
    world.issuers.use(testIssuer(root));
    await world.pass(HOUR_MS, 6);
    expect(world.kube.calls).toBe(calls);
  });

  test('no identity before there is an issuer, and then for all', async () => {
    const world = worldOf();
    world.issuers.use(undefined);
    world.account('shop', 'web');
    world.lead();
    await world.settle();
    expect(world.kube.writes).toEqual([]);
    world.issuers.use(testIssuer(root));
    await world.settle();
    expect(world.kube.writes).toEqual(['create secrets shop/istio.web']);
  });

  test('an issuer that has ended, or cannot sign, is told on the account and counted, until one can', async () => {
    const world = worldOf();
    world.account('shop', 'web');
    await world.clock.advance(4_000 * 24 * HOUR_MS);
    world.lead();
    await world.settle();
    expect(world.kube.writes).toEqual([]);
    expect(world.events.map(({ reason }) => reason)).toEqual(['IdentityNotSigned']);
    world.issuers.use(testIssuer({ ...otherRoot, key: 'no key' }));
    await world.settle();
    expect(await world.counted('citadel_secret_controller_csr_sign_err_count{error="TTL_ERROR"}')).toBe(1);
    expect(await world.counted('citadel_secret_controller_csr_sign_err_count{error="CERT_GEN_ERROR"}')).toBe(1);
  });

  test('accounts that appear, go, and lose their Secrets are counted as Citadel did', async () => {
    const world = await served();
    world.kube.remove('secrets', { namespace: 'shop', name: 'istio.web' });
    world.account('shop', 'bank');
    await world.settle();
    world.removeAccount('shop', 'web');
    await world.settle();
    expect(await world.counted('citadel_secret_controller_svc_acc_created_cert_count')).toBe(2);
    expect(await world.counted('citadel_secret_controller_secret_deleted_cert_count')).toBe(1);
    expect(await world.counted('citadel_secret_controller_svc_acc_deleted_cert_count')).toBe(1);
  });

  test('a Secret whose account one watch does not tell of yet is not removed', async () => {
    const world = worldOf();
    world.account('shop', 'web');
    world.lead();
    await world.settle();
    await world.resign();
    const account = world.kube.find('serviceaccounts', 'shop', 'web') ?? {};
    world.kube.remove('serviceaccounts', { namespace: 'shop', name: 'web' });
    world.lead();
    await new Promise((resolve) => setImmediate(resolve));
    world.kube.isHeld = true;
    world.kube.put('serviceaccounts', account);
    world.kube.writes.length = 0;
    await world.settle();
    expect(world.secret('shop', 'web')).toBeDefined();
    world.kube.release();
    await world.pass(5_000);
    expect(world.kube.writes).toEqual([]);
  });

  test('only the namespaces that are listened to', async () => {
    const world = worldOf({ listened: ['bank'] });
    world.namespace('bank', { 'ca.istio.io/override': 'false' });
    world.account('shop', 'web');
    world.account('bank', 'vault');
    world.lead();
    await world.settle();
    expect(world.kube.writes).toEqual(['create secrets bank/istio.vault']);
  });

  test('what another mesh of the cluster made is not removed, be its account gone or not', async () => {
    const world = worldOf();
    world.namespace('bank', { 'ca.istio.io/env': 'other-system' });
    world.account('shop', 'web');
    world.lead();
    await world.settle();
    const made = world.secret('shop', 'web') ?? {};
    const { annotations } = asRecord(made['metadata']);
    world.kube.put('secrets', { ...made, metadata: { namespace: 'bank', name: 'istio.web', annotations } });
    world.removeAccount('shop', 'web');
    world.kube.writes.length = 0;
    await world.settle();
    expect(world.kube.writes).toEqual(['delete secrets shop/istio.web']);
  });

  test('a namespace that becomes managed gets all, one that ceases to be keeps what it has', async () => {
    const world = worldOf({ enabledByDefault: false });
    for (const name of ['web', 'bank']) world.account('shop', name);
    world.lead();
    await world.settle();
    expect(world.kube.writes).toEqual([]);
    world.namespace('shop', { 'ca.istio.io/env': 'istio-system' });
    await world.settle();
    expect(world.kube.writes.toSorted()).toEqual(['create secrets shop/istio.bank', 'create secrets shop/istio.web']);
    world.namespace('shop');
    await world.settle();
    expect(world.kube.writes).toHaveLength(2);
    expect(world.secret('shop', 'web')).toBeDefined();
  });
});

describe('what stands in the way', () => {
  test('somebody else’s Secret is never touched, is told of once, and leaves room when it goes', async () => {
    const world = worldOf();
    world.kube.put('secrets', { metadata: { namespace: 'shop', name: 'istio.web' }, type: 'Opaque', data: {} });
    world.account('shop', 'web');
    world.lead();
    await world.settle();
    await world.pass(HOUR_MS, 60);
    expect(world.kube.writes).toEqual([]);
    expect(new Set(world.events.map(({ reason }) => reason))).toEqual(new Set(['IdentitySecretForeign']));
    expect(world.events[0]?.subject).toMatchObject({ kind: 'ServiceAccount', namespace: 'shop', name: 'web' });
    expect(world.lines.filter((line) => line.includes('cannot be kept'))).toHaveLength(1);
    world.kube.remove('secrets', { namespace: 'shop', name: 'istio.web' });
    await world.pass(10 * 60_000, 10);
    expect(world.kube.writes).toEqual(['create secrets shop/istio.web']);
    expect(world.lines.at(-1)).toContain('can be kept up to date again');
  });

  test('an account whose Secret would have too long a name is told so', async () => {
    const world = worldOf();
    const name = 'a'.repeat(248);
    world.account('shop', name);
    world.account('shop', 'b'.repeat(247));
    world.lead();
    await world.settle();
    expect(world.kube.writes).toEqual([`create secrets shop/istio.${'b'.repeat(247)}`]);
    expect(world.events.map(({ reason, subject }) => [reason, subject.name])).toEqual([['IdentityImpossible', name]]);
    expect(await world.counted('citadel_secret_controller_csr_err_count')).toBe(1);
  });

  test('a quota that refuses one namespace keeps no other waiting, and is told on its accounts', async () => {
    const world = worldOf();
    world.namespace('full');
    for (let index = 0; index < 40; index += 1) world.account('full', `account-${index}`);
    for (let index = 0; index < 40; index += 1) world.account('shop', `account-${index}`);
    world.kube.refuse = ({ verb, name }) => (verb === 'create' && name.namespace === 'full' ? 'forbidden' : undefined);
    world.lead();
    await world.settle();
    expect(world.kube.writes).toHaveLength(40);
    // Once may be a namespace that is just going.
    expect(world.events).toEqual([]);
    await world.pass(10_000, 10);
    expect(new Set(world.events.map(({ subject }) => subject.name)).size).toBe(40);
    expect(new Set(world.events.map(({ reason }) => reason))).toEqual(new Set(['IdentitySecretRefused']));
    expect(world.lines.filter((line) => line.startsWith('warn')).length).toBeLessThanOrEqual(21);
    world.kube.refuse = () => undefined;
    await world.pass(10 * 60_000, 20);
    expect(world.kube.writes).toHaveLength(80);
  });

  test('an API server that is away is asked by one after the other, and everything is written when it is back', async () => {
    const world = worldOf();
    for (let index = 0; index < 500; index += 1) world.account('shop', `account-${index}`);
    world.kube.refuse = () => 'unreachable';
    world.lead();
    await world.settle();
    await world.pass(60_000, 60);
    expect(world.kube.calls).toBeLessThan(600);
    expect(world.events).toEqual([]);
    expect(world.lines.filter((line) => line.startsWith('warn'))).toHaveLength(1);
    world.kube.refuse = () => undefined;
    await world.pass(20_000, 20);
    expect(world.kube.writes).toHaveLength(500);
  });

  test('conflicts are no trouble: what there is now is read', async () => {
    const world = await served();
    let conflicts = 3;
    world.kube.refuse = ({ verb }) => (verb === 'update' && (conflicts -= 1) >= 0 ? 'conflict' : undefined);
    world.issuers.use(testIssuer(otherRoot));
    await world.settle();
    await world.pass(20_000, 20);
    expect(world.kube.writes).toEqual(['update secrets shop/istio.web']);
    expect(world.events).toEqual([]);
  });

  test('whoever changes a Secret again and again is not fought in a circle, and is told of', async () => {
    const world = await served();
    let edits = 0;
    const writes = (): number => world.kube.writes.length;
    for (let second = 0; second < 300; second += 1) {
      world.edit('shop', 'web', (secret) => ({ ...secret, data: { n: String((edits += 1)) } }));
      await world.pass(1_000);
    }
    expect(writes()).toBeGreaterThan(5);
    expect(writes()).toBeLessThan(20);
    expect(new Set(world.events.map(({ reason }) => reason))).toEqual(new Set(['IdentitySecretContested']));
    await world.pass(10 * 60_000, 10);
    expect(world.file('shop', 'web', 'key.pem')).toContain('PRIVATE KEY');
  });

  test('a webhook that changes what is written makes no circle either', async () => {
    const world = worldOf();
    world.account('shop', 'web');
    world.kube.mutate = (object) => ({ ...object, immutable: true });
    world.lead();
    await world.settle();
    await world.pass(300_000, 100);
    expect(world.kube.writes.length).toBeGreaterThan(2);
    expect(world.kube.writes.length).toBeLessThan(40);
    expect(world.events.map(({ reason }) => reason)).toContain('IdentitySecretContested');
  });

  test('an immutable Secret is made anew with its key, and its account is told why pods must be restarted', async () => {
    const world = await served();
    const key = world.file('shop', 'web', 'key.pem');
    world.edit('shop', 'web', (secret) => ({ ...secret, immutable: true }));
    await world.settle();
    expect(world.kube.writes).toEqual(['delete secrets shop/istio.web', 'create secrets shop/istio.web']);
    expect(world.file('shop', 'web', 'key.pem')).toBe(key);
    expect(world.events.map(({ reason }) => reason)).toEqual(['IdentitySecretReplaced']);
  });

  test('a fault of ours hurts the account it is about, and nobody else', async () => {
    const world = worldOf();
    for (const name of ['good', 'bad', 'better']) world.account('shop', name);
    world.kube.refuse = ({ name }) => {
      if (name.name === 'istio.bad') throw new Error('a fault');
      return undefined;
    };
    world.lead();
    await world.settle();
    await world.pass(3_000, 3);
    expect(world.kube.writes).toEqual(['create secrets shop/istio.good', 'create secrets shop/istio.better']);
    expect(world.lines.filter((line) => line.startsWith('error')).length).toBeGreaterThan(1);
    world.kube.refuse = () => undefined;
    await world.pass(10 * 60_000, 20);
    expect(world.kube.writes).toHaveLength(3);
  });
});

describe('renewal', () => {
  test('many certificates of one age are renewed in time, each once, and not together', async () => {
    const world = worldOf();
    for (let index = 0; index < 300; index += 1) world.account('shop', `account-${index}`);
    world.lead();
    await world.settle();
    world.kube.writes.length = 0;
    let most = 0;
    for (let minutes = 0; minutes < 12.5 * 60; minutes += 10) {
      const before = world.kube.writes.length;
      await world.pass(10 * 60_000);
      most = Math.max(most, world.kube.writes.length - before);
    }
    expect(new Set(world.kube.writes).size).toBe(300);
    expect(world.kube.writes).toHaveLength(300);
    expect(most).toBeLessThan(50);
  });
});
