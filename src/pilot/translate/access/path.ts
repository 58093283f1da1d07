import { escapeRegex, type Pattern } from './pattern.ts';
import type { PathTemplate } from './plan.ts';

// Envoy's normalisation (BASE) takes dot segments away and decodes what needs no code. Behind it servers still differ: many take
// //, %2F, \ and %5C for one slash, ignore case, a slash at the end, and what follows a semicolon. What refuses must refuse all that.

const slash = String.raw`(?:/|\\|%2f|%5c)`;
const parameters = '(?:(?:;|%3b)[^/]*)?';
/** Between two segments, also with segments between that are a dot or nothing. */
const between = String.raw`${parameters}${slash}(?:\.?${parameters}${slash})*`;
const atEnd = String.raw`${parameters}(?:${slash}\.?${parameters})*`;

/** A path that leads up where slashes are decoded, or parameters dropped: what it means depends on who reads it. */
export const AMBIGUOUS = String.raw`(?is).*${slash}(?:\.|%2e){2}(?:(?:;|%3b|${slash}).*)?`;

/** `*.png` must not let in `/admin;.png`. */
export const PARAMETER_AT_END = '(?is).*(?:;|%3b)[^/]*';

/** One segment of a template must be neither two for the server, nor none. */
export const SEGMENT_IN_DOUBT = String.raw`(?is).*(?:\\|%2f|%5c|/\.?(?:;|%3b)).*`;

/** Every way to write a path that some server takes for one of the pattern. Undefined where only the text itself is meant. */
export function widePathRegex({ kind, text }: Exclude<Pattern, { readonly kind: 'present' }>): string | undefined {
  if (text.includes(';')) return undefined;
  const segments = text.split(/\/|\\|%2f|%5c/i);
  const named = segments.filter((segment) => segment !== '');
  switch (kind) {
    case 'exact':
      if (!text.startsWith('/')) return undefined;
      return `(?is)${named.length === 0 ? slash : named.map((segment) => between + literal(segment)).join('')}${atEnd}`;
    case 'prefix':
      return text.startsWith('/') ? `(?is)${joined(segments)}.*` : undefined;
    case 'suffix':
      return named.length === 0 ? undefined : `(?is).*${joined(withoutEnd(segments))}${atEnd}`;
  }
}

function withoutEnd(segments: readonly string[]): readonly string[] {
  return segments.at(-1) === '' ? segments.slice(0, -1) : segments;
}

export function wideTemplateRegex({ text }: PathTemplate): string {
  const parts = text
    .split('/')
    .filter((part) => part !== '')
    .map((part) => {
      if (part === '{*}') return `${between}[^/]+`;
      return part === '{**}' ? `${between}.*` : `${between}${literal(part)}`;
    });
  return `(?is)${parts.join('')}${text.endsWith('{**}') ? '' : atEnd}`;
}

/** What Envoy's own matcher calls it. */
export function envoyTemplate({ text }: PathTemplate): string {
  return text.replaceAll('{**}', '**').replaceAll('{*}', '*');
}

/** The first and the last may be half a segment; empty ones between are one slash more. */
function joined(segments: readonly string[]): string {
  return segments
    .filter((segment, index) => segment !== '' || index === 0 || index === segments.length - 1)
    .map(literal)
    .join(between);
}

/** The text, with each letter that may be encoded also so. */
function literal(text: string): string {
  const decoded = safelyDecoded(text);
  return [...decoded]
    .map((character) => (/^[A-Za-z0-9._~-]$/.test(character) ? escapeRegex(character) : either(character)))
    .join('');
}

function either(character: string): string {
  return `(?:${escapeRegex(character)}|${encoded(character)})`;
}

/** encodeURIComponent leaves some marks as they are. */
function encoded(character: string): string {
  const code = encodeURIComponent(character.isWellFormed() ? character : '?');
  if (code.startsWith('%')) return code;
  return `%${character.charCodeAt(0).toString(16).padStart(2, '0')}`;
}

function safelyDecoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}
