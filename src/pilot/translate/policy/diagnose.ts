import type { IssueLevel } from '../../../apis/issue.ts';
import type { Diagnostic } from '../../../model/diagnostic.ts';
import type { ObjectRef } from '../../../model/object.ts';
import type { TranslateCode } from './codes.ts';

/** The place of an object that a diagnostic is about: `spec.http[2].route[0]`. */
export type Place = { readonly object: ObjectRef; readonly path: string };

export function diagnose(level: IssueLevel, code: TranslateCode, place: Place, message: string): Diagnostic {
  return { code, level, path: stepsOf(place.path), message, object: place.object, at: undefined };
}

/** `spec.http[2].name` as the steps of a path. */
export function stepsOf(path: string): (string | number)[] {
  const steps = path.match(/[^.[\]]+/g) ?? [];
  return steps.map((step) => (/^\d+$/.test(step) ? Number(step) : step));
}
