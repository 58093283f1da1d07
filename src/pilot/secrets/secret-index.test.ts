import { createPrivateKey } from 'node:crypto';
import { inspect } from 'node:util';
import { describe, expect, it, test } from 'vitest';
import { Pki } from '../../../test/support/pki.ts';
import type { CredentialKey } from '../../apis/kubernetes/secret.ts';
import type { GatewaySecret } from '../../model/gateway-secret.ts';
import type { ConfigObject } from '../../model/object.ts';
import { object } from '../../testing/builders.ts';
import { SecretIndex } from './secret-index.ts';

type Data = Readonly<Partial<Record<CredentialKey, string>>>;

const pki = new Pki('authority');
const other = new Pki('other');
const good = pki.issue(['shop.example.com']);
const next = pki.issue(['shop.example.com']);
const tls = { 'tls.crt': good.certificate, 'tls.key': good.key };

function secret(data: Data, annotations = {}): ConfigObject<'Secret'> {
  return object('Secret', 'edge/shop', { type: 'Opaque', data }, { annotations });
}

function judge(...versions: readonly Data[]): GatewaySecret {
  const index = new SecretIndex();
  let book = index.update([]);
  for (const data of versions) book = index.update([secret(data)]);
  const found = book.get('edge/shop');
  if (found === undefined) throw new Error('the Secret is not in the book');
  return found;
}

describe('forms of a pair', () => {
  it.each<[string, Data]>([
    ['kubernetes.io/tls', tls],
    ['generic', { cert: good.certificate, key: good.key }],
    ['generic goes first', { ...tls, cert: good.certificate, key: good.key }],
    ['generic without a key is none', { ...tls, cert: other.certificate }],
    ['a chain', { ...tls, 'tls.crt': `${good.certificate}${pki.certificate}` }],
    [
      'text around the blocks',
      { 'tls.crt': `subject=\u00fc\n${good.certificate}\nbye`, 'tls.key': `key\n${good.key}` },
    ],
    ['lines of Windows', { 'tls.crt': good.certificate.replaceAll('\n', '\r\n'), 'tls.key': good.key }],
    ['an EC key as openssl once wrote it', { ...tls, 'tls.key': sec1(good.key) }],
  ])('%s', (_, data) => {
    const { pair } = judge(data);
    expect(pair.problem).toBeUndefined();
    expect(pair.value?.certificate).toContain('-----BEGIN CERTIFICATE-----');
    expect(pair.value?.certificate).not.toMatch(/subject|bye/);
    expect(pair.value?.keyType).toBe('ECDSA');
    expect(pair.value?.expiresAt).toBeGreaterThan(Date.now());
  });

  it('RSA', () => {
    const { certificate, key } = pki.issue(['rsa.example.com'], { kind: 'RSA' });
    expect(judge({ cert: certificate, key }).pair.value?.keyType).toBe('RSA');
  });

  it('an expired one is still a pair: whether it serves is for its clients to say', () => {
    const { certificate, key } = pki.issue(['old.example.com'], { from: -3, until: -2 });
    const { pair } = judge({ cert: certificate, key });
    expect(pair.problem).toBeUndefined();
    expect(pair.value?.expiresAt).toBeLessThan(Date.now());
  });

  it('a Secret without any is no pair, and no problem', () => {
    expect(judge({ 'ca.crt': pki.certificate, 'tls.crt': '', 'tls.key': '' }).pair).toEqual({});
  });
});

describe('what is no pair', () => {
  const weak = pki.issue(['weak.example.com'], { kind: 'RSA-1024' });
  const strange = pki.issue(['strange.example.com'], { kind: 'Ed25519' });
  it.each<[string, Data, RegExp]>([
    ['no key', { 'tls.crt': good.certificate }, /it has tls.crt, but no tls.key/],
    ['the key of another', { ...tls, 'tls.key': next.key }, /tls.key is not the key of the certificate in tls.crt/],
    ['a chain in the wrong order', { ...tls, 'tls.crt': pki.certificate + good.certificate }, /must be the first/],
    [
      'a garbled certificate',
      { ...tls, 'tls.crt': garble(good.certificate) },
      /tls.crt has a certificate that cannot be read \(the first\)/,
    ],
    ['a garbled one further down', { ...tls, 'tls.crt': good.certificate + garble(pki.certificate) }, /the second/],
    ['half a certificate', { ...tls, 'tls.crt': good.certificate.slice(0, 200) }, /CERTIFICATE that does not end/],
    ['no PEM', { ...tls, 'tls.crt': '\u0000\ufffd' }, /tls.crt has no CERTIFICATE in PEM/],
    ['no key in PEM', { ...tls, 'tls.key': good.certificate }, /tls.key has no PRIVATE KEY in PEM/],
    ['a garbled key', { ...tls, 'tls.key': garble(good.key) }, /tls.key has a key that cannot be read/],
    ['an encrypted key', { ...tls, 'tls.key': encrypted(good.key) }, /tls.key is encrypted/],
    ['an encrypted key of old', { ...tls, 'tls.key': encryptedSec1(good.key) }, /tls.key is encrypted/],
    ['a short key', { cert: weak.certificate, key: weak.key }, /cert has an RSA key of 1024 bits/],
    [
      'a key of another kind',
      { cert: strange.certificate, key: strange.key },
      /cert has a key that Envoy cannot serve with/,
    ],
    ['too much', { ...tls, 'tls.crt': good.certificate.repeat(1000) }, /tls.crt is larger than 512 KiB/],
  ])('%s', (_, data, problem) => {
    const { pair } = judge(data);
    expect(pair.value).toBeUndefined();
    expect(pair.problem).toMatch(problem);
    expect(pair.problem).not.toContain('BEGIN');
  });
});

describe('authorities', () => {
  const revoked = pki.revoke(next);
  it.each<[string, Data]>([
    ['cacert', { cacert: pki.certificate, crl: revoked }],
    ['ca.crt', { 'ca.crt': pki.certificate, 'ca.crl': revoked }],
    ['several', { 'ca.crt': pki.certificate + other.certificate, 'ca.crl': revoked + other.revoke() }],
  ])('%s', (_, data) => {
    const { authority } = judge(data);
    expect(authority.problem).toBeUndefined();
    expect(authority.value?.revocations).toContain('X509 CRL');
  });

  it('a list belongs to the authority that is named like it', () => {
    expect(judge({ 'ca.crt': pki.certificate, crl: revoked }).authority.value?.revocations).toBeUndefined();
  });

  it.each<[string, Data, RegExp]>([
    ['no authority', { cacert: good.certificate }, /cacert has no certificate of an authority/],
    ['no PEM', { 'ca.crt': 'x' }, /ca.crt has no CERTIFICATE in PEM/],
    [
      'a garbled list',
      { 'ca.crt': pki.certificate, 'ca.crl': garble(revoked) },
      /ca.crl has a list that cannot be read/,
    ],
    ['a cut list', { 'ca.crt': pki.certificate, 'ca.crl': cut(revoked) }, /ca.crl has a list that cannot be read/],
    [
      'something else than a list',
      { 'ca.crt': pki.certificate, 'ca.crl': pki.certificate },
      /ca.crl has no X509 CRL in PEM/,
    ],
  ])('%s spoils it', (_, data, problem) => {
    const { authority } = judge(data);
    expect(authority.value).toBeUndefined();
    expect(authority.problem).toMatch(problem);
  });
});

describe('from version to version', () => {
  test('what turned bad is what it was before, each part by itself, and it is said why', () => {
    const before = judge({ ...tls, 'ca.crt': pki.certificate });
    const after = judge(
      { ...tls, 'ca.crt': pki.certificate },
      { ...tls, 'tls.key': next.key, 'ca.crt': other.certificate },
    );
    expect(after.pair.value?.certificate).toBe(before.pair.value?.certificate);
    expect(after.pair.problem).toMatch(/is not the key/);
    expect(after.authority.value?.certificates).toContain(other.certificate.trim());
    expect(after.authority.problem).toBeUndefined();
  });

  test('what is repaired is in force', () => {
    const renewed = judge(
      tls,
      { 'tls.crt': 'x', 'tls.key': 'y' },
      { 'tls.crt': next.certificate, 'tls.key': next.key },
    );
    expect(renewed.pair.problem).toBeUndefined();
    expect(renewed.pair.value?.certificate).toContain(next.certificate.trim());
  });

  test('what was taken out is gone', () => {
    expect(judge({ ...tls, 'ca.crt': pki.certificate }, tls).authority).toEqual({});
  });

  test('what did not move is the same object', () => {
    const index = new SecretIndex();
    const first = index.update([secret(tls)]);
    expect(index.update([secret({ ...tls })]).get('edge/shop')?.pair).toBe(first.get('edge/shop')?.pair);
    const objects = [secret({ 'tls.crt': 'x', 'tls.key': 'y' })];
    const broken = index.update(objects);
    expect(index.update([...objects])).toBe(broken);
    expect(index.update([])).toEqual(new Map());
    expect(index.update([secret({ 'tls.crt': 'x', 'tls.key': 'y' })]).get('edge/shop')?.pair.value).toBeUndefined();
  });
});

test('its owner says which other namespaces may use it', () => {
  const annotations = { 'xebec.dev/allowed-gateway-namespaces': ' shop, web,,' };
  const book = new SecretIndex().update([secret(tls, annotations)]);
  expect(book.get('edge/shop')?.allowedNamespaces).toEqual(['shop', 'web']);
});

test('its key is not printed', () => {
  const line = good.key.split('\n')[1] ?? '';
  expect(line).not.toBe('');
  const judged = judge(tls);
  expect(JSON.stringify(judged) + inspect(judged, { depth: 9 })).not.toContain(line);
  expect(judged.pair.value?.key.reveal()).toContain(line);
});

function garble(pem: string): string {
  const [first = '', , ...rest] = pem.split('\n');
  return [first, 'A'.repeat(64), ...rest].join('\n');
}

function cut(pem: string): string {
  const [first = '', , ...rest] = pem.split('\n');
  return [first, ...rest].join('\n');
}

function sec1(key: string): string {
  const old = createPrivateKey(key).export({ type: 'sec1', format: 'pem' }).toString();
  return `-----BEGIN EC PARAMETERS-----\nBggqhkjOPQMBBw==\n-----END EC PARAMETERS-----\n${old}`;
}

function encrypted(key: string): string {
  const how = { type: 'pkcs8', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' } as const;
  return createPrivateKey(key).export(how).toString();
}

function encryptedSec1(key: string): string {
  const how = { type: 'sec1', format: 'pem', cipher: 'aes-256-cbc', passphrase: 'x' } as const;
  return createPrivateKey(key).export(how).toString();
}
