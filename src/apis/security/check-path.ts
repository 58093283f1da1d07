import type { Field } from '../finding.ts';
import { quote } from '../schema/words.ts';
import { checkPattern } from './check-values.ts';

/** A path: whole, `prefix*`, `*suffix`, or a template with `{*}` and `{**}` as segments. */
export function checkPath(at: Field, path: string): void {
  if (isTemplate(path) || /[{}]/.test(path)) {
    const problem = templateMistake(path);
    if (problem === undefined) return;
    at.error('XEB0325', { problem, got: path, allowed: '{*} and, at last, {**} as whole segments' });
    return;
  }
  checkPattern(at, path);
  if (/^[/*]/.test(path)) return;
  at.warn('XEB0326', {
    problem: 'does not begin with /, as all paths do',
    got: path,
    fix: `write ${quote(`/${path}`)}`,
  });
}

function isTemplate(path: string): boolean {
  return path.includes('{*}') || path.includes('{**}');
}

/** What a segment of a path may hold by RFC 3986, appendix A. */
const literal = /^[-\w.~%!$&'()+,;:@=]+$/;

function templateMistake(path: string): string | undefined {
  let ended = false;
  for (const segment of path.replace(/^\/+|\/+$/g, '').split('/')) {
    const variable = segment === '{*}' || segment === '{**}';
    if (variable && ended) return `has ${segment} behind {**}`;
    if (segment === '{**}') ended = true;
    if (variable) continue;
    if (/[{}]/.test(segment)) return `has a segment ${quote(segment)}, which is no template`;
    if (isTemplate(path) && !literal.test(segment)) return `has a segment ${quote(segment)} beside templates`;
  }
  return undefined;
}
