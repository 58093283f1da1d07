import { matchesPattern, type Pattern, parsePattern } from '../translate/access/pattern.ts';

const CLUSTER_LOCAL = 'cluster.local';

/**
 * `domain/ns/namespace/sa/account`, or its beginning and a star, as a pattern. One of the mesh's trust domains stands for all of them,
 * and `cluster.local` for the mesh's own, whatever it is called.
 */
export function parsePrincipal(text: string, trustDomains: readonly string[]): readonly Pattern[] {
  const value = text.replace(/^spiffe:\/\//, '');
  const [domain = '', ...rest] = value.split('/');
  if (rest.length === 0) return [parsePattern(value)];
  const isOfMesh = domain === CLUSTER_LOCAL || trustDomains.some((known) => matchesDomain(domain, known));
  if (!isOfMesh) return [parsePattern(value)];
  const path = rest.join('/');
  const others = trustDomains.filter((known) => !matchesDomain(domain, known)).map((known) => `${known}/${path}`);
  const own = domain === CLUSTER_LOCAL && !trustDomains.includes(CLUSTER_LOCAL) ? [] : [value];
  return [...own, ...others].map(parsePattern);
}

/** `*` before the rest of a domain's name; elsewhere a star is none. */
function matchesDomain(pattern: string, domain: string): boolean {
  return pattern.startsWith('*') ? matchesPattern(parsePattern(pattern), domain) : pattern === domain;
}
