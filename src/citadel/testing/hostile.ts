/** Certificates and requests as nobody should write them. */
import { generateKeyPairSync, type KeyObject, sign } from 'node:crypto';
import {
  bitString,
  type Der,
  decodeDer,
  encodeDer,
  integer,
  objectIdentifier,
  octetString,
  sequence,
  set,
  tagged,
  taggedBytes,
  time,
  truth,
} from '../x509/der.ts';
import { distinguishedName } from '../x509/names.ts';

export type Keys = { readonly publicKey: KeyObject; readonly privateKey: KeyObject };

export const somebody: Keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });

export const SERVER = '1.3.6.1.5.5.7.3.1';
export const CLIENT = '1.3.6.1.5.5.7.3.2';
const ECDSA_SHA256 = '1.2.840.10045.4.3.2';

export function uri(value: string | Uint8Array): Der {
  return taggedBytes(6, Buffer.from(value as string));
}

export function dns(value: string): Der {
  return taggedBytes(2, Buffer.from(value));
}

export function extension(oid: string, value: Der): Der {
  return sequence(objectIdentifier(oid), truth(), octetString(encodeDer(value)));
}

export function alternativeNames(...names: readonly Der[]): Der {
  return extension('2.5.29.17', sequence(...names));
}

export function purposes(...oids: readonly string[]): Der {
  return extension('2.5.29.37', sequence(...oids.map(objectIdentifier)));
}

export function constraints(...parts: readonly Der[]): Der {
  return extension('2.5.29.19', sequence(...parts));
}

export function keyUsage(bits: number): Der {
  return extension('2.5.29.15', bitString(Uint8Array.of(bits), 0));
}

export type Life = { readonly notBefore: number; readonly notAfter: number };

/** A certificate in DER with these extensions and nothing else. */
export function certificateWith(extensions: readonly Der[], { notBefore, notAfter }: Life): Buffer {
  const name = distinguishedName({ organization: 'somebody' });
  const algorithm = sequence(objectIdentifier(ECDSA_SHA256));
  const body = sequence(
    tagged(0, integer(Uint8Array.of(2))),
    integer(Uint8Array.of(0x51)),
    algorithm,
    name,
    sequence(time(notBefore), time(notAfter)),
    name,
    decodeDer(somebody.publicKey.export({ type: 'spki', format: 'der' })),
    tagged(3, sequence(...extensions)),
  );
  return encodeDer(sequence(body, algorithm, bitString(sign('sha256', encodeDer(body), somebody.privateKey))));
}

export type RequestParts = {
  readonly keys?: Keys;
  /** In place of the key's own. */
  readonly keyInfo?: Der;
  readonly signature?: { readonly oid: string; readonly hash: string };
  readonly extensions?: readonly Der[];
  readonly signer?: KeyObject;
};

/** A request in DER, properly signed if its parts agree. */
export function requestOf(parts: RequestParts = {}): Buffer {
  const { keys = somebody, signature = { oid: ECDSA_SHA256, hash: 'sha256' }, extensions, signer } = parts;
  const keyInfo = parts.keyInfo ?? decodeDer(keys.publicKey.export({ type: 'spki', format: 'der' }));
  const wanted =
    extensions === undefined ? [] : [sequence(objectIdentifier('1.2.840.113549.1.9.14'), set(sequence(...extensions)))];
  const info = sequence(
    integer(Uint8Array.of(0)),
    distinguishedName({}),
    keyInfo,
    // [0] IMPLICIT: a set under another tag.
    tagged(0, ...wanted),
  );
  const bits = sign(signature.hash, encodeDer(info), signer ?? keys.privateKey);
  return encodeDer(sequence(info, sequence(objectIdentifier(signature.oid)), bitString(bits)));
}

export function requestPem(der: Uint8Array, label = 'CERTIFICATE REQUEST'): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(/.{1,64}/g) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
