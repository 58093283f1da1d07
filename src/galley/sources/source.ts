import type { Diagnostic, FilePosition } from '../../model/diagnostic.ts';
import type { ObjectKey } from '../../model/ids.ts';
import type { ObjectMeta } from '../../model/object.ts';

/** Finds the place of a spec path in the text an object came from. Called only for objects that have a diagnostic. */
export type Locate = (path: readonly (string | number)[]) => FilePosition | undefined;

/** One object as a source read it, before admission. `body` is the whole document. */
export type SourceObject = {
  readonly key: ObjectKey;
  readonly apiVersion: string;
  readonly kind: string;
  readonly meta: ObjectMeta;
  readonly body: Readonly<Record<string, unknown>>;
  /** Absent when the object did not come from a file. */
  readonly locate: Locate | undefined;
};

/** What moved in a source since its last update; applied as one. */
export type SourceUpdate = {
  readonly upserts: readonly SourceObject[];
  readonly deletes: readonly ObjectKey[];
  /** All diagnostics that the source itself has now (unreadable files, unparsable documents, duplicates). Absent = unchanged. */
  readonly diagnostics?: readonly Diagnostic[];
};

export interface SourceSink {
  apply(update: SourceUpdate): void;
  /** Everything that exists now has been applied. Called once. */
  synced(): void;
}

/** Where objects come from. Runs until the signal aborts. */
export interface Source {
  readonly name: string;
  /** What of it is still to come before `synced`, for people. */
  waitingFor?(): readonly string[];
  run(sink: SourceSink, signal: AbortSignal): Promise<void>;
}
