import { renderPath } from '../apis/issue.ts';
import type { Diagnostic } from './diagnostic.ts';
import { renderRef } from './object.ts';

/** For people, on one line: `file:line:column: error XEB0001 VirtualService default/reviews spec.http[0]: what and what to do`. */
export function renderDiagnostic(
  { at, level, code, object, path, message }: Diagnostic,
  renderLevel: (level: Diagnostic['level']) => string = (text) => text,
): string {
  const place = at === undefined ? '' : `${at.file}:${at.line}:${at.column}: `;
  const owner = object === undefined ? '' : ` ${renderRef(object)}`;
  const field = path.length === 0 ? '' : ` ${renderPath(path)}`;
  return `${place}${renderLevel(level)} ${code}${owner}${field}: ${message}`;
}

/** For programs: the same fields wherever a command lists diagnostics. */
export function describeDiagnostic({ code, level, path, message, object, at }: Diagnostic): Record<string, unknown> {
  return {
    code,
    level,
    ...(object === undefined ? {} : { object }),
    ...(path.length === 0 ? {} : { path: renderPath(path) }),
    message,
    ...(at === undefined ? {} : { position: at }),
  };
}
