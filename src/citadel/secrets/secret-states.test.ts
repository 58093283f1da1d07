// Every state that a Secret can be found in, what is done about it, and that it is the same whether it was found at the start or later.
import { createPrivateKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { KubeObject } from '../../kube/api.ts';
import { asRecord } from '../../kube/json.ts';
import { issueIdentity } from '../issuer.ts';
import { testIssuer } from '../testing/issuers.ts';
import { HOUR_MS, otherRoot, root, SecretWorld } from '../testing/secret-world.ts';
import { buildCertificate } from '../x509/certificate.ts';

type State = {
  readonly state: string;
  readonly change: (world: SecretWorld) => void | Promise<void>;
  /** Verbs of what is written of Secrets. */
  readonly writes: readonly string[];
  readonly key: 'same' | 'new' | 'none' | 'theirs';
};

const nothing = { writes: [], key: 'same' } as const;
const newKey = { writes: ['update'], key: 'new' } as const;
const sameKey = { writes: ['update'], key: 'same' } as const;

const bundle = root.certificate + otherRoot.certificate;

function withData(world: SecretWorld, change: (data: Record<string, unknown>) => void): void {
  world.edit('shop', 'web', (secret) => {
    const data = { ...asRecord(secret['data']) };
    change(data);
    return { ...secret, data };
  });
}

function setFile(world: SecretWorld, name: string, text: string): void {
  withData(world, (data) => void (data[name] = Buffer.from(text).toString('base64')));
}

function removeFile(world: SecretWorld, name: string): void {
  withData(world, (data) => void delete data[name]);
}

function withMetadata(world: SecretWorld, change: (metadata: KubeObject) => object): void {
  world.edit('shop', 'web', (secret) => ({ ...secret, metadata: change(asRecord(secret['metadata'])) }));
}

/** A key and certificate as somebody else would issue them. */
function issued(
  world: SecretWorld,
  more: Partial<Parameters<typeof issueIdentity>[1]>,
  issuer = testIssuer(root),
): void {
  const now = world.clock.now();
  const identity = { namespace: 'shop', serviceAccount: 'web' };
  const { chain, key = '' } = issueIdentity(issuer, { identity, now, lifetimeMs: 24 * HOUR_MS, ...more });
  setFile(world, 'cert-chain.pem', chain);
  setFile(world, 'key.pem', key);
}

function namedLeaf(
  world: SecretWorld,
  fields: { readonly isAuthority?: boolean; readonly names: readonly string[] },
): void {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const now = world.clock.now();
  const chain = buildCertificate(
    {
      subject: {},
      names: fields.names.map((value) => ({ kind: 'uri', value })),
      usages: ['server', 'client'],
      isAuthority: fields.isAuthority ?? false,
      validity: { notBefore: now, notAfter: now + 24 * HOUR_MS },
      publicKey,
    },
    { key: createPrivateKey(root.key), certificate: new X509Certificate(root.certificate) },
  );
  setFile(world, 'cert-chain.pem', chain);
  setFile(world, 'key.pem', privateKey.export({ type: 'pkcs8', format: 'pem' }).toString());
}

const WEB = 'spiffe://cluster.local/ns/shop/sa/web';

const states: readonly State[] = [
  { state: 'as it was made', change: () => undefined, ...nothing },
  {
    state: 'deleted',
    change: ({ kube }) => kube.remove('secrets', { namespace: 'shop', name: 'istio.web' }),
    writes: ['create'],
    key: 'new',
  },
  { state: 'without data', change: (world) => withData(world, clear), ...newKey },
  { state: 'without a chain', change: (world) => removeFile(world, 'cert-chain.pem'), ...newKey },
  { state: 'without a key', change: (world) => removeFile(world, 'key.pem'), ...newKey },
  { state: 'without roots', change: (world) => removeFile(world, 'root-cert.pem'), ...sameKey },
  {
    state: 'without the descriptor of the certificate',
    change: (world) => removeFile(world, 'sds-cert.yaml'),
    ...sameKey,
  },
  { state: 'without the descriptor of the roots', change: (world) => removeFile(world, 'sds-root.yaml'), ...sameKey },
  { state: 'with another descriptor', change: (world) => setFile(world, 'sds-cert.yaml', 'resources: []'), ...sameKey },
  { state: 'with one more file', change: (world) => setFile(world, 'notes.txt', 'mine'), ...nothing },
  {
    state: 'with a chain that is no certificate',
    change: (world) => setFile(world, 'cert-chain.pem', 'nonsense'),
    ...newKey,
  },
  {
    state: 'with a certificate that is cut',
    change: (world) => setFile(world, 'cert-chain.pem', world.file('shop', 'web', 'cert-chain.pem').slice(0, 300)),
    ...newKey,
  },
  { state: 'with an empty chain', change: (world) => setFile(world, 'cert-chain.pem', ''), ...newKey },
  { state: 'with a key that is none', change: (world) => setFile(world, 'key.pem', 'nonsense'), ...newKey },
  {
    state: 'with another key',
    change: (world) => setFile(world, 'key.pem', newKeyText()),
    ...newKey,
  },
  {
    state: 'with a key of another kind',
    change: (world) =>
      setFile(
        world,
        'key.pem',
        generateKeyPairSync('ed25519').privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(),
      ),
    ...newKey,
  },
  {
    state: 'with a fresh pair that we could have issued',
    change: (world) => issued(world, {}),
    writes: [],
    key: 'theirs',
  },
  {
    state: 'with the certificate of another account',
    change: (world) => issued(world, { identity: { namespace: 'shop', serviceAccount: 'bank' } }),
    ...newKey,
  },
  {
    state: 'with the certificate of another namespace',
    change: (world) => issued(world, { identity: { namespace: 'bank', serviceAccount: 'web' } }),
    ...newKey,
  },
  {
    state: 'with the certificate of another trust domain',
    change: (world) => issued(world, {}, testIssuer(root, { trustDomain: 'other.example' })),
    ...newKey,
  },
  {
    state: 'with a certificate for two identities',
    change: (world) => namedLeaf(world, { names: [WEB, 'spiffe://cluster.local/ns/bank/sa/vault'] }),
    ...newKey,
  },
  { state: 'with a certificate for nobody', change: (world) => namedLeaf(world, { names: [] }), ...newKey },
  {
    state: 'with the certificate of an authority',
    change: (world) => namedLeaf(world, { names: [WEB], isAuthority: true }),
    ...newKey,
  },
  { state: 'signed by another authority', change: (world) => issued(world, {}, testIssuer(otherRoot)), ...newKey },
  {
    state: 'signed by another authority of the same name',
    change: (world) => issued(world, {}, testIssuer({ ...otherRoot, certificate: root.certificate })),
    ...newKey,
  },
  { state: 'ended', change: (world) => issued(world, { now: world.clock.now() - 30 * HOUR_MS }), ...newKey },
  { state: 'begins tomorrow', change: (world) => issued(world, { now: world.clock.now() + 24 * HOUR_MS }), ...newKey },
  {
    state: 'begins as late as clocks may differ',
    change: (world) => issued(world, { now: world.clock.now() + 200_000 }),
    writes: [],
    key: 'theirs',
  },
  { state: 'has lived a third of its life', change: ({ clock }) => clock.advance(8 * HOUR_MS), ...nothing },
  { state: 'has lived half of its life', change: ({ clock }) => clock.advance(12 * HOUR_MS), ...newKey },
  { state: 'with other roots', change: (world) => setFile(world, 'root-cert.pem', otherRoot.certificate), ...sameKey },
  {
    state: 'with an old bundle',
    change: ({ issuers }) => issuers.use(testIssuer(root, { roots: bundle })),
    ...sameKey,
  },
  {
    state: 'with an older chain',
    change: ({ issuers }) => issuers.use(testIssuer(root, { intermediates: otherRoot.certificate })),
    ...sameKey,
  },
  {
    state: 'of the issuer before this one, both of which are trusted',
    change: ({ issuers }) => issuers.use(testIssuer(otherRoot, { roots: bundle })),
    ...newKey,
  },
  {
    state: 'of an issuer that is not trusted any more',
    change: ({ issuers }) => issuers.use(testIssuer(otherRoot)),
    ...newKey,
  },
  {
    state: 'of a trust domain that was',
    change: ({ issuers }) => issuers.use(testIssuer(root, { trustDomain: 'new.example' })),
    ...newKey,
  },
  { state: 'of an issuer that was read again', change: ({ issuers }) => issuers.use(testIssuer(root)), ...nothing },
  { state: 'of an issuer that cannot be read just now', change: ({ issuers }) => issuers.use(undefined), ...nothing },
  {
    state: 'with no annotations',
    change: (world) => withMetadata(world, ({ annotations: _, ...rest }) => rest),
    ...sameKey,
  },
  {
    state: 'with the annotation of another account',
    change: (world) =>
      withMetadata(world, (metadata) => ({ ...metadata, annotations: { 'istio.io/service-account.name': 'bank' } })),
    ...sameKey,
  },
  {
    state: 'with one more annotation and label',
    change: (world) =>
      withMetadata(world, (metadata) => ({
        ...metadata,
        labels: { team: 'shop' },
        annotations: { ...asRecord(metadata['annotations']), note: 'mine' },
      })),
    ...nothing,
  },
  {
    state: 'without its owner',
    change: (world) => withMetadata(world, (metadata) => ({ ...metadata, ownerReferences: [] })),
    ...sameKey,
  },
  {
    state: 'with one more owner',
    change: (world) =>
      withMetadata(world, (metadata) => ({
        ...metadata,
        ownerReferences: [
          ...[metadata['ownerReferences']].flat(),
          { apiVersion: 'v1', kind: 'ConfigMap', name: 'x', uid: 'x' },
        ],
      })),
    ...nothing,
  },
  {
    state: 'of an account that went and came again',
    change: (world) => {
      world.removeAccount('shop', 'web');
      world.account('shop', 'web');
    },
    ...newKey,
  },
  {
    state: 'immutable',
    change: (world) => world.edit('shop', 'web', (secret) => ({ ...secret, immutable: true })),
    writes: ['delete', 'create'],
    key: 'same',
  },
  {
    state: 'immutable, without a key',
    change: (world) => {
      removeFile(world, 'key.pem');
      world.edit('shop', 'web', (secret) => ({ ...secret, immutable: true }));
    },
    writes: ['delete', 'create'],
    key: 'new',
  },
  {
    state: 'in the place of one of another type',
    change: ({ kube }) => {
      kube.remove('secrets', { namespace: 'shop', name: 'istio.web' });
      kube.put('secrets', { metadata: { namespace: 'shop', name: 'istio.web' }, type: 'Opaque', data: { a: 'YQ==' } });
    },
    writes: [],
    key: 'none',
  },
  {
    state: 'of an account that is gone',
    change: (world) => world.removeAccount('shop', 'web'),
    writes: ['delete'],
    key: 'none',
  },
  {
    state: 'of an account that is gone, by which it was not made',
    change: (world) => {
      world.removeAccount('shop', 'web');
      withMetadata(world, ({ annotations: _, ...rest }) => rest);
    },
    ...nothing,
  },
  {
    state: 'in a namespace that is not managed any more, and wrong',
    change: (world) => {
      world.namespace('shop', { 'ca.istio.io/override': 'false' });
      removeFile(world, 'root-cert.pem');
    },
    ...nothing,
  },
  {
    state: 'in a namespace that goes, and wrong',
    change: (world) => {
      world.namespace('shop', {}, { deletionTimestamp: '2026-01-01T00:00:00Z' });
      removeFile(world, 'root-cert.pem');
    },
    ...nothing,
  },
];

test('there are states enough to be sure', () => {
  expect(states.length).toBeGreaterThanOrEqual(40);
});

describe.each(['that comes while it is watched', 'that is found at the start'])('a state %s', (when) => {
  test.each(states)('$state: $writes, key: $key', async ({ change, writes, key }) => {
    const world = new SecretWorld();
    onTestFinished(() => world.resign());
    world.namespace('shop');
    world.account('shop', 'web');
    world.lead();
    await world.settle();
    const before = world.file('shop', 'web', 'key.pem');
    expect(before).toContain('PRIVATE KEY');
    if (when.endsWith('start')) await world.resign();
    world.kube.writes.length = 0;
    await change(world);
    const theirs = world.file('shop', 'web', 'key.pem');
    world.lead();
    await world.settle();

    expect(world.kube.writes.map((write) => write.split(' ')[0])).toEqual(writes);
    const after = world.file('shop', 'web', 'key.pem');
    if (key === 'same') expect(after).toBe(before);
    else if (key === 'theirs') expect(after).toBe(theirs);
    else if (key === 'none') expect(after).toBe('');
    else expect([before, '']).not.toContain(after);
    // Whatever was done, it is done: whoever looks again has nothing to do.
    await world.resign();
    world.kube.writes.length = 0;
    world.lead();
    await world.settle();
    expect(world.kube.writes).toEqual([]);
  });
});

function clear(data: Record<string, unknown>): void {
  for (const name of Object.keys(data)) delete data[name];
}

function newKeyText(): string {
  return generateKeyPairSync('ec', { namedCurve: 'P-256' })
    .privateKey.export({ type: 'pkcs8', format: 'pem' })
    .toString();
}
