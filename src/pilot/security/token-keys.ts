import { memoByIdentity } from '../../kit/memo.ts';
import type { KeyBook, KnownKeys } from '../../model/mesh-security.ts';
import { parsePublicKeys } from '../keys/public-keys.ts';
import { type KeySource, keyAddressOf } from '../translate/jwt/key-address.ts';

const notFetched: KnownKeys = { kind: 'unknown', reason: 'they were not fetched yet' };

const nowhere: KnownKeys = {
  kind: 'unknown',
  reason: 'the issuer is no URL at which they could be found; give jwksUri or jwks',
};

/** The keys of a rule: the same object while they do not change. */
export function keysOf(source: KeySource, book: KeyBook): KnownKeys {
  if (source.jwks) return inlineKeys(source);
  const address = keyAddressOf(source);
  return address === undefined ? nowhere : (book.get(address) ?? notFetched);
}

const inlineKeys = memoByIdentity(({ jwks = '' }: KeySource): KnownKeys => {
  const keys = parsePublicKeys(jwks, { secretKeys: true });
  return keys.ok ? { kind: 'known', jwks: keys.value } : { kind: 'unknown', reason: keys.error };
});
