import type { Brand } from '../kit/brand.ts';
import { err, ok, type Result } from '../kit/result.ts';
import { isWildcardDnsName } from './names.ts';

/** A lower-case host name as hosts of routes and services are compared: exact, `*.example.com` or `*`. */
export type Hostname = Brand<string, 'Hostname'>;

/** The only way to a `Hostname`: wildcards are allowed in the first label, a trailing dot is dropped. */
export function parseHostname(text: string): Result<Hostname, string> {
  if (!isWildcardDnsName(text)) return err(`${JSON.stringify(text)} is not a host name`);
  const complete = text.endsWith('.') ? text.slice(0, -1) : text;
  return ok(complete.toLowerCase() as Hostname);
}

export function isWildcard(host: string): boolean {
  return host.startsWith('*');
}

/** `*example.com`: a wildcard that is neither `*` alone nor a whole label. */
export function isPartialWildcard(host: string): boolean {
  return host.includes('*') && host.length > 1 && !host.startsWith('*.');
}

/** Whether some name is covered by both; symmetric. `*.foo.com` does not cover `foo.com`. */
export function hostMatches(a: string, b: string): boolean {
  if (isWildcard(a)) {
    if (!isWildcard(b)) return b.endsWith(a.slice(1));
    return a.length < b.length ? b.endsWith(a.slice(1)) : a.endsWith(b.slice(1));
  }
  return isWildcard(b) ? a.endsWith(b.slice(1)) : a === b;
}

/** Whether every name covered by `host` is covered by `wider`. An exact host covers no wildcard. */
export function hostSubsetOf(host: string, wider: string): boolean {
  if (!isWildcard(wider)) return host === wider;
  const suffix = wider.slice(1);
  return (isWildcard(host) ? host.slice(1) : host).endsWith(suffix);
}

/** Most specific first: exact before wildcard, longer before shorter, then alphabetical. */
export function compareSpecificity(a: string, b: string): number {
  if (isWildcard(a) !== isWildcard(b)) return isWildcard(a) ? 1 : -1;
  if (a.length !== b.length) return b.length - a.length;
  if (a === b) return 0;
  return a < b ? -1 : 1;
}

/** `reviews` in namespace `shop` becomes `reviews.shop.svc.<domain>`; names with a dot, and `*`, stay. */
export function completeHost(host: string, namespace: string, domain: string): string {
  return host === '*' || host.includes('.') ? host : `${host}.${namespace}.svc.${domain}`;
}
