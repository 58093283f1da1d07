import type { Issue } from '../apis/issue.ts';
import type { ObjectRef } from './object.ts';

/** A place in a file; line and column start at 1. */
export type FilePosition = { readonly file: string; readonly line: number; readonly column: number };

/** An issue that knows its object (absent for a file that cannot be read) and, from a file, its place. */
export type Diagnostic = Issue & {
  readonly object: ObjectRef | undefined;
  readonly at: FilePosition | undefined;
};
