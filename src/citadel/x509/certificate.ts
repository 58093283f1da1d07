import { type KeyObject, randomBytes, type X509Certificate } from 'node:crypto';
import { memoByIdentity } from '../../kit/memo.ts';
import {
  bitString,
  bytesOf,
  type Der,
  decodeDer,
  encodeDer,
  integer,
  isTagged,
  itemsOf,
  objectIdentifier,
  sequence,
  tagged,
  time,
} from './der.ts';
import { buildExtensions, SUBJECT_KEY_IDENTIFIER, type Usage, wrapExtensions } from './extensions.ts';
import { type AlternativeName, distinguishedName, isEmptySubject, type Subject } from './names.ts';
import { keyIdentifierOf, signatureIdentifier, signatureOf } from './signature.ts';

/** Milliseconds since the epoch. */
export type Validity = { readonly notBefore: number; readonly notAfter: number };

/** What a certificate is to say. */
export type CertificateFields = {
  readonly subject: Subject;
  readonly names: readonly AlternativeName[];
  readonly usages: readonly Usage[];
  readonly isAuthority: boolean;
  readonly validity: Validity;
  readonly publicKey: KeyObject;
};

/** Who signs: itself, or an authority whose certificate is known. */
export type Signer = { readonly key: KeyObject; readonly certificate: X509Certificate | undefined };

/** A certificate, as PEM. */
export function buildCertificate(fields: CertificateFields, signer: Signer): string {
  const { subject, names, usages, isAuthority, validity, publicKey } = fields;
  const keyInfo = decodeDer(publicKey.export({ type: 'spki', format: 'der' }));
  const keyIdentifier = keyIdentifierOf(publicKeyBits(keyInfo));
  const own = { name: distinguishedName(subject), keyIdentifier };
  const issuer = signer.certificate === undefined ? own : readAuthority(signer.certificate);
  const algorithm = signatureIdentifier(signer.key);
  const body = sequence(
    // Version 3.
    tagged(0, integer(Uint8Array.of(2))),
    integer(randomSerial()),
    algorithm,
    issuer.name,
    sequence(time(validity.notBefore), time(validity.notAfter)),
    own.name,
    keyInfo,
    wrapExtensions(
      buildExtensions({
        isAuthority,
        usages,
        names,
        namesAreCritical: isEmptySubject(subject),
        keyIdentifier,
        authorityKeyIdentifier: issuer.keyIdentifier,
      }),
    ),
  );
  return pem(encodeDer(sequence(body, algorithm, bitString(signatureOf(body, signer.key)))));
}

/** 127 random bits: positive, and never with a leading zero byte, which DER forbids. */
function randomSerial(): Buffer {
  const serial = randomBytes(16);
  serial[0] = ((serial[0] ?? 0) & 0x7f) | 0x40;
  return serial;
}

type Authority = { readonly name: Der; readonly keyIdentifier: Uint8Array };

/** The name and key identifier of an authority, byte by byte as its own certificate has them. */
const readAuthority = memoByIdentity((certificate: X509Certificate): Authority => {
  const [body] = itemsOf(decodeDer(certificate.raw));
  const items = itemsOf(body);
  // The version comes first, but need not be there.
  const offset = items[0] !== undefined && isTagged(items[0], 0) ? 1 : 0;
  const [name, keyInfo] = [items[offset + 4], items[offset + 5]];
  if (name === undefined || keyInfo === undefined) throw new Error('the certificate of the authority is incomplete');
  const extensions = items.find((item) => isTagged(item, 3));
  return { name, keyIdentifier: readKeyIdentifier(extensions) ?? keyIdentifierOf(publicKeyBits(keyInfo)) };
});

const subjectKeyIdentifier = bytesOf(objectIdentifier(SUBJECT_KEY_IDENTIFIER));

function readKeyIdentifier(extensions: Der | undefined): Buffer | undefined {
  const all = itemsOf(itemsOf(extensions)[0]).map(itemsOf);
  const found = all.find(([oid]) => bytesOf(oid).equals(subjectKeyIdentifier));
  return found === undefined ? undefined : bytesOf(decodeDer(bytesOf(found.at(-1))));
}

/** Without the byte that says how many bits do not count. */
function publicKeyBits(keyInfo: Der): Buffer {
  return bytesOf(itemsOf(keyInfo)[1]).subarray(1);
}

function pem(der: Buffer): string {
  const lines = der.toString('base64').match(/.{1,64}/g) ?? [];
  return `-----BEGIN CERTIFICATE-----\n${lines.join('\n')}\n-----END CERTIFICATE-----\n`;
}
