import { type Issue, renderPath } from '../../apis/issue.ts';

/** So many problems of one object a person reads; the API server's answer has to stay small too. */
const mostProblems = 50;
const longestProblem = 600;
const mostWarnings = 5;
/** kubectl shows a warning on one line; the API server cuts one of more than 256. */
const longestWarning = 120;

/**
 * `VirtualService shop/reviews has 2 problems:`, and below it one line each, the path first. `owner` is how the object is
 * called.
 */
export function refusalText(owner: string, errors: readonly Issue[]): string {
  const lines = errors.slice(0, mostProblems).map((issue) => `\n  ${cut(renderIssue(issue), longestProblem)}`);
  const rest = errors.length - lines.length;
  const more = rest === 0 ? '' : `\n  …and ${rest} more`;
  return `${owner} has ${errors.length} problem${errors.length === 1 ? '' : 's'}:${lines.join('')}${more}`;
}

/** What kubectl shows of a questionable object: `reviews.spec.http[1]: is never reached … (IST0130)`. */
export function warningTexts(name: string, issues: readonly Issue[]): readonly string[] {
  const texts = issues.slice(0, mostWarnings).map((issue) => warningText(name, issue));
  const rest = issues.length - texts.length;
  return rest === 0 ? texts : [...texts, `…and ${rest} more, run xebec validate`];
}

function warningText(name: string, { path, message, code }: Issue): string {
  const place = path.length === 0 ? name : `${name}.${renderPath(path)}`;
  const suffix = ` (${code})`;
  return printable(`${cut(`${place}: ${message}`, longestWarning - suffix.length)}${suffix}`);
}

function renderIssue({ path, message, code }: Issue): string {
  const place = path.length === 0 ? '' : `${renderPath(path)}: `;
  return printable(`${place}${message} (${code})`);
}

function cut(text: string, length: number): string {
  return text.length <= length ? text : `${text.slice(0, length - 1).replace(/[\ud800-\udbff]$/, '')}…`;
}

/** A warning travels in a header, a message to a terminal: what is no letter there stays away. */
export function printable(text: string): string {
  // eslint-disable-next-line no-control-regex -- control characters are what is taken out
  return text.toWellFormed().replace(/[\u0000-\u001f\u007f-\u009f\u2028\u2029]/g, ' ');
}
