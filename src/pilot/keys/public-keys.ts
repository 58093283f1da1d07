import { createPublicKey, type JsonWebKey } from 'node:crypto';
import { compareText } from '../../kit/order.ts';
import { err, ok, type Result } from '../../kit/result.ts';

/** Of each type of key, what is public in it: RFC 7518, section 6, and RFC 8037, section 2. */
const publicMembers: ReadonlyMap<unknown, readonly string[]> = new Map([
  ['RSA', ['n', 'e']],
  ['EC', ['crv', 'x', 'y']],
  ['OKP', ['crv', 'x']],
]);

/**
 * The curves that Envoy knows (a set in which it can use no key at all would cost the whole listener), and the one algorithm of each: RFC
 * 7518, section 3.4, and RFC 8037, section 3.1. Where it is not said, Envoy tries a key with whatever the token asks for, and a key of
 * Ed25519 that does not fit ends the search.
 */
const algorithmOfCurve: ReadonlyMap<unknown, string> = new Map([
  ['P-256', 'ES256'],
  ['P-384', 'ES384'],
  ['P-521', 'ES512'],
  ['Ed25519', 'EdDSA'],
]);

const rsaAlgorithm = /^(?:RS|PS)(?:256|384|512)$/;

/** RFC 7518, section 3.3. */
const LEAST_RSA_BITS = 2048;
const MOST_RSA_BITS = 16_384;

const MOST_KEYS = 200;

type Members = Readonly<Record<string, unknown>>;

export type KeyRules = {
  /** Whether keys that sign as well as they verify are taken: only from somebody who wrote them there on purpose. */
  readonly secretKeys: boolean;
};

/**
 * The keys of a JSON Web Key Set that verify tokens, with nothing in them that is secret. What cannot be used is left out; an error
 * says why nothing is left. What a key may verify follows from its type: no token is checked with a public key as if that were a secret.
 */
export function parsePublicKeys(text: string, { secretKeys }: KeyRules): Result<string, string> {
  const keys = listOfKeys(text);
  if (keys === undefined) return err('what is there is no JSON Web Key Set');
  if (keys.length > MOST_KEYS) return err(`there are ${keys.length} keys, and at most ${MOST_KEYS} are taken`);
  const looked = keys.map((key) => publicKey(key, secretKeys));
  const usable = looked.flatMap((key) => (key.ok ? [key.value] : []));
  if (usable.length > 0) return ok(renderKeys(usable));
  const reasons = [...new Set(looked.flatMap((key) => (key.ok ? [] : [key.error])))];
  return err(keys.length === 0 ? 'there are no keys' : `none of the keys can be used: ${reasons.join('; ')}`);
}

/** Some issuers give their keys in another order each time, which is no change. */
function renderKeys(keys: readonly Members[]): string {
  const texts = new Set(keys.map((key) => JSON.stringify(key)));
  return `{"keys":[${[...texts].sort(compareText).join(',')}]}`;
}

function listOfKeys(text: string): readonly Members[] | undefined {
  const set = parseJson(text);
  if (!isRecord(set)) return undefined;
  const { keys } = set;
  return Array.isArray(keys) ? keys.filter(isRecord) : undefined;
}

function publicKey(key: Members, secretKeys: boolean): Result<Members, string> {
  if (key['kty'] === 'oct') return secretKeys ? secretKey(key) : err('a symmetric key is a secret, and was published');
  const names = publicMembers.get(key['kty']);
  if (names === undefined) return err('the type of key is unknown');
  if (key['use'] !== undefined && key['use'] !== 'sig') return err('the key is not for signatures');
  const kept = pick(key, [...named, ...names]);
  if (!isUsable(kept)) return err('the key is broken, or too weak');
  if (key['kty'] === 'RSA') {
    const isForTokens = typeof kept['alg'] !== 'string' || rsaAlgorithm.test(kept['alg']);
    return isForTokens ? ok(kept) : err('the algorithm is not one of the type of key');
  }
  const alg = algorithmOfCurve.get(key['crv']);
  return alg === undefined ? err('the curve is unknown') : ok({ ...kept, alg });
}

const named = ['kty', 'kid', 'alg', 'use'];

function secretKey(key: Members): Result<Members, string> {
  const isWhole = typeof key['k'] === 'string' && /^[-_A-Za-z0-9]+$/.test(key['k']);
  return isWhole ? ok(pick(key, [...named, 'k'])) : err('the key is broken');
}

function pick(key: Members, names: readonly string[]): Members {
  return Object.fromEntries(names.flatMap((name) => (typeof key[name] === 'string' ? [[name, key[name]]] : [])));
}

function isUsable(key: JsonWebKey): boolean {
  try {
    const { asymmetricKeyType, asymmetricKeyDetails } = createPublicKey({ key, format: 'jwk' });
    const { modulusLength = 0 } = asymmetricKeyDetails ?? {};
    return asymmetricKeyType !== 'rsa' || (modulusLength >= LEAST_RSA_BITS && modulusLength <= MOST_RSA_BITS);
  } catch {
    // Node says so of a point that is on no curve, and of whatever else is no key.
    return false;
  }
}

export function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

export function isRecord(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
