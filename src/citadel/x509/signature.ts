import { createHash, type KeyObject, sign } from 'node:crypto';
import { type Der, encodeDer, nothing, objectIdentifier, sequence } from './der.ts';

type Algorithm = { readonly identifier: Der; readonly hash: string };

function ecdsa(oid: string, hash: string): Algorithm {
  return { identifier: sequence(objectIdentifier(oid)), hash };
}

const byCurve: Readonly<Record<string, Algorithm>> = {
  prime256v1: ecdsa('1.2.840.10045.4.3.2', 'sha256'),
  secp384r1: ecdsa('1.2.840.10045.4.3.3', 'sha384'),
  secp521r1: ecdsa('1.2.840.10045.4.3.4', 'sha512'),
};

const rsaWithSha256: Algorithm = {
  identifier: sequence(objectIdentifier('1.2.840.113549.1.1.11'), nothing()),
  hash: 'sha256',
};

/** How a key of an authority signs. Throws for a key that cannot. */
function algorithmOf(key: KeyObject): Algorithm {
  if (key.asymmetricKeyType === 'rsa') return rsaWithSha256;
  const known = byCurve[key.asymmetricKeyDetails?.namedCurve ?? ''];
  if (known === undefined) throw new Error(`a key of type ${key.asymmetricKeyType ?? 'unknown'} signs no certificates`);
  return known;
}

/** What stands in a certificate about how it is signed. */
export function signatureIdentifier(key: KeyObject): Der {
  return algorithmOf(key).identifier;
}

export function signatureOf(body: Der, key: KeyObject): Buffer {
  return sign(algorithmOf(key).hash, encodeDer(body), key);
}

/** RFC 7093 §2: the first 160 bits of a hash of the public key. */
export function keyIdentifierOf(publicKeyBits: Uint8Array): Buffer {
  return createHash('sha256').update(publicKeyBits).digest().subarray(0, 20);
}
