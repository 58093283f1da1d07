import { spawnSync } from 'node:child_process';
import { createPublicKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, onTestFinished, test } from 'vitest';
import { findProgram } from '../../../tools/paths.mjs';
import { createAuthority, issueLeaf, type KeyPair } from './authority.ts';
import { buildCertificate } from './certificate.ts';
import type { AlternativeName } from './names.ts';

const HOUR_MS = 3_600_000;
const now = Math.floor(Date.now() / 1000) * 1000;
const validity = { notBefore: now - 120_000, notAfter: now + HOUR_MS };
const subject = { organization: 'xebec', commonName: 'test authority' };
const names: readonly AlternativeName[] = [
  { kind: 'dns', value: 'xebec.istio-system.svc' },
  { kind: 'ip', value: '10.1.2.3' },
  { kind: 'ip', value: 'fd00::1' },
  { kind: 'uri', value: 'spiffe://cluster.local/ns/default/sa/bookinfo' },
];

function authority(): KeyPair {
  return createAuthority({ subject, validity });
}

/** It is not on every machine; Node's own reader is, and looks at the same certificates. */
const withOpenssl = test.skipIf(findProgram('openssl') === undefined);

/** What openssl, who shares no code with this, says. */
function openssl(files: Readonly<Record<string, string>>, args: readonly string[]): string {
  const folder = mkdtempSync(join(tmpdir(), 'xebec-x509-'));
  onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const { stdout, stderr, error } = spawnSync('openssl', args, { cwd: folder, encoding: 'utf8' });
  if (error !== undefined) throw error;
  return stdout + stderr;
}

describe('a leaf', () => {
  test('is what Node and its authority take it for', () => {
    const root = authority();
    const leaf = issueLeaf(root, { subject: { organization: 'xebec' }, names, usages: ['server', 'client'], validity });
    const certificate = new X509Certificate(leaf.certificate);
    const issuer = new X509Certificate(root.certificate);
    expect(certificate.verify(issuer.publicKey)).toBe(true);
    expect(certificate.checkIssued(issuer)).toBe(true);
    expect([issuer.ca, certificate.ca]).toEqual([true, false]);
    expect(issuer.verify(issuer.publicKey)).toBe(true);
    expect(certificate.publicKey.equals(createPublicKey(leaf.key))).toBe(true);
    expect([Date.parse(certificate.validFrom), Date.parse(certificate.validTo)]).toEqual([
      validity.notBefore,
      validity.notAfter,
    ]);
    expect(certificate.subject).toBe('O=xebec');
    expect(certificate.issuer).toBe('O=xebec\nCN=test authority');
    expect(certificate.subjectAltName).toBe(
      'DNS:xebec.istio-system.svc, IP Address:10.1.2.3, IP Address:FD00:0:0:0:0:0:0:1, URI:spiffe://cluster.local/ns/default/sa/bookinfo',
    );
    expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1', '1.3.6.1.5.5.7.3.2']);
  });

  withOpenssl('is what openssl takes it for', () => {
    const root = authority();
    const leaf = issueLeaf(root, { subject: {}, names, usages: ['server'], validity });
    const files = { 'ca.pem': root.certificate, 'leaf.pem': leaf.certificate };
    const verify = ['verify', '-x509_strict', '-purpose', 'sslserver', '-CAfile', 'ca.pem', 'leaf.pem'];
    expect(openssl(files, verify)).toBe('leaf.pem: OK\n');
    expect(openssl(files, [...verify.slice(0, 3), 'sslclient', ...verify.slice(4)])).toContain(
      'unsuitable certificate',
    );
    const text = openssl(files, ['x509', '-in', 'leaf.pem', '-noout', '-text']);
    // Nobody but the alternative names says who it is, so they must be understood.
    expect(text).toContain('X509v3 Subject Alternative Name: critical');
    expect(text).toContain('X509v3 Key Usage: critical\n                Digital Signature\n');
    expect(text).toContain('X509v3 Basic Constraints: critical\n                CA:FALSE');
    expect(text).toContain('Version: 3');
    expect(openssl(files, ['x509', '-in', 'ca.pem', '-noout', '-text'])).toContain('Certificate Sign, CRL Sign');
  });

  test('never outlives its authority', () => {
    const root = authority();
    const wanted = { ...validity, notAfter: now + 2 * HOUR_MS };
    const leaf = issueLeaf(root, { subject, names, usages: ['server'], validity: wanted });
    expect(new X509Certificate(leaf.certificate).validTo).toBe(new X509Certificate(root.certificate).validTo);
  });

  withOpenssl('with names of letters beyond ASCII in its subject is the same to all', () => {
    const root = createAuthority({ subject: { commonName: 'Zürich, 北京 + "root"' }, validity });
    expect(
      openssl({ 'ca.pem': root.certificate }, ['x509', '-in', 'ca.pem', '-noout', '-subject', '-nameopt', 'utf8']),
    ).toContain('Zürich, 北京 + "root"');
  });
});

describe('an authority', () => {
  withOpenssl.each([
    ['RSA', (): ReturnType<typeof generateKeyPairSync> => generateKeyPairSync('rsa', { modulusLength: 2048 })],
    ['P-384', (): ReturnType<typeof generateKeyPairSync> => generateKeyPairSync('ec', { namedCurve: 'P-384' })],
    ['P-521', (): ReturnType<typeof generateKeyPairSync> => generateKeyPairSync('ec', { namedCurve: 'P-521' })],
  ])('with a key of %s signs as well', (_, makeKeys) => {
    const { publicKey, privateKey } = makeKeys();
    const fields = { subject, names: [], usages: [], isAuthority: true, validity, publicKey };
    const certificate = buildCertificate(fields, { key: privateKey, certificate: undefined });
    const key = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    const leaf = issueLeaf({ certificate, key }, { subject: {}, names, usages: ['server'], validity });
    const files = { 'ca.pem': certificate, 'leaf.pem': leaf.certificate };
    expect(openssl(files, ['verify', '-x509_strict', '-CAfile', 'ca.pem', 'leaf.pem'])).toBe('leaf.pem: OK\n');
  });

  test('with a key that signs otherwise is refused', () => {
    const { publicKey, privateKey } = generateKeyPairSync('x25519');
    const fields = { subject, names: [], usages: [], isAuthority: true, validity, publicKey };
    expect(() => buildCertificate(fields, { key: privateKey, certificate: undefined })).toThrow('x25519');
  });

  withOpenssl('made by openssl, with a key identifier of its own, issues what openssl takes', () => {
    const folder = mkdtempSync(join(tmpdir(), 'xebec-x509-'));
    onTestFinished(() => rmSync(folder, { recursive: true, force: true }));
    const make = ['req', '-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes', '-days', '2'];
    spawnSync('openssl', [...make, '-keyout', 'key.pem', '-out', 'ca.pem', '-subj', '/C=CH/O=Somebody/CN=root'], {
      cwd: folder,
    });
    const read = (name: string): string => readFileSync(join(folder, name), 'utf8');
    const root = { certificate: read('ca.pem'), key: read('key.pem') };
    const leaf = issueLeaf(root, { subject: {}, names, usages: ['server'], validity });
    // Strictly, the authority that openssl makes is none: it does not say that it may sign.
    const verify = ['verify', '-CAfile', 'ca.pem', 'leaf.pem'];
    expect(openssl({ 'ca.pem': root.certificate, 'leaf.pem': leaf.certificate }, verify)).toBe('leaf.pem: OK\n');
  });

  test('that lives beyond 2049 says so', () => {
    const far = { notBefore: validity.notBefore, notAfter: Date.UTC(2056, 1, 29, 12) };
    const root = createAuthority({ subject, validity: far });
    expect(Date.parse(new X509Certificate(root.certificate).validTo)).toBe(far.notAfter);
  });
});

test('serial numbers are positive, as long as they can be and never the same', () => {
  const root = authority();
  const serials = Array.from({ length: 200 }, () => {
    const leaf = issueLeaf(root, { subject: {}, names, usages: [], validity });
    return new X509Certificate(leaf.certificate).serialNumber;
  });
  expect(new Set(serials).size).toBe(200);
  for (const serial of serials) expect(serial).toMatch(/^[4-7][0-9A-F]{31}$/);
});

test('any names are read back as they were given', () => {
  const root = authority();
  const label = fc.stringMatching(/^[a-z][a-z0-9-]{0,20}[a-z0-9]$/);
  const name = fc.oneof(
    fc.record({
      kind: fc.constant('dns' as const),
      value: fc.array(label, { minLength: 1, maxLength: 5 }).map((l) => l.join('.')),
    }),
    fc.record({ kind: fc.constant('uri' as const), value: label.map((l) => `spiffe://cluster.local/ns/${l}/sa/${l}`) }),
    fc.record({ kind: fc.constant('ip' as const), value: fc.ipV4() }),
  );
  fc.assert(
    fc.property(fc.array(name, { minLength: 1, maxLength: 30 }), (given) => {
      const leaf = issueLeaf(root, { subject: {}, names: given, usages: ['server'], validity });
      const read = new X509Certificate(leaf.certificate).subjectAltName;
      const words = { dns: 'DNS', uri: 'URI', ip: 'IP Address' };
      expect(read).toBe(given.map(({ kind, value }) => `${words[kind]}:${value}`).join(', '));
    }),
  );
});
