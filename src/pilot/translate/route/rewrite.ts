import type { HttpRewrite, StringMatch } from '../../../apis/networking/networking.ts';
import type { RegexMatchAndSubstitute, RouteAction } from '../../../gen/types.ts';
import { escapeRegex } from '../access/pattern.ts';
import { regexMatcher } from '../protobuf.ts';

type PathRewrite = Pick<RouteAction, 'prefixRewrite' | 'regexRewrite'>;

/** How the path changes. A matched prefix is replaced; so is a path that was matched as a whole. */
export function buildPathRewrite(
  rewrite: HttpRewrite | undefined,
  uri: StringMatch | undefined,
  ignoreCase: boolean,
): PathRewrite {
  if (rewrite?.uriRegexRewrite !== undefined) {
    const { match = '', rewrite: substitution = '' } = rewrite.uriRegexRewrite;
    return { regexRewrite: { pattern: regexMatcher(match), substitution } };
  }
  const path = rewrite?.uri ?? '';
  if (path === '') return {};
  const prefix = uri?.prefix ?? '/';
  return prefix.endsWith('/') || !path.endsWith('/')
    ? { prefixRewrite: path }
    : { regexRewrite: replacePrefix(prefix, path, ignoreCase) };
}

/** `/api` to `/` would make `/api/x` into `//x`: the slash after the prefix goes with it. */
function replacePrefix(prefix: string, path: string, ignoreCase: boolean): RegexMatchAndSubstitute {
  const pattern = `^${ignoreCase ? '(?i)' : ''}${escapeRegex(prefix)}/?(.*)`;
  return { pattern: regexMatcher(pattern), substitution: `${path.replaceAll('\\', '\\\\')}\\1` };
}
