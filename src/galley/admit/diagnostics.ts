import { renderPath } from '../../apis/issue.ts';
import { compareText } from '../../kit/order.ts';
import type { Diagnostic } from '../../model/diagnostic.ts';

/** By file and line, then by object, path and code; each once. */
export function sortDiagnostics(diagnostics: readonly Diagnostic[]): readonly Diagnostic[] {
  const keyed = diagnostics.map((diagnostic) => ({ diagnostic, key: sortKey(diagnostic) }));
  keyed.sort((a, b) => compareText(a.key, b.key));
  return keyed.filter(({ key }, index) => key !== keyed[index - 1]?.key).map(({ diagnostic }) => diagnostic);
}

function sortKey({ at, object, path, code, message }: Diagnostic): string {
  const place = at === undefined ? ['', '', ''] : [at.file, digits(at.line), digits(at.column)];
  const owner = object === undefined ? ['', '', ''] : [object.kind, object.namespace, object.name];
  return [...place, ...owner, renderPath(path), code, message].join('\0');
}

function digits(number: number): string {
  return String(number).padStart(9, '0');
}
