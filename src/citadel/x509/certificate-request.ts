import { createPublicKey, type KeyObject, verify } from 'node:crypto';
import { err, ok, type Result } from '../../kit/result.ts';
import { bytesOf, type Der, decodeDer, encodeDer, isTagged, isUniversal, itemsOf } from './der.ts';
import { identifierOf, oid } from './oid.ts';
import { publicKeyFault } from './public-key.ts';
import { type ReadName, readExtensions } from './read-extensions.ts';

/** What somebody asks a certificate for. Who they are is not theirs to say: the names are only what they wrote. */
export type CertificateRequest = {
  readonly publicKey: KeyObject;
  /** The alternative names that the request asks for. */
  readonly names: readonly ReadName[];
};

/** A request of RSA-8192 with a hundred names has less. */
const MOST_BYTES = 16 * 1024;

const EXTENSION_REQUEST = oid('1.2.840.113549.1.9.14');

/** How a request may be signed, and with what kind of key. SHA-1 and older are forged. */
const signatures: ReadonlyMap<string, { readonly key: 'rsa' | 'ec'; readonly hash: string }> = new Map([
  [oid('1.2.840.113549.1.1.11'), { key: 'rsa', hash: 'sha256' }],
  [oid('1.2.840.113549.1.1.12'), { key: 'rsa', hash: 'sha384' }],
  [oid('1.2.840.113549.1.1.13'), { key: 'rsa', hash: 'sha512' }],
  [oid('1.2.840.10045.4.3.2'), { key: 'ec', hash: 'sha256' }],
  [oid('1.2.840.10045.4.3.3'), { key: 'ec', hash: 'sha384' }],
  [oid('1.2.840.10045.4.3.4'), { key: 'ec', hash: 'sha512' }],
]);

/**
 * Reads a certificate request (RFC 2986) as PEM, from whoever. It is proven that the caller has the key. The error says in what
 * the request fails; nothing that is sent makes this throw, or take long.
 */
export function readCertificateRequest(pem: string | Buffer): Result<CertificateRequest, string> {
  if (Buffer.byteLength(pem) > MOST_BYTES) return err(`the request has more than ${MOST_BYTES} bytes`);
  const der = readBlock(pem.toString('latin1'));
  return der.ok ? readRequest(der.value) : der;
}

const BLOCK =
  /^-----BEGIN (NEW )?CERTIFICATE REQUEST-----\r?\n([A-Za-z0-9+/=\r\n]+)-----END (NEW )?CERTIFICATE REQUEST-----$/;

function readBlock(text: string): Result<Buffer, string> {
  const begins = text.split('-----BEGIN ').length - 1;
  if (begins === 0) return err('the request is no PEM');
  if (begins > 1) return err('the request has more than one PEM block');
  const base64 = BLOCK.exec(text.trim())?.[2];
  if (base64 === undefined) return err('the request is not one whole PEM block of type CERTIFICATE REQUEST');
  const compact = base64.replace(/[\r\n]/g, '');
  const der = Buffer.from(compact, 'base64');
  return der.toString('base64') === compact ? ok(der) : err('the PEM block is no base64');
}

function readRequest(der: Buffer): Result<CertificateRequest, string> {
  const request = decodeExactly(der);
  if (request === undefined) return err('the request is no DER, or has bytes behind its end');
  const [info, algorithm, signature] = itemsOf(request);
  const [, , keyInfo, attributes] = itemsOf(info);
  if (!isComplete(request) || info === undefined || keyInfo === undefined)
    return err('the request is not of the form of PKCS #10');
  const key = readKey(keyInfo);
  if (!key.ok) return key;
  const isSigned = readSignature(algorithm, key.value);
  if (!isSigned.ok) return isSigned;
  const bits = bytesOf(signature);
  const isProven = bits[0] === 0 && isVerified(isSigned.value, encodeDer(info), key.value, bits.subarray(1));
  if (!isProven) return err('the signature is not that of the key in the request');
  const names = readNames(attributes);
  return names.ok ? ok({ publicKey: key.value, names: names.value }) : names;
}

/** What is not signed must be as it should; what is signed is the owner's. */
function isComplete(request: Der): boolean {
  const [info, algorithm, signature, ...rest] = itemsOf(request);
  const [, parameters, ...more] = itemsOf(algorithm);
  const isSequence = [request, info, algorithm].every((part) => isUniversal(part, 'SEQUENCE'));
  const isPlain = (parameters === undefined || isUniversal(parameters, 'NULL')) && more.length === 0;
  return isSequence && isPlain && isUniversal(signature, 'BITSTRING') && rest.length === 0;
}

/** DER has one form of everything: what would be written otherwise was no DER. */
function decodeExactly(bytes: Buffer): Der | undefined {
  try {
    const value = decodeDer(bytes);
    return encodeDer(value).equals(bytes) ? value : undefined;
  } catch {
    return undefined;
  }
}

function readKey(keyInfo: Der): Result<KeyObject, string> {
  const fault = publicKeyFault(keyInfo);
  if (fault !== undefined) return err(fault);
  try {
    return ok(createPublicKey({ key: encodeDer(keyInfo), format: 'der', type: 'spki' }));
  } catch {
    return err('the public key is not valid');
  }
}

/** The hash by which the key signed. */
function readSignature(algorithm: Der | undefined, key: KeyObject): Result<string, string> {
  const known = signatures.get(identifierOf(itemsOf(algorithm)[0]));
  if (known === undefined)
    return err('the request is signed neither by ECDSA nor by RSA (PKCS #1) with SHA-256 or longer');
  return known.key === key.asymmetricKeyType ? ok(known.hash) : err('the signature is of another kind than the key');
}

function isVerified(hash: string, body: Buffer, key: KeyObject, signature: Buffer): boolean {
  try {
    return verify(hash, body, key, signature);
  } catch {
    return false;
  }
}

function readNames(attributes: Der | undefined): Result<readonly ReadName[], string> {
  if (attributes === undefined || !isTagged(attributes, 0)) return ok([]);
  const wanted = itemsOf(attributes)
    .map(itemsOf)
    .filter(([type]) => identifierOf(type) === EXTENSION_REQUEST);
  if (wanted.length > 1) return err('the request asks for extensions twice');
  const extensions = readExtensions(itemsOf(wanted[0]?.[1])[0]);
  return extensions.ok ? ok(extensions.value.names) : err(`in the request, ${extensions.error}`);
}
