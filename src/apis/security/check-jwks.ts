import type { Field } from '../finding.ts';
import type { IssueLevel } from '../issue.ts';
import { enumerate } from '../schema/words.ts';

/** Where keys are fetched: an http or https URL. */
export function checkJwksUri(at: Field, uri: string | undefined): void {
  if (!uri) return;
  const found = /^https?:\/\/(?:[^/?#@]*@)?(\[[^\]\s]*\]|[^:[\]/?#\s]*)(?::(\d*))?(?:[/?#]|$)/i.exec(uri);
  if (found === null) {
    const finding = {
      problem: 'is not an address of keys',
      got: uri,
      allowed: 'http://host/path or https://host/path',
    };
    at.error('XEB0332', finding);
    return;
  }
  const [, host = '', port = ''] = found;
  if (host !== '' && (port === '' || (Number(port) >= 1 && Number(port) <= 65_535))) return;
  at.warn('XEB0332', { problem: 'leads to no host or port, so every token is refused', got: uri });
}

/** Keys that are neither given nor have an address are looked for at the issuer. */
export function warnIssuerWithoutKeys(at: Field, issuer: string): void {
  if (issuer === '' || /^https?:\/\/./i.test(issuer)) return;
  const problem = 'is no URL at which keys could be found';
  at.warn('XEB0332', { problem, got: issuer, fix: 'give jwksUri or jwks' });
}

/** What each type of key consists of: RFC 7518, section 6, and RFC 8037, section 2. */
const membersByType: ReadonlyMap<string, readonly string[]> = new Map([
  ['RSA', ['n', 'e']],
  ['EC', ['crv', 'x', 'y']],
  ['OKP', ['crv', 'x']],
  ['oct', ['k']],
]);

type Key = Readonly<Record<string, unknown>>;

/** The keys themselves, as text. They are never repeated in a message: they may be secret. */
export function checkJwks(at: Field, jwks: string | undefined, level: IssueLevel): void {
  if (!jwks) return;
  const keys = keysOf(jwks);
  if (keys === undefined) {
    const allowed = '{"keys": [{"kty": …}, …]}';
    at.report(level, 'XEB0333', { problem: 'is not a JSON Web Key Set', allowed, fix: 'paste it as JSON, in quotes' });
    return;
  }
  if (keys.length === 0) at.warn('XEB0333', { problem: 'has no keys, so every token is refused', fix: 'add a key' });
  for (const [index, key] of keys.entries()) checkKey(at, key, { name: `keys[${index}]`, level });
}

function checkKey(at: Field, key: Key, { name, level }: { readonly name: string; readonly level: IssueLevel }): void {
  const { kty } = key;
  const members = typeof kty === 'string' ? membersByType.get(kty) : undefined;
  if (members === undefined) {
    const finding = {
      problem: `has no known type in ${name}.kty`,
      got: kty,
      allowed: [...membersByType.keys()].join(', '),
    };
    at.report(level, 'XEB0333', finding);
    return;
  }
  const missing = members.filter((member) => typeof key[member] !== 'string' || key[member] === '');
  if (missing.length > 0) {
    const problem = `lacks ${enumerate(missing)} in ${name}`;
    at.report(level, 'XEB0333', { problem, fix: 'paste the whole key' });
  }
  if (typeof key['d'] === 'string' || kty === 'oct') {
    const fix = 'use public keys only, and replace this one';
    at.warn('XEB0333', { problem: `has a secret in ${name}, which everybody reads who reads the object`, fix });
  }
}

/** The keys of a set, or the one key that stands alone; nothing where the text is neither. */
function keysOf(jwks: string): readonly Key[] | undefined {
  const parsed = parseJson(jwks);
  if (!isObject(parsed)) return undefined;
  const { keys, kty } = parsed;
  if (keys === undefined) return kty === undefined ? undefined : [parsed];
  return Array.isArray(keys) && keys.every(isObject) ? keys : undefined;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function isObject(value: unknown): value is Key {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
