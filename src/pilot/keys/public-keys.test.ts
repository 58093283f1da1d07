import { createPublicKey, generateKeyPairSync, type JsonWebKey } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ecKey, edKey, jwksOf, rsaKey } from '../../../test/support/tokens.ts';
import { parsePublicKeys } from './public-keys.ts';

const published = { secretKeys: false };

function setOf(...keys: readonly object[]): string {
  return JSON.stringify({ keys });
}

function keysIn(text: string, rules = published): readonly JsonWebKey[] {
  const parsed = parsePublicKeys(text, rules);
  if (!parsed.ok) throw new Error(parsed.error);
  return (JSON.parse(parsed.value) as { readonly keys: readonly JsonWebKey[] }).keys;
}

function reasonFor(text: string): string {
  const parsed = parsePublicKeys(text, published);
  return parsed.ok ? 'none' : parsed.error;
}

describe('keys that verify tokens', () => {
  const [rsa, ec, ed] = [rsaKey('r'), ecKey('e'), edKey('d')];
  const { keys: whole } = JSON.parse(jwksOf([rsa, ec, ed], { algorithms: true })) as {
    readonly keys: readonly { kid: string }[];
  };
  const byKid = (keys: readonly object[]): object =>
    Object.fromEntries(keys.map((key) => [String(Reflect.get(key, 'kid')), key]));

  test('are the same text in whatever order they come, or come twice', () => {
    expect(parsePublicKeys(jwksOf([ed, rsa, ec, rsa]), published)).toEqual(
      parsePublicKeys(jwksOf([rsa, ec, ed]), published),
    );
  });

  test('are kept as they are published', () => {
    expect(byKid(keysIn(jwksOf([rsa, ec, ed], { algorithms: true })))).toEqual(byKid(whole));
  });

  test('S6: verify with the algorithms of their type alone', () => {
    const { kty, crv, x, y } = ec.publicKey.export({ format: 'jwk' });
    const { n, e } = rsa.publicKey.export({ format: 'jwk' });
    expect(keysIn(setOf({ kty, crv, x, y, alg: 'RS256' }))).toEqual([{ kty, crv, x, y, alg: 'ES256' }]);
    expect(keysIn(setOf({ kty: 'RSA', n, e, alg: 'PS512' }))).toEqual([{ kty: 'RSA', n, e, alg: 'PS512' }]);
    for (const alg of ['HS256', 'none', 'ES256', 'RSA-OAEP', '']) {
      expect(reasonFor(setOf({ kty: 'RSA', n, e, alg }))).toContain('not one of the type of key');
    }
  });

  test('lose what is secret in them', () => {
    const secret = [rsa, ec, ed].map(({ privateKey, kid, alg }) => {
      return { ...privateKey.export({ format: 'jwk' }), kid, alg };
    });
    const kept = keysIn(setOf(...secret));
    expect(byKid(kept)).toEqual(byKid(whole));
    expect(JSON.stringify(kept)).not.toMatch(/"(d|p|q|dp|dq|qi|k)":/);
  });

  test('are none of those that sign as well, unless they were written there on purpose', () => {
    const secret = { kty: 'oct', kid: 's', k: Buffer.alloc(32, 1).toString('base64url'), alg: 'HS256' };
    expect(reasonFor(setOf(secret))).toContain('a symmetric key is a secret');
    expect(keysIn(setOf(secret), { secretKeys: true })).toEqual([secret]);
    const { n, e } = rsa.publicKey.export({ format: 'jwk' });
    expect(keysIn(setOf({ kty: 'RSA', n, e, k: 'AAAA' }))).toEqual([{ kty: 'RSA', n, e }]);
  });

  test('are left out one by one where they cannot be used', () => {
    const good = { ...ec.publicKey.export({ format: 'jwk' }), kid: 'good', alg: 'ES256' };
    const weak = generateKeyPairSync('rsa', { modulusLength: 1024 }).publicKey.export({ format: 'jwk' });
    const unusual = generateKeyPairSync('ec', { namedCurve: 'secp256k1' }).publicKey.export({ format: 'jwk' });
    const broken = { ...good, x: good.y };
    const strange = [{}, { kty: 'x' }, { kty: 'RSA' }, { kty: 'RSA', n: 'AA', e: 'AQAB' }, { ...good, use: 'enc' }];
    expect(keysIn(setOf(weak, unusual, broken, ...strange, good))).toEqual([good]);
    expect(reasonFor(setOf(weak))).toContain('broken, or too weak');
    expect(reasonFor(setOf(unusual))).toContain('the curve is unknown');
    expect(reasonFor(setOf({ ...good, use: 'enc' }))).toContain('not for signatures');
  });

  test.each([
    '',
    'null',
    '[]',
    '{}',
    '"keys"',
    '{"keys":{}}',
    '{"keys":[]}',
    '{"keys":[1,null]}',
    '<html>',
    '{"keys":[',
  ])('are not in %s', (text) => {
    expect(reasonFor(text)).toMatch(/no JSON Web Key Set|there are no keys/);
  });

  test('are not too many', () => {
    const key = ec.publicKey.export({ format: 'jwk' });
    expect(reasonFor(setOf(...Array.from({ length: 201 }, () => key)))).toContain('at most 200');
  });

  test('whatever is there, what is kept is public and can be read', () => {
    const members = ['kty', 'n', 'e', 'crv', 'x', 'y', 'd', 'k', 'use', 'kid'] as const;
    const real = jwksOf([rsa, ec, ed]);
    const values = fc.oneof(
      fc.constantFrom('RSA', 'EC', 'OKP', 'oct', 'P-256', 'Ed25519', 'sig', 'AQAB'),
      fc.base64String(),
      fc.anything(),
    );
    const mutated = fc.array(fc.tuple(fc.nat(2), fc.constantFrom(...members), values), { maxLength: 4 });
    fc.assert(
      fc.property(mutated, (edits) => {
        const set = JSON.parse(real) as { readonly keys: Record<string, unknown>[] };
        for (const [index, member, value] of edits) Object.assign(set.keys[index] ?? {}, { [member]: value });
        const parsed = parsePublicKeys(JSON.stringify(set), published);
        if (!parsed.ok) return;
        const { keys } = JSON.parse(parsed.value) as { readonly keys: readonly JsonWebKey[] };
        for (const key of keys) {
          expect(createPublicKey({ key, format: 'jwk' }).type).toBe('public');
          expect([key.d, key.k]).toEqual([undefined, undefined]);
        }
      }),
    );
  });
});
