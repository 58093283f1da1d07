import { matchesPattern, type Pattern } from '../translate/access/pattern.ts';

type Claims = Readonly<Record<string, unknown>> | undefined;

/** `issuer/subject`; a token without either is nobody's. */
export function principalOfToken(claims: Claims): string | undefined {
  const { iss, sub } = claims ?? {};
  if (typeof iss !== 'string' || typeof sub !== 'string' || iss === '' || sub === '') return undefined;
  return `${iss}/${sub}`;
}

export function tokenHas(claims: Claims, path: readonly string[]): boolean {
  const value = claimAt(claims, path);
  return value !== undefined && value !== null;
}

/** A claim is a text, a list of texts, a truth or a number; the policy writes all of them as text. */
export function claimMatches(pattern: Pattern, claims: Claims, path: readonly string[]): boolean {
  const value = claimAt(claims, path);
  if (pattern.kind === 'present') return value !== undefined && value !== null;
  if (Array.isArray(value)) return value.some((item) => typeof item === 'string' && matchesPattern(pattern, item));
  if (typeof value === 'string') return matchesPattern(pattern, value);
  return (
    (typeof value === 'boolean' || typeof value === 'number') &&
    pattern.kind === 'exact' &&
    String(value) === pattern.text
  );
}

function claimAt(claims: Claims, path: readonly string[]): unknown {
  return path.reduce<unknown>((at, key) => {
    const isRecord = typeof at === 'object' && at !== null && !Array.isArray(at);
    return isRecord && Object.hasOwn(at, key) ? Reflect.get(at, key) : undefined;
  }, claims);
}
