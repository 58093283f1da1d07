import { generateKeyPairSync } from 'node:crypto';
import { expect, test } from 'vitest';
import { redactKeys } from './redact-keys.ts';

const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const open = publicKey.export({ type: 'spki', format: 'pem' }).toString();

test('private keys in PEM are taken out, and nothing around them', () => {
  const cut = key.slice(0, 90);
  const page = JSON.stringify({ a: key, b: `before ${key} after`, c: open, d: cut, e: 'end' }, undefined, 2);
  expect(JSON.parse(redactKeys(page))).toEqual({
    a: '[redacted]\n',
    b: 'before [redacted]\n after',
    c: open,
    d: '[redacted]',
    e: 'end',
  });
});

test('private and symmetric parts of JSON Web Keys are taken out, and public ones are not', () => {
  const jwk = privateKey.export({ format: 'jwk' });
  const set = { keys: [jwk, { kty: 'oct', k: 'c2VjcmV0LXNlY3JldC1zZWNyZXQ' }] };
  const page = JSON.stringify({
    spec: { jwks: JSON.stringify(set) },
    outer: JSON.stringify({ spec: JSON.stringify(set) }),
  });
  const { spec, outer } = JSON.parse(redactKeys(page)) as { spec: { jwks: string }; outer: string };
  const clean = {
    keys: [
      { ...jwk, d: '[redacted]' },
      { kty: 'oct', k: '[redacted]' },
    ],
  };
  expect(JSON.parse(spec.jwks)).toEqual(clean);
  expect(JSON.parse((JSON.parse(outer) as { spec: string }).spec)).toEqual(clean);
});
