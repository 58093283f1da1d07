import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { issueIdentity } from '../issuer.ts';
import {
  alternativeNames,
  CLIENT,
  certificateWith,
  constraints,
  dns,
  keyUsage,
  purposes,
  SERVER,
  uri,
} from '../testing/hostile.ts';
import { createAuthority } from '../x509/authority.ts';
import { type Der, integer, taggedBytes, truth } from '../x509/der.ts';
import { readPeerIdentity } from './verify-identity.ts';

const HOUR_MS = 3_600_000;
const now = Date.UTC(2026, 5, 1, 12);
const life = { notBefore: now - HOUR_MS, notAfter: now + HOUR_MS };
const rules = { trustDomains: ['cluster.local', 'old.example.org'], now };
const SHOP = 'spiffe://cluster.local/ns/shop/sa/web';

const usages = [constraints(), keyUsage(0x80), purposes(SERVER, CLIENT)];

function read(extensions: readonly Der[], at: typeof life = life): ReturnType<typeof readPeerIdentity> {
  return readPeerIdentity(certificateWith(extensions, at), rules);
}

function named(...names: readonly Der[]): ReturnType<typeof readPeerIdentity> {
  return read([...usages, alternativeNames(...names)]);
}

const shop = { trustDomain: 'cluster.local', namespace: 'shop', serviceAccount: 'web' };

describe('a peer is', () => {
  test('whom its certificate names', () => {
    expect(named(uri(SHOP))).toEqual({ ok: true, value: shop });
  });

  test('whom it names in the domain of an alias', () => {
    const value = { ...shop, trustDomain: 'old.example.org' };
    expect(named(uri('spiffe://old.example.org/ns/shop/sa/web'))).toEqual({ ok: true, value });
  });

  test('whom it names beside names of hosts, which are not asked', () => {
    expect(named(dns('web.shop'), uri(SHOP))).toEqual({ ok: true, value: shop });
  });

  test('whom it names without a word of what it is for', () => {
    expect(read([alternativeNames(uri(SHOP))])).toEqual({ ok: true, value: shop });
  });

  test('whom we name', () => {
    const signer = createAuthority({ subject: { organization: 'cluster.local' }, validity: life });
    const issuer = { signer, intermediates: '', roots: signer.certificate, trustDomain: 'cluster.local' };
    const identity = { namespace: 'shop', serviceAccount: 'web' };
    const { chain } = issueIdentity(issuer, { identity, now, lifetimeMs: HOUR_MS });
    const der = Buffer.from(chain.replace(/-----[^-]+-----|\n/g, ''), 'base64');
    expect(readPeerIdentity(der, rules)).toEqual({ ok: true, value: shop });
  });
});

const FORM = 'the URI of the certificate is not spiffe://<domain>/ns/<namespace>/sa/<account>';
const FOREIGN = 'is neither that of the mesh nor an alias of it';

describe('a peer is nobody', () => {
  test.each([
    ['no name at all', [], 'the certificate has no URI that says who it is of'],
    ['only the name of a host', [dns('web.shop')], 'the certificate has no URI that says who it is of'],
    ['its name as that of a host', [dns(SHOP)], 'the certificate has no URI that says who it is of'],
    [
      'its name as a mail address',
      [taggedBytes(1, Buffer.from(SHOP))],
      'the certificate has no URI that says who it is of',
    ],
    ['two names', [uri(SHOP), uri('spiffe://cluster.local/ns/shop/sa/db')], 'the certificate has more than one URI'],
    ['the same name twice', [uri(SHOP), uri(SHOP)], 'the certificate has more than one URI'],
    ['a page as a second URI', [uri(SHOP), uri('https://example.org')], 'the certificate has more than one URI'],
    ['an empty URI', [uri('')], FORM],
    ['a page as its URI', [uri('https://cluster.local/ns/shop/sa/web')], FORM],
    [
      'a foreign domain',
      [uri('spiffe://evil.example.org/ns/shop/sa/web')],
      `the trust domain evil.example.org ${FOREIGN}`,
    ],
    [
      'a domain below ours',
      [uri('spiffe://a.cluster.local/ns/shop/sa/web')],
      `the trust domain a.cluster.local ${FOREIGN}`,
    ],
    ['the domain in capitals', [uri('spiffe://Cluster.local/ns/shop/sa/web')], FORM],
    ['the scheme in capitals', [uri('SPIFFE://cluster.local/ns/shop/sa/web')], FORM],
    ['the account in capitals', [uri('spiffe://cluster.local/ns/shop/sa/Web')], FORM],
    ['a percent sign', [uri('spiffe://cluster.local/ns/shop/sa/%77eb')], FORM],
    ['an escaped slash', [uri('spiffe://cluster.local/ns/shop%2Fsa/sa/web')], FORM],
    ['a NUL behind its name', [uri(`${SHOP}\0`)], FORM],
    ['a NUL within its name', [uri('spiffe://cluster.local\0.evil.org/ns/shop/sa/web')], FORM],
    ['a line break behind its name', [uri(`${SHOP}\n`)], FORM],
    ['a port', [uri('spiffe://cluster.local:443/ns/shop/sa/web')], FORM],
    ['a user', [uri('spiffe://root@cluster.local/ns/shop/sa/web')], FORM],
    ['a query', [uri(`${SHOP}?a=b`)], FORM],
    ['a fragment', [uri(`${SHOP}#a`)], FORM],
    ['a slash at the end', [uri(`${SHOP}/`)], FORM],
    ['a way up', [uri('spiffe://cluster.local/ns/shop/../admin/sa/web')], FORM],
    ['no account', [uri('spiffe://cluster.local/ns/shop')], FORM],
    ['a letter that looks like another', [uri('spiffe://cluster.loc\u0430l/ns/shop/sa/web')], FORM],
    ['bytes that are no text', [uri(Uint8Array.of(0xff, 0xfe))], FORM],
  ])('with %s', (_, names, error) => {
    expect(named(...names)).toEqual({ ok: false, error });
  });

  const who = alternativeNames(uri(SHOP));

  test.each([
    ['an authority', [who, constraints(truth()), keyUsage(0x80)], 'the certificate is that of an authority'],
    ['that may sign certificates', [who, constraints(), keyUsage(0x84)], 'the certificate may sign others'],
    ['that may sign revocations', [who, constraints(), keyUsage(0x82)], 'the certificate may sign others'],
    ['for servers alone', [who, constraints(), purposes(SERVER)], 'the certificate is not for clients'],
    ['for mail', [who, constraints(), purposes('1.3.6.1.5.5.7.3.4')], 'the certificate is not for clients'],
    ['whose names stand there twice', [who, who], 'an extension stands there twice'],
  ])('when its certificate is one %s', (_, extensions, error) => {
    expect(read(extensions)).toEqual({ ok: false, error });
  });

  test('when its names are none', () => {
    expect(read([alternativeNames(integer(Uint8Array.of(1)))])).toMatchObject({ ok: false });
  });

  test('before its time and after it, by both clocks', () => {
    const all = [...usages, who];
    expect(read(all, { notBefore: now + 1_000, notAfter: now + HOUR_MS })).toEqual({
      ok: false,
      error: 'the certificate begins at 2026-06-01T12:00:01.000Z; it is 2026-06-01T12:00:00.000Z here',
    });
    expect(read(all, { notBefore: now - HOUR_MS, notAfter: now })).toEqual({
      ok: false,
      error: 'the certificate ended at 2026-06-01T12:00:00.000Z; it is 2026-06-01T12:00:00.000Z here',
    });
  });

  test.each([
    ['nothing', Buffer.alloc(0)],
    ['text', Buffer.from('certificate')],
    ['half a certificate', certificateWith([who], life).subarray(0, 100)],
  ])('with %s as a certificate', (_, bytes) => {
    expect(readPeerIdentity(bytes, rules)).toEqual({ ok: false, error: 'the certificate cannot be read' });
  });
});

test('whatever bytes a certificate has, it is somebody or nobody', () => {
  const good = certificateWith([...usages, alternativeNames(uri(SHOP))], life);
  const change = fc.record({ at: fc.nat(good.length - 1), to: fc.nat(255) });
  fc.assert(
    fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
      const bytes = Buffer.from(good);
      for (const { at, to } of changes) bytes.writeUInt8(to, at);
      const read = readPeerIdentity(bytes, rules);
      if (!read.ok) return;
      // TLS sees to the signature; a name that was changed is at least a whole name of ours.
      expect(rules.trustDomains).toContain(read.value.trustDomain);
    }),
    { numRuns: 2_000 },
  );
  fc.assert(
    fc.property(fc.uint8Array({ maxLength: 400 }), (bytes) => {
      expect(readPeerIdentity(Buffer.from(bytes), rules).ok).toBe(false);
    }),
  );
});
