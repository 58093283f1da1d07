import { generateKeyPairSync, type KeyObject, X509Certificate } from 'node:crypto';
import { buildCertificate, type Validity } from '../../src/citadel/x509/certificate.ts';
import { bitString, encodeDer, integer, sequence, time } from '../../src/citadel/x509/der.ts';
import { type AlternativeName, distinguishedName } from '../../src/citadel/x509/names.ts';
import { signatureIdentifier, signatureOf } from '../../src/citadel/x509/signature.ts';
import type { Certificate } from './certificates.ts';

const DAY_MS = 86_400_000;

export type KeyKind = 'P-256' | 'P-384' | 'RSA' | 'RSA-1024' | 'Ed25519';

type Issue = {
  readonly kind?: KeyKind;
  /** In days from now. */
  readonly from?: number;
  readonly until?: number;
};

/** An authority of a test that issues every kind of certificate, good and bad, and takes them back. */
export class Pki {
  readonly certificate: string;
  readonly #name: string;
  readonly #keys = keysOf('P-256');

  constructor(name: string) {
    this.#name = name;
    const fields = { subject: { commonName: name }, names: [], usages: [], isAuthority: true } as const;
    this.certificate = buildCertificate(
      { ...fields, validity: validity({}), publicKey: this.#keys.publicKey },
      { key: this.#keys.privateKey, certificate: undefined },
    );
  }

  /** For DNS names or, with a scheme, URIs; of servers and clients alike. */
  issue(names: readonly [string, ...string[]], how: Issue = {}): Certificate {
    const { publicKey, privateKey } = keysOf(how.kind ?? 'P-256');
    const fields = {
      subject: { commonName: names[0] },
      names: names.map(alternativeName),
      usages: ['server', 'client'],
      isAuthority: false,
    } as const;
    const signer = { key: this.#keys.privateKey, certificate: new X509Certificate(this.certificate) };
    const certificate = buildCertificate({ ...fields, validity: validity(how), publicKey }, signer);
    return { certificate, key: privateKey.export({ type: 'pkcs8', format: 'pem' }).toString() };
  }

  /** A list of what was taken back, good for a day. */
  revoke(...certificates: readonly Certificate[]): string {
    const now = Date.now();
    const algorithm = signatureIdentifier(this.#keys.privateKey);
    const entries = certificates.map(({ certificate }) =>
      sequence(integer(Buffer.from(new X509Certificate(certificate).serialNumber, 'hex')), time(now - DAY_MS)),
    );
    const body = sequence(
      integer(Uint8Array.of(1)),
      algorithm,
      distinguishedName({ commonName: this.#name }),
      time(now - DAY_MS),
      time(now + DAY_MS),
      ...(entries.length === 0 ? [] : [sequence(...entries)]),
    );
    const whole = sequence(body, algorithm, bitString(signatureOf(body, this.#keys.privateKey)));
    const lines =
      encodeDer(whole)
        .toString('base64')
        .match(/.{1,64}/g) ?? [];
    return `-----BEGIN X509 CRL-----\n${lines.join('\n')}\n-----END X509 CRL-----\n`;
  }
}

function alternativeName(value: string): AlternativeName {
  return { kind: value.includes('://') ? 'uri' : 'dns', value };
}

function validity({ from = -1, until = 1 }: Issue): Validity {
  const now = Date.now();
  return { notBefore: now + from * DAY_MS, notAfter: now + until * DAY_MS };
}

function keysOf(kind: KeyKind): { readonly publicKey: KeyObject; readonly privateKey: KeyObject } {
  switch (kind) {
    case 'P-256':
    case 'P-384':
      return generateKeyPairSync('ec', { namedCurve: kind });
    case 'RSA':
      return generateKeyPairSync('rsa', { modulusLength: 2048 });
    case 'RSA-1024':
      return generateKeyPairSync('rsa', { modulusLength: 1024 });
    case 'Ed25519':
      return generateKeyPairSync('ed25519');
  }
}

/** A Secret as people write it, with texts by key. */
export function secretYaml(name: string, texts: Readonly<Record<string, string>>, annotations: object = {}): string {
  const [namespace, own] = name.includes('/') ? name.split('/') : ['default', name];
  const data = Object.entries(texts).map(([key, text]) => [key, Buffer.from(text).toString('base64')] as const);
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: own, namespace, annotations },
    type: 'Opaque',
    data: Object.fromEntries(data),
  });
}
