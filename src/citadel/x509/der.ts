/**
 * ASN.1 values, and the bytes they are in DER. Forge speaks strings whose characters are bytes; here is the only place where
 * they are met.
 */
import type { asn1 as forge } from 'node-forge';
import asn1 from 'node-forge/lib/asn1.js';

export type Der = forge.Asn1;

const { UNIVERSAL, CONTEXT_SPECIFIC } = asn1.Class;

export function encodeDer(value: Der): Buffer {
  return Buffer.from(asn1.toDer(value).getBytes(), 'latin1');
}

/** Throws on what is no DER. */
export function decodeDer(bytes: Uint8Array): Der {
  return asn1.fromDer(Buffer.from(bytes).toString('latin1'), { decodeBitStrings: false });
}

export function sequence(...items: readonly Der[]): Der {
  return asn1.create(UNIVERSAL, asn1.Type.SEQUENCE, true, [...items]);
}

export function set(...items: readonly Der[]): Der {
  return asn1.create(UNIVERSAL, asn1.Type.SET, true, [...items]);
}

/** `[tag]` around values. */
export function tagged(tag: number, ...values: readonly Der[]): Der {
  return asn1.create(CONTEXT_SPECIFIC, tag, true, [...values]);
}

/** `[tag] IMPLICIT` bytes. */
export function taggedBytes(tag: number, bytes: Uint8Array): Der {
  return asn1.create(CONTEXT_SPECIFIC, tag, false, binary(bytes));
}

export function objectIdentifier(dotted: string): Der {
  return asn1.create(UNIVERSAL, asn1.Type.OID, false, asn1.oidToDer(dotted).getBytes());
}

/** A whole number by its bytes, the first of which has its highest bit clear: it is not negative. */
export function integer(bytes: Uint8Array): Der {
  return asn1.create(UNIVERSAL, asn1.Type.INTEGER, false, binary(bytes));
}

export function truth(): Der {
  return asn1.create(UNIVERSAL, asn1.Type.BOOLEAN, false, '\u00ff');
}

export function nothing(): Der {
  return asn1.create(UNIVERSAL, asn1.Type.NULL, false, '');
}

export function utf8Text(text: string): Der {
  return asn1.create(UNIVERSAL, asn1.Type.UTF8, false, binary(Buffer.from(text)));
}

export function octetString(bytes: Uint8Array): Der {
  return asn1.create(UNIVERSAL, asn1.Type.OCTETSTRING, false, binary(bytes));
}

/** Bits of which the last `unused` do not count. */
export function bitString(bytes: Uint8Array, unused = 0): Der {
  return asn1.create(UNIVERSAL, asn1.Type.BITSTRING, false, String.fromCharCode(unused) + binary(bytes));
}

const YEAR_2050 = Date.UTC(2050, 0, 1);

/** RFC 5280 §4.1.2.5: two digits of the year until 2049, four from then on. Whole seconds. */
export function time(millis: number): Der {
  const text = `${new Date(millis).toISOString().slice(0, 19).replace(/[-:T]/g, '')}Z`;
  return millis < YEAR_2050
    ? asn1.create(UNIVERSAL, asn1.Type.UTCTIME, false, text.slice(2))
    : asn1.create(UNIVERSAL, asn1.Type.GENERALIZEDTIME, false, text);
}

/** What a SEQUENCE, SET or explicit tag holds; nothing for other values. */
export function itemsOf(value: Der | undefined): readonly Der[] {
  return value !== undefined && Array.isArray(value.value) ? value.value : [];
}

/** The bytes of a primitive value. */
export function bytesOf(value: Der | undefined): Buffer {
  return Buffer.from(typeof value?.value === 'string' ? value.value : '', 'latin1');
}

type Universal = 'SEQUENCE' | 'OID' | 'BITSTRING' | 'NULL';

export function isUniversal(value: Der | undefined, type: Universal): boolean {
  return value?.tagClass === UNIVERSAL && Number(value.type) === Number(asn1.Type[type]);
}

export function isTagged(value: Der, tag: number): boolean {
  return value.tagClass === CONTEXT_SPECIFIC && Number(value.type) === tag;
}

function binary(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('latin1');
}
