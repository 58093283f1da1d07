import { bytesOf, type Der, isUniversal, objectIdentifier } from './der.ts';

/** What an object identifier is compared by: two spellings of one are two, and DER allows but one. */
export function oid(dotted: string): string {
  return identifierOf(objectIdentifier(dotted));
}

/** Empty for what is no identifier. */
export function identifierOf(value: Der | undefined): string {
  return isUniversal(value, 'OID') ? bytesOf(value).toString('hex') : '';
}
