import { spawnSync } from 'node:child_process';
import { createPrivateKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { findProgram } from '../../../tools/paths.mjs';
import { issueIdentity } from '../issuer.ts';
import { party, pluggedFiles } from '../testing/pki.ts';
import { DAY_MS } from '../testing/replica.ts';
import type { AuthorityFiles } from './files.ts';
import { readMaterial, writeMaterial } from './material.ts';
import { PublishedIssuer } from './published-issuer.ts';

const now = Math.floor(Date.now() / 1000) * 1000;
const root = party('root', now);
const other = party('other root', now);
const middle = party('middle', now, root);
const signer = party('signer', now, middle);
const good = pluggedFiles(signer, [middle], [root]);

function errorOf(files: AuthorityFiles): string | undefined {
  const read = readMaterial(files, now);
  return read.ok ? undefined : read.error;
}

function issuerOf(files: AuthorityFiles) {
  const read = readMaterial(files, now);
  if (!read.ok) throw new Error(read.error);
  const published = new PublishedIssuer();
  published.publish({ material: read.value, nextRoots: [], foreignRoots: [], trustDomain: 'cluster.local' });
  const issuer = published.current();
  if (issuer === undefined) throw new Error('an issuer was published');
  return issuer;
}

function opensslKey(key: string, ...args: readonly string[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'xebec-key-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  writeFileSync(join(folder, 'key.pem'), key);
  const { status } = spawnSync('openssl', [...args, '-in', 'key.pem', '-out', 'out.pem'], { cwd: folder });
  expect(status).toBe(0);
  return readFileSync(join(folder, 'out.pem'), 'utf8');
}

describe('a signing certificate is read', () => {
  test('with its chain, which goes with every leaf, but for the root', () => {
    const issuer = issuerOf(good);
    expect(issuer.signer.certificate).toBe(signer.certificate);
    expect(issuer.intermediates).toBe(signer.certificate + middle.certificate);
    expect(issuer.roots).toBe(root.certificate);
  });

  test('that is a root, with no chain at all', () => {
    const alone = { 'ca-cert.pem': root.certificate, 'ca-key.pem': root.key };
    expect(issuerOf(alone)).toMatchObject({ intermediates: '', roots: root.certificate });
    expect(issuerOf({ ...alone, 'root-cert.pem': root.certificate, 'cert-chain.pem': root.certificate })).toEqual(
      issuerOf(alone),
    );
  });

  test('whatever order its files have, and whatever they repeat', () => {
    const all = [signer, middle, root, other].map(({ certificate }) => certificate);
    fc.assert(
      fc.property(
        fc.shuffledSubarray(all, { minLength: 4 }),
        fc.shuffledSubarray([root, other, root], { minLength: 3 }),
        (chain, roots) => {
          const files = {
            'ca-cert.pem': chain.join('\n# somebody\n'),
            'ca-key.pem': signer.key,
            'cert-chain.pem': chain.toReversed().join(''),
            'root-cert.pem': roots.map(({ certificate }) => certificate).join('\r\n'),
          };
          const expected = issuerOf(pluggedFiles(signer, [middle], [root, other]));
          expect(issuerOf(files)).toEqual(expected);
        },
      ),
      { numRuns: 50 },
    );
  });

  test('by the names that Kubernetes gives to a certificate', () => {
    const files = {
      'tls.crt': signer.certificate + middle.certificate,
      'tls.key': signer.key,
      'ca.crt': root.certificate,
    };
    expect(issuerOf(files)).toEqual(issuerOf(good));
  });

  test('under a root that another root has signed, by the shorter way', () => {
    const crossed = party('middle', now, other, { keys: keysOf(middle) });
    const files = pluggedFiles(signer, [crossed, middle], [root]);
    expect(issuerOf(files).intermediates).toBe(signer.certificate + middle.certificate);
  });

  test.skipIf(findProgram('openssl') === undefined).each([
    ['PKCS#1', generateKeyPairSync('rsa', { modulusLength: 2048 }), ['rsa', '-traditional']],
    ['SEC1', generateKeyPairSync('ec', { namedCurve: 'P-384' }), ['ec']],
    ['PKCS#8', generateKeyPairSync('rsa', { modulusLength: 3072 }), ['pkcs8', '-topk8', '-nocrypt']],
  ])('with a key of %s, and openssl takes its leaves', (_, keys, args) => {
    const made = party('signer', now, middle, { keys });
    const files = { ...pluggedFiles(made, [middle], [root]), 'ca-key.pem': opensslKey(made.key, ...args) };
    const { chain, key } = issueIdentity(issuerOf(files), {
      identity: { namespace: 'shop', serviceAccount: 'web' },
      now,
      lifetimeMs: DAY_MS,
    });
    expect(new X509Certificate(chain).checkPrivateKey(createPrivateKey(key ?? ''))).toBe(true);
    const folder = mkdtempSync(join(tmpdir(), 'xebec-chain-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    writeFileSync(join(folder, 'root.pem'), root.certificate);
    writeFileSync(join(folder, 'chain.pem'), chain);
    const verify = [
      'verify',
      '-x509_strict',
      '-purpose',
      'sslclient',
      '-CAfile',
      'root.pem',
      '-untrusted',
      'chain.pem',
      'chain.pem',
    ];
    expect(spawnSync('openssl', verify, { cwd: folder, encoding: 'utf8' }).stdout).toBe('chain.pem: OK\n');
  });

  test('with revocations, which are handed on', () => {
    expect(issuerOf({ ...good, 'ca-crl.pem': 'a list' }).revoked).toBe('a list');
  });

  test('and written as classic Citadel keeps it', () => {
    const read = readMaterial({ 'ca-cert.pem': root.certificate, 'ca-key.pem': root.key }, now);
    expect(read.ok && writeMaterial(read.value)).toEqual({
      'ca-cert.pem': root.certificate,
      'ca-key.pem': root.key,
      'cert-chain.pem': '',
      'key.pem': '',
      'root-cert.pem': '',
    });
  });
});

function keysOf({ certificate, key }: { readonly certificate: string; readonly key: string }) {
  return { publicKey: new X509Certificate(certificate).publicKey, privateKey: createPrivateKey(key) };
}

const LEADS = 'ca-cert.pem does not lead, by cert-chain.pem, to a root of root-cert.pem';

describe('a signing certificate is refused', () => {
  test.each([
    ['without a key', { ...good, 'ca-key.pem': '' }, 'ca-key.pem is missing'],
    ['with a key cut off', { ...good, 'ca-key.pem': signer.key.slice(0, 100) }, 'ca-key.pem cannot be read'],
    ['with another key', { ...good, 'ca-key.pem': other.key }, 'ca-key.pem is not the key of ca-cert.pem'],
    ['without a certificate', { ...good, 'ca-cert.pem': ' \n' }, 'ca-cert.pem is missing'],
    [
      'with a certificate cut off',
      { ...good, 'ca-cert.pem': signer.certificate.slice(0, 300) },
      'ca-cert.pem holds what is no certificate',
    ],
    [
      'with a damaged certificate',
      { ...good, 'ca-cert.pem': signer.certificate.replace(/\n.{8}/, '\nAAAAAAAA') },
      'ca-cert.pem holds what is no certificate',
    ],
    ['with noise as its chain', { ...good, 'cert-chain.pem': 'noise' }, 'cert-chain.pem holds what is no certificate'],
    ['without a root', { ...good, 'root-cert.pem': '' }, 'root-cert.pem is missing'],
    ['with another root', { ...good, 'root-cert.pem': other.certificate }, LEADS],
    [
      'with its second root cut off',
      { ...good, 'root-cert.pem': root.certificate + other.certificate.slice(0, 200) },
      'root-cert.pem holds what is no certificate',
    ],
    ['without what stands between', { ...good, 'cert-chain.pem': '' }, LEADS],
    ['with another in between', { ...good, 'cert-chain.pem': party('middle', now, root).certificate }, LEADS],
  ])('%s', (_, files, error) => {
    expect(errorOf(files)).toBe(error);
  });

  const keys = (type: 'rsa' | 'ec', detail: number | string) =>
    type === 'rsa'
      ? generateKeyPairSync('rsa', { modulusLength: Number(detail) })
      : generateKeyPairSync('ec', { namedCurve: String(detail) });

  test.each([
    ['RSA of 1024 bits', keys('rsa', 1024)],
    ['P-521', keys('ec', 'P-521')],
  ])('with a key of %s', (_, pair) => {
    expect(errorOf(pluggedFiles(party('s', now, middle, { keys: pair }), [middle], [root]))).toBe(
      'ca-key.pem is neither P-256, nor P-384, nor RSA of 2048 bits or more',
    );
  });

  test('with a key that is encrypted', () => {
    const key = createPrivateKey(signer.key).export({
      type: 'pkcs8',
      format: 'pem',
      cipher: 'aes-256-cbc',
      passphrase: 'x',
    });
    expect(errorOf({ ...good, 'ca-key.pem': key.toString() })).toBe(
      'ca-key.pem is encrypted; give it without a passphrase',
    );
  });

  test('that is no authority', () => {
    const leaf = party('leaf', now, middle, { isAuthority: false });
    expect(errorOf(pluggedFiles(leaf, [middle], [root]))).toContain('is no authority (CA:TRUE is missing)');
  });

  test('that has ended, or has not begun, or whose chain has, by both clocks', () => {
    const ended = party('ended', now, middle, { notAfter: now });
    expect(errorOf(pluggedFiles(ended, [middle], [root]))).toContain(`ended at ${new Date(now).toISOString()}; it is`);
    const future = party('future', now, middle, { notBefore: now + DAY_MS });
    expect(errorOf(pluggedFiles(future, [middle], [root]))).toContain('begins at');
    const endedMiddle = party('ended middle', now, root, { notAfter: now - 1_000 });
    expect(errorOf(pluggedFiles(party('s', now, endedMiddle), [endedMiddle], [root]))).toContain('CN=ended middle');
  });

  test('and no word of a key is in what is said', () => {
    const secret = signer.key.split('\n')[1] ?? '';
    expect(errorOf({ ...good, 'ca-cert.pem': signer.key })).not.toContain(secret);
    expect(errorOf({ ...good, 'ca-key.pem': `${signer.key}x` })).toBeUndefined();
  });
});

test('what a rotation needs to go on is written and read back', () => {
  const read = readMaterial({ 'ca-cert.pem': root.certificate, 'ca-key.pem': root.key }, now);
  if (!read.ok) throw new Error(read.error);
  const next = { certificate: new X509Certificate(other.certificate), key: other.key };
  const roots = [...read.value.roots, next.certificate];
  const written = writeMaterial({ ...read.value, roots, next, since: now, request: 'monday' });
  const again = readMaterial(written, now);
  expect(again.ok && writeMaterial(again.value)).toEqual(written);
  expect(again.ok && [again.value.since, again.value.request, again.value.next?.key]).toEqual([
    now,
    'monday',
    other.key,
  ]);
  const damaged = readMaterial({ ...written, 'next-ca-key.pem': 'gone', 'rotation.json': '[' }, now);
  expect(damaged).toMatchObject({ ok: true, value: { next: undefined, since: undefined, request: '' } });
});
