import { bytesOf, type Der, objectIdentifier } from './der.ts';

/** What an object identifier is compared by: two spellings of one are two, and DER allows but one. */
export function oid(dotted: string): string {
  return identifierOf(objectIdentifier(dotted));
}

export function identifierOf(value: Der | undefined): string {
  return bytesOf(value).toString('hex');
}
