import type { PathMatch } from '../../../apis/security/security.ts';
import { escapeRegex } from '../access/pattern.ts';

/**
 * Paths as expressions over the path alone, as Envoy matches it: without query and fragment. Servers differ in what they make of
 * `/admin;x`, which for some is `/admin`. So what needs a token needs it with such parameters too.
 */
export function includedPaths(paths: readonly PathMatch[]): string {
  return union(paths.map(includedPath));
}

const PARAMETERS = '(?:;[^/]*)?';

function includedPath(path: PathMatch): string {
  if (path.exact !== undefined) return `${withParameters(path.exact)}${PARAMETERS}`;
  if (path.prefix !== undefined) return `${withParameters(path.prefix)}.*`;
  if (path.suffix !== undefined) return `.*${withParameters(path.suffix)}${PARAMETERS}`;
  return path.regex === undefined ? '.*' : `(?:${path.regex})(?:;.*)?`;
}

function withParameters(text: string): string {
  const joined = text.split('/').map(escapeRegex).join(`${PARAMETERS}/`);
  return text.startsWith('/') ? joined.slice(PARAMETERS.length) : joined;
}

/**
 * Paths that need none. `anything` is what a prefix or suffix leaves open. Parameters must not buy a way past: whoever does not see to
 * that otherwise says `[^;]*`.
 */
export function excludedPaths(paths: readonly PathMatch[], anything: '.*' | '[^;]*' = '.*'): string {
  return union(paths.map((path) => excludedPath(path, anything)));
}

function excludedPath(path: PathMatch, anything: string): string {
  if (path.exact !== undefined) return escapeRegex(path.exact);
  if (path.prefix !== undefined) return `${escapeRegex(path.prefix)}${anything}`;
  if (path.suffix !== undefined) return `${anything}${escapeRegex(path.suffix)}`;
  // A match of nothing in particular is no permission.
  return path.regex === undefined ? NOTHING : `(?:${path.regex})`;
}

/** For the header `:path`, which has the query too. Not for expressions of users, which might run into it. */
export function asWholePath(expression: string): string {
  const inPath = expression.replaceAll('.*', '[^?#]*').replace(/\[\^([;/]+)\]\*/g, '[^$1?#]*');
  return `(?:${inPath})(?:[?#].*)?`;
}

/** Matches no text at all. */
const NOTHING = String.raw`[^\x00-\x{10FFFF}]`;

/** A path, query aside, with parameters. */
export const WITH_PARAMETERS = '[^?#;]*;.*';

function union(expressions: readonly string[]): string {
  return [...new Set(expressions)].join('|');
}
