import { spawnSync } from 'node:child_process';
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { findProgram } from '../../../tools/paths.mjs';
import { alternativeNames, constraints, dns, type Keys, requestOf, requestPem, uri } from '../testing/hostile.ts';
import { readCertificateRequest } from './certificate-request.ts';
import {
  bitString,
  decodeDer,
  encodeDer,
  integer,
  nothing,
  objectIdentifier,
  octetString,
  sequence,
  truth,
} from './der.ts';

const SHOP = 'spiffe://cluster.local/ns/shop/sa/web';
const rsaSha256 = { oid: '1.2.840.113549.1.1.11', hash: 'sha256' };

function errorOf(pem: string | Buffer): string | undefined {
  const read = readCertificateRequest(pem);
  return read.ok ? undefined : read.error;
}

function rsa(modulusLength: number): Keys {
  return generateKeyPairSync('rsa', { modulusLength });
}

function curve(namedCurve: string): Keys {
  return generateKeyPairSync('ec', { namedCurve });
}

/** A key as its owner says it is; nobody needs to have it. */
function rsaKeyOf(bits: number, exponent: Uint8Array) {
  const modulus = Buffer.alloc(bits / 8, 0xa5);
  return sequence(
    sequence(objectIdentifier('1.2.840.113549.1.1.1'), nothing()),
    bitString(encodeDer(sequence(integer(Buffer.concat([Buffer.of(0), modulus])), integer(exponent)))),
  );
}

const usual = Uint8Array.of(1, 0, 1);

describe('a request', () => {
  test.each([
    ['P-256', curve('P-256'), undefined],
    ['P-384', curve('P-384'), undefined],
    ['P-384, by a longer hash', curve('P-384'), { oid: '1.2.840.10045.4.3.4', hash: 'sha512' }],
    ['RSA-2048', rsa(2048), rsaSha256],
    ['RSA-3072', rsa(3072), { oid: '1.2.840.113549.1.1.13', hash: 'sha512' }],
  ])('for a key of %s is read', (_, keys, signature) => {
    const read = readCertificateRequest(requestPem(requestOf({ keys, ...(signature && { signature }) })));
    expect(read).toMatchObject({ ok: true, value: { names: [] } });
    expect(read.ok && read.value.publicKey.equals(keys.publicKey)).toBe(true);
  });

  test.each([
    ['another’s name', [alternativeNames(uri(SHOP))], [['uri', SHOP]]],
    [
      'two names',
      [alternativeNames(uri(SHOP), uri('spiffe://a/ns/b/sa/c'))],
      [
        ['uri', SHOP],
        ['uri', 'spiffe://a/ns/b/sa/c'],
      ],
    ],
    ['the name of a host', [alternativeNames(dns('kubernetes.default'))], [['dns', 'kubernetes.default']]],
    ['to be an authority', [constraints(truth())], []],
  ])('that wants %s gets it read as a wish', (_, extensions, wishes) => {
    const read = readCertificateRequest(requestPem(requestOf({ extensions })));
    expect(read.ok && read.value.names.map(({ kind, bytes }) => [kind, bytes.toString()])).toEqual(wishes);
  });

  test('may have the older label, no line break at its end, or those of Windows', () => {
    const pem = requestPem(requestOf());
    expect(errorOf(requestPem(requestOf(), 'NEW CERTIFICATE REQUEST'))).toBeUndefined();
    expect(errorOf(pem.trimEnd())).toBeUndefined();
    expect(errorOf(Buffer.from(pem.replaceAll('\n', '\r\n')))).toBeUndefined();
  });

  test.skipIf(findProgram('openssl') === undefined).each([
    ['an elliptic curve', ['ec', '-pkeyopt', 'ec_paramgen_curve:P-256']],
    ['RSA', ['rsa:2048']],
  ])('by openssl, with a key of %s, is read', (_, key) => {
    const folder = mkdtempSync(join(tmpdir(), 'xebec-csr-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const names = ['-subj', '/O=somebody', '-addext', `subjectAltName=URI:${SHOP}`];
    const args = ['req', '-new', '-newkey', ...key, '-nodes', '-keyout', 'key.pem', '-out', 'csr.pem', ...names];
    expect(spawnSync('openssl', args, { cwd: folder }).status).toBe(0);
    const read = readCertificateRequest(readFileSync(join(folder, 'csr.pem')));
    expect(read.ok && read.value.names.map(({ bytes }) => bytes.toString())).toEqual([SHOP]);
  });
});

const CURVES = 'the public key is of another curve than P-256 and P-384';
const KINDS = 'the public key is neither RSA nor of an elliptic curve P-256 or P-384';
const SIGNATURE = 'the signature is not that of the key in the request';
const HASHES = 'the request is signed neither by ECDSA nor by RSA (PKCS #1) with SHA-256 or longer';
const PEM = 'the request is not one whole PEM block of type CERTIFICATE REQUEST';
const DER = 'the request is no DER, or has bytes behind its end';

describe('a request is refused', () => {
  const good = requestOf();
  const pem = requestPem(good);

  test.each([
    ['is empty', '', 'the request is no PEM'],
    ['is no PEM', 'please', 'the request is no PEM'],
    ['is DER', good, 'the request is no PEM'],
    ['has a megabyte', 'A'.repeat(1 << 20), 'the request has more than 16384 bytes'],
    ['has a megabyte behind it', pem + ' '.repeat(1 << 20), 'the request has more than 16384 bytes'],
    ['is two', pem + pem, 'the request has more than one PEM block'],
    [
      'has a certificate behind it',
      `${pem}-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n`,
      'the request has more than one PEM block',
    ],
    ['is a certificate', requestPem(good, 'CERTIFICATE'), PEM],
    ['is a key', requestPem(good, 'PRIVATE KEY'), PEM],
    ['has words before it', `hello\n${pem}`, PEM],
    ['has words behind it', `${pem}hello`, PEM],
    ['does not end', pem.slice(0, -20), PEM],
    ['has headers', pem.replace('\n', '\nProc-Type: 4,ENCRYPTED\n\n'), PEM],
    ['is no base64', pem.replace(/\n.{4}/, '\n===='), 'the PEM block is no base64'],
    ['has bytes behind its end', requestPem(Buffer.concat([good, Buffer.of(0)])), DER],
    ['is cut off', requestPem(good.subarray(0, -1)), DER],
    ['is noise', requestPem(Buffer.alloc(300, 0x30)), DER],
    ['is nested a thousand times', requestPem(nested(1_000)), DER],
    ['has another form', requestPem(encodeDer(sequence(integer(usual)))), 'the request is not of the form of PKCS #10'],
    ['has something behind its signature', requestPem(withMore(good)), 'the request is not of the form of PKCS #10'],
  ])('that %s', (_, given, error) => {
    expect(errorOf(given)).toBe(error);
  });

  test.each([
    ['RSA-512', { keyInfo: rsaKeyOf(512, usual) }, 'the RSA key has 512 bits; it must have 2048 to 8192'],
    ['RSA-1024', { keys: rsa(1024), signature: rsaSha256 }, 'the RSA key has 1024 bits; it must have 2048 to 8192'],
    ['RSA-16384', { keyInfo: rsaKeyOf(16_384, usual) }, 'the RSA key has 16384 bits; it must have 2048 to 8192'],
    [
      'RSA with a giant exponent',
      { keyInfo: rsaKeyOf(2048, Buffer.alloc(256, 0x55)) },
      'the exponent of the RSA key is too long',
    ],
    ['secp256k1', { keys: curve('secp256k1') }, CURVES],
    ['P-224', { keys: curve('P-224') }, CURVES],
    ['P-521', { keys: curve('P-521') }, CURVES],
    ['a curve of its own', { keyInfo: ownCurve() }, CURVES],
    [
      'a point that is not on the curve',
      { keyInfo: pointOf(Buffer.concat([Buffer.of(4), Buffer.alloc(64, 1)])) },
      'the public key is not valid',
    ],
    [
      'a point that is compressed',
      { keyInfo: pointOf(Buffer.alloc(33, 2)) },
      'the point of the public key is not valid',
    ],
    ['a point at infinity', { keyInfo: pointOf(Buffer.of(0)) }, 'the point of the public key is not valid'],
    ['an unknown kind', { keyInfo: sequence(sequence(objectIdentifier('1.2.3.4')), bitString(Buffer.of(1))) }, KINDS],
    ['Ed25519', { keyInfo: decodeDer(ed25519()) }, KINDS],
    ['no kind', { keyInfo: sequence() }, 'the public key is not valid'],
    ['a text', { keyInfo: octetString(Buffer.from('key')) }, 'the public key is not valid'],
  ])('for a key that is %s', (_, parts, error) => {
    expect(errorOf(requestPem(requestOf(parts)))).toBe(error);
  });

  test('that somebody else signed', () => {
    expect(errorOf(requestPem(requestOf({ signer: curve('P-256').privateKey })))).toBe(SIGNATURE);
  });

  test('whose signature was damaged', () => {
    const damaged = Buffer.from(good);
    damaged.writeUInt8(damaged.readUInt8(damaged.length - 1) ^ 1, damaged.length - 1);
    expect(errorOf(requestPem(damaged))).toBe(SIGNATURE);
  });

  test('whose content was changed after it was signed', () => {
    const signed = requestOf({ extensions: [alternativeNames(dns('web.shop'))] });
    const changed = Buffer.from(signed.toString('latin1').replace('web.shop', 'web.evil'), 'latin1');
    expect(errorOf(requestPem(signed))).toBeUndefined();
    expect(errorOf(requestPem(changed))).toBe(SIGNATURE);
  });

  test.each([
    ['SHA-1', { signature: { oid: '1.2.840.10045.4.1', hash: 'sha1' } }, HASHES],
    ['MD5', { keys: rsa(2048), signature: { oid: '1.2.840.113549.1.1.4', hash: 'md5' } }, HASHES],
    ['RSA, with a key that is none', { signature: rsaSha256 }, 'the signature is of another kind than the key'],
    ['another hash than it says', { signature: { oid: '1.2.840.10045.4.3.2', hash: 'sha512' } }, SIGNATURE],
  ])('that is signed by %s', (_, parts, error) => {
    expect(errorOf(requestPem(requestOf(parts)))).toBe(error);
  });

  test('that asks for the same extension twice', () => {
    const names = alternativeNames(uri(SHOP));
    expect(errorOf(requestPem(requestOf({ extensions: [names, names] })))).toBe(
      'in the request, an extension stands there twice',
    );
  });
});

describe('whatever is sent', () => {
  test('as bytes is read or refused', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 600 }), (bytes) => {
        expect(readCertificateRequest(requestPem(bytes)).ok).toBe(false);
        expect(readCertificateRequest(Buffer.from(bytes)).ok).toBe(false);
      }),
    );
  });

  test('as a request of which some bytes were changed is never taken for another one', () => {
    const good = requestOf({ extensions: [alternativeNames(uri(SHOP))] });
    const change = fc.record({ at: fc.nat(good.length - 1), to: fc.nat(255) });
    fc.assert(
      fc.property(fc.array(change, { minLength: 1, maxLength: 4 }), (changes) => {
        const bytes = Buffer.from(good);
        for (const { at, to } of changes) bytes.writeUInt8(to, at);
        expect(readCertificateRequest(requestPem(bytes)).ok).toBe(bytes.equals(good));
      }),
      { numRuns: 1_000 },
    );
  });

  test('as a text is read or refused', () => {
    fc.assert(
      fc.property(fc.string({ maxLength: 500, unit: 'binary' }), (text) => {
        expect(readCertificateRequest(text).ok).toBe(false);
        expect(readCertificateRequest(`-----BEGIN CERTIFICATE REQUEST-----\n${text}`).ok).toBe(false);
      }),
    );
  });
});

function nested(depth: number): Buffer {
  let der = Buffer.alloc(0);
  for (let level = 0; level < depth; level += 1) {
    const { length } = der;
    const head = length < 128 ? [0x30, length] : [0x30, 0x82, length >> 8, length & 0xff];
    der = Buffer.concat([Buffer.from(head), der]);
  }
  return der;
}

function withMore(request: Buffer): Buffer {
  const items = decodeDer(request).value;
  if (typeof items === 'string') throw new Error('a request is a sequence');
  return encodeDer(sequence(...items, integer(usual)));
}

function pointOf(point: Buffer) {
  return sequence(
    sequence(objectIdentifier('1.2.840.10045.2.1'), objectIdentifier('1.2.840.10045.3.1.7')),
    bitString(point),
  );
}

/** Parameters written out, as of a curve of one's own, whose arithmetic may never end. */
function ownCurve() {
  const { publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256', paramEncoding: 'explicit' });
  return decodeDer(publicKey.export({ type: 'spki', format: 'der' }));
}

function ed25519(): Buffer {
  return generateKeyPairSync('ed25519').publicKey.export({ type: 'spki', format: 'der' });
}
