import type { IssueLevel } from '../../apis/issue.ts';
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

/** By object, path and code, each once: what many workloads have in common is said once. */
export function sortDiagnostics(diagnostics: Iterable<Diagnostic>): readonly Diagnostic[] {
  const byText = new Map<string, Diagnostic>();
  for (const diagnostic of diagnostics) byText.set(sortText(diagnostic), diagnostic);
  return [...byText].sort(([a], [b]) => compareText(a, b)).map(([, diagnostic]) => diagnostic);
}

function sortText({ object, path, code, message }: Diagnostic): string {
  return JSON.stringify([object === undefined ? '' : renderRef(object), path, code, message]);
}
