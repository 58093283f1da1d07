import { err, ok, type Result } from '../../kit/result.ts';
import { bytesOf, type Der, decodeDer, isTagged, itemsOf } from './der.ts';
import { identifierOf, oid } from './oid.ts';

/** A name of a certificate; its bytes are what was signed, whatever they are. */
export type ReadName = { readonly kind: 'dns' | 'ip' | 'uri' | 'other'; readonly bytes: Buffer };

/** What a certificate says beyond names, key and time, of what we judge by. */
export type ReadExtensions = {
  readonly names: readonly ReadName[];
  /** Nothing when the certificate does not say what it is for. */
  readonly purposes: readonly string[] | undefined;
  readonly isAuthority: boolean;
  /** How many authorities may stand between this one and a leaf; nothing for any number. */
  readonly pathLength: number | undefined;
  /** The bits of RFC 5280 §4.2.1.3, the first one highest; nothing when it does not say. */
  readonly keyUsage: number | undefined;
};

export const CLIENT_PURPOSE = oid('1.3.6.1.5.5.7.3.2');

const none: ReadExtensions = {
  names: [],
  purposes: undefined,
  isAuthority: false,
  pathLength: undefined,
  keyUsage: undefined,
};

const KEY_CERT_SIGN = 0x04;
const CRL_SIGN = 0x02;

export function maySignCertificates({ keyUsage }: ReadExtensions): boolean {
  return keyUsage !== undefined && (keyUsage & KEY_CERT_SIGN) !== 0;
}

export function maySignLists({ keyUsage }: ReadExtensions): boolean {
  return keyUsage !== undefined && (keyUsage & CRL_SIGN) !== 0;
}

/** The extensions of a certificate in DER. */
export function readCertificateExtensions(certificate: Uint8Array): Result<ReadExtensions, string> {
  try {
    const [body] = itemsOf(decodeDer(certificate));
    const wrapped = itemsOf(body).find((item) => isTagged(item, 3));
    return readExtensions(itemsOf(wrapped)[0]);
  } catch {
    return err('the certificate is no DER');
  }
}

/** A SEQUENCE of extensions; none is none. Each may stand there once. */
export function readExtensions(extensions: Der | undefined): Result<ReadExtensions, string> {
  let read = none;
  const seen = new Set<string>();
  for (const extension of itemsOf(extensions)) {
    const [name, ...rest] = itemsOf(extension);
    const id = identifierOf(name);
    if (seen.has(id)) return err('an extension stands there twice');
    seen.add(id);
    const reader = readers.get(id);
    if (reader === undefined) continue;
    try {
      read = { ...read, ...reader(decodeDer(bytesOf(rest.at(-1)))) };
    } catch {
      return err('an extension is no DER');
    }
  }
  return ok(read);
}

type Reader = (value: Der) => Partial<ReadExtensions>;

const readers: ReadonlyMap<string, Reader> = new Map<string, Reader>([
  [oid('2.5.29.17'), (value) => ({ names: itemsOf(value).map(readName) })],
  [oid('2.5.29.37'), (value) => ({ purposes: itemsOf(value).map(identifierOf) })],
  [oid('2.5.29.19'), readConstraints],
  [oid('2.5.29.15'), (value) => ({ keyUsage: bytesOf(value)[1] ?? 0 })],
]);

function readName(name: Der): ReadName {
  const bytes = bytesOf(name);
  if (isTagged(name, 2)) return { kind: 'dns', bytes };
  if (isTagged(name, 6)) return { kind: 'uri', bytes };
  return { kind: isTagged(name, 7) ? 'ip' : 'other', bytes };
}

function readConstraints(value: Der): Partial<ReadExtensions> {
  const [authority, length] = itemsOf(value).map(bytesOf);
  return {
    isAuthority: (authority?.[0] ?? 0) !== 0,
    pathLength: length === undefined || length.length > 4 ? undefined : length.readUIntBE(0, length.length),
  };
}
