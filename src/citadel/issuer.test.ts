import { createPrivateKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { type Issuer, issueIdentity } from './issuer.ts';
import { party } from './testing/pki.ts';
import { DAY_MS, HOUR_MS } from './testing/replica.ts';

const now = Math.floor(Date.now() / 1000) * 1000;
const root = party('root', now);
const identity = { namespace: 'shop', serviceAccount: 'web' };

function issuerOf(parts: Partial<Issuer> = {}): Issuer {
  return { signer: root, intermediates: '', roots: root.certificate, trustDomain: 'cluster.local', ...parts };
}

describe('an identity', () => {
  test('is named by a URI that must be understood, and by nothing else', () => {
    const { chain, key, roots } = issueIdentity(issuerOf(), { identity, now, lifetimeMs: DAY_MS });
    const leaf = new X509Certificate(chain);
    expect(leaf.subjectAltName).toBe('URI:spiffe://cluster.local/ns/shop/sa/web');
    expect(leaf.subject).toBeUndefined();
    expect(leaf.ca).toBe(false);
    expect(leaf.verify(new X509Certificate(roots).publicKey)).toBe(true);
    expect(leaf.checkPrivateKey(createPrivateKey(key ?? ''))).toBe(true);
  });

  test('is valid from two minutes ago, for as long as was asked', () => {
    const issued = issueIdentity(issuerOf(), { identity, now, lifetimeMs: DAY_MS });
    expect([issued.notBefore, issued.notAfter]).toEqual([now - 120_000, now + DAY_MS]);
    const leaf = new X509Certificate(issued.chain);
    expect([Date.parse(leaf.validFrom), Date.parse(leaf.validTo)]).toEqual([issued.notBefore, issued.notAfter]);
  });

  test('never outlives who signed it, nor who signed that', () => {
    const middle = party('middle', now, root, { notAfter: now + HOUR_MS });
    const signer = party('signer', now, middle, { notBefore: now - 1_000, notAfter: now + 2 * HOUR_MS });
    const intermediates = signer.certificate + middle.certificate;
    const issued = issueIdentity(issuerOf({ signer, intermediates }), { identity, now, lifetimeMs: DAY_MS });
    expect([issued.notBefore, issued.notAfter]).toEqual([now - 1_000, now + HOUR_MS]);
    expect(issued.chain.split('-----BEGIN CERTIFICATE-----')).toHaveLength(4);
    expect(issued.chain.endsWith(intermediates)).toBe(true);
  });

  test('is given to the key of whoever asks, whose key stays theirs', () => {
    const { publicKey } = generateKeyPairSync('rsa', { modulusLength: 2048 });
    const issued = issueIdentity(issuerOf(), { identity, now, lifetimeMs: DAY_MS, publicKey });
    expect(issued.key).toBeUndefined();
    expect(new X509Certificate(issued.chain).publicKey.equals(publicKey)).toBe(true);
  });

  test.each([
    ['an account that is none', { identity: { namespace: 'shop', serviceAccount: 'web/../admin' } }, {}],
    ['a namespace that is none', { identity: { namespace: 'Shop', serviceAccount: 'web' } }, {}],
    ['a trust domain that is none', {}, { trustDomain: 'me@example.org' }],
  ])('with %s is not signed', (_, request, parts) => {
    expect(() => issueIdentity(issuerOf(parts), { identity, now, lifetimeMs: DAY_MS, ...request })).toThrow(
      'is no identity',
    );
  });

  test('has a serial number of its own', () => {
    const issuer = issuerOf();
    const serials = Array.from(
      { length: 50 },
      () => new X509Certificate(issueIdentity(issuer, { identity, now, lifetimeMs: DAY_MS }).chain).serialNumber,
    );
    expect(new Set(serials).size).toBe(50);
  });
});
