import ipaddr from 'ipaddr.js';
import { type Der, objectIdentifier, sequence, set, taggedBytes, utf8Text } from './der.ts';

/** Who a certificate is about. With neither part, its alternative names say it alone. */
export type Subject = { readonly organization?: string | undefined; readonly commonName?: string | undefined };

/** A name that is checked when somebody connects; `uri` for SPIFFE. */
export type AlternativeName = { readonly kind: 'dns' | 'ip' | 'uri'; readonly value: string };

const ORGANIZATION = objectIdentifier('2.5.4.10');
const COMMON_NAME = objectIdentifier('2.5.4.3');

export function distinguishedName({ organization, commonName }: Subject): Der {
  const parts = [
    ...(organization === undefined ? [] : [set(sequence(ORGANIZATION, utf8Text(organization)))]),
    ...(commonName === undefined ? [] : [set(sequence(COMMON_NAME, utf8Text(commonName)))]),
  ];
  return sequence(...parts);
}

export function isEmptySubject({ organization, commonName }: Subject): boolean {
  return organization === undefined && commonName === undefined;
}

/** RFC 5280 §4.2.1.6. */
export function generalNames(names: readonly AlternativeName[]): Der {
  return sequence(...names.map(generalName));
}

function generalName({ kind, value }: AlternativeName): Der {
  switch (kind) {
    case 'dns':
      return taggedBytes(2, Buffer.from(value));
    case 'uri':
      return taggedBytes(6, Buffer.from(value));
    case 'ip':
      return taggedBytes(7, Uint8Array.from(ipaddr.parse(value).toByteArray()));
  }
}
