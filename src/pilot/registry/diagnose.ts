import type { IssueLevel } from '../../apis/issue.ts';
import { keepIfSame } from '../../kit/memo.ts';
import { compareText } from '../../kit/order.ts';
import type { Diagnostic } from '../../model/diagnostic.ts';
import { type ObjectRef, renderRef } from '../../model/object.ts';
import type { MeshCode } from './codes.ts';

export type Complaint = {
  readonly level: IssueLevel;
  readonly code: MeshCode;
  readonly object: ObjectRef;
  readonly path: readonly (string | number)[];
  readonly message: string;
};

/** The source knows the place in a file; here only the object is known. */
export function diagnose(complaint: Complaint): Diagnostic {
  return { ...complaint, at: undefined };
}

/**
 * By object, path and code, each once: what many workloads have in common is said once. Those that were there before stay the
 * same objects, and so does the list when nothing is different.
 */
export function collectDiagnostics(before: readonly Diagnostic[], now: Iterable<Diagnostic>): readonly Diagnostic[] {
  const known = new Map(before.map((diagnostic) => [sortText(diagnostic), diagnostic]));
  const byText = new Map<string, Diagnostic>();
  for (const diagnostic of now) {
    const text = sortText(diagnostic);
    byText.set(text, known.get(text) ?? diagnostic);
  }
  const sorted = [...byText].sort(([a], [b]) => compareText(a, b)).map(([, diagnostic]) => diagnostic);
  return keepIfSame(before, sorted);
}

function sortText({ object, path, code, level, message }: Diagnostic): string {
  return JSON.stringify([object === undefined ? '' : renderRef(object), path, code, level, message]);
}
