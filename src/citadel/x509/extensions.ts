import {
  bitString,
  type Der,
  encodeDer,
  objectIdentifier,
  octetString,
  sequence,
  tagged,
  taggedBytes,
  truth,
} from './der.ts';
import { type AlternativeName, generalNames } from './names.ts';

export type Usage = 'server' | 'client';

/** What a certificate says beyond names, key and time (RFC 5280 §4.2). */
export type ExtensionFields = {
  readonly isAuthority: boolean;
  readonly usages: readonly Usage[];
  readonly names: readonly AlternativeName[];
  /** Without a subject the alternative names must be understood. */
  readonly namesAreCritical: boolean;
  readonly keyIdentifier: Uint8Array;
  readonly authorityKeyIdentifier: Uint8Array;
};

const usageOids: Readonly<Record<Usage, string>> = { server: '1.3.6.1.5.5.7.3.1', client: '1.3.6.1.5.5.7.3.2' };

/** keyCertSign and cRLSign. */
const AUTHORITY_KEY_USAGE = bitString(Uint8Array.of(0x06), 1);
/** digitalSignature. */
const LEAF_KEY_USAGE = bitString(Uint8Array.of(0x80), 7);

export const SUBJECT_KEY_IDENTIFIER = '2.5.29.14';

export function buildExtensions(fields: ExtensionFields): Der {
  const { isAuthority, usages, names, keyIdentifier, authorityKeyIdentifier } = fields;
  const purposes = usages.map((usage) => objectIdentifier(usageOids[usage]));
  return sequence(
    extension('2.5.29.19', isAuthority ? sequence(truth()) : sequence(), { critical: true }),
    extension('2.5.29.15', isAuthority ? AUTHORITY_KEY_USAGE : LEAF_KEY_USAGE, { critical: true }),
    ...(purposes.length === 0 ? [] : [extension('2.5.29.37', sequence(...purposes), { critical: false })]),
    extension(SUBJECT_KEY_IDENTIFIER, octetString(keyIdentifier), { critical: false }),
    extension('2.5.29.35', sequence(taggedBytes(0, authorityKeyIdentifier)), { critical: false }),
    ...(names.length === 0 ? [] : [extension('2.5.29.17', generalNames(names), { critical: fields.namesAreCritical })]),
  );
}

/** The place of the extensions in a certificate. */
export function wrapExtensions(extensions: Der): Der {
  return tagged(3, extensions);
}

function extension(oid: string, value: Der, { critical }: { readonly critical: boolean }): Der {
  const content = octetString(encodeDer(value));
  return critical ? sequence(objectIdentifier(oid), truth(), content) : sequence(objectIdentifier(oid), content);
}
