import { escapeRegex, type Pattern } from './pattern.ts';
import type { Stance } from './stance.ts';

/**
 * Hosts are compared without regard to case, to a trailing dot and, where the policy names none, to the port. A list, a user before
 * an @ or a port that is no number are in no host of good faith: whoever refuses looks through them.
 */
export function hostRegex(pattern: Exclude<Pattern, { readonly kind: 'present' }>, stance: Stance): string {
  const host = escapeRegex(asciiHost(pattern.text));
  const isWide = stance === 'wide';
  const before = isWide ? '(?:.*[,@])?' : '';
  const more = isWide ? '(?:,.*)?' : '';
  const tail = hasPort(pattern.text)
    ? more
    : `${isWide ? String.raw`\.?(?::.*)?` : String.raw`\.?(?::[0-9]+)?`}${more}`;
  switch (pattern.kind) {
    case 'exact':
      return `(?is)${before}${host}${tail}`;
    case 'prefix':
      return isWide ? `(?is)${before}${host}.*` : `(?is)${host}[^,@]*`;
    case 'suffix':
      return isWide ? `(?is).*${host}${tail}` : `(?is)[^,@]*${host}${tail}`;
  }
}

function hasPort(text: string): boolean {
  return /:\d*$/.test(text) && !text.endsWith(']');
}

/** Names with other letters travel as punycode. */
function asciiHost(host: string): string {
  // eslint-disable-next-line no-control-regex -- all of ASCII is meant
  if (/^[\u0000-\u007F]*$/.test(host)) return host;
  return URL.canParse(`http://${host}`) ? new URL(`http://${host}`).host : host;
}
