import type { Clock } from '../../../kit/clock.ts';
import type { Diagnostic } from '../../../model/diagnostic.ts';
import { renderRef } from '../../../model/object.ts';
import { type DocumentText, splitDocuments } from '../../yaml/split-documents.ts';
import type { SourceObject } from '../source.ts';
import { type DocumentReading, damagedDocument, moveDocument, readDocument } from './document.ts';
import type { TextReading } from './read-text.ts';

/** What one file holds now. Objects of documents that did not change are the same objects as in the reading before. */
export type FileReading = {
  readonly file: string;
  /** Of the file when it was read; empty when it could not be. */
  readonly identity: string;
  /** Read in the same moment as it was written: it may have changed again without a trace in its times. */
  readonly racy: boolean;
  /** Why the file could not be read; `text` is absent then. */
  readonly refusal: string | undefined;
  readonly text: string | undefined;
  readonly documents: readonly DocumentReading[];
  readonly objects: readonly SourceObject[];
  readonly diagnostics: readonly Diagnostic[];
  /** Whether all of it could be read. */
  readonly whole: boolean;
};

export type FileInputs = {
  readonly file: string;
  readonly text: Exclude<TextReading, { readonly kind: 'gone' }>;
  readonly previous: FileReading | undefined;
  readonly clock: Clock;
};

const TURN_MS = 8;
// Coarser than the time stamps of any common file system.
const RACY_MS = 50;

/** Reads the documents of a file, letting other work run between them. */
export async function readDocuments({ file, text, previous, clock }: FileInputs): Promise<FileReading> {
  if (text.kind === 'refused') return refusedReading(file, text, previous);
  const reuse = new Map((previous?.documents ?? []).map((document) => [document.text, document]));
  const documents: DocumentReading[] = [];
  let started = clock.monotonic();
  for (const document of splitDocuments(text.text)) {
    documents.push(again(reuse.get(document.text), document, file) ?? fresh(document, file, text.damaged));
    if (clock.monotonic() - started < TURN_MS) continue;
    await clock.yield();
    started = clock.monotonic();
  }
  const whole = documents.every((document) => !document.broken);
  const good = documents.flatMap((document) => document.objects);
  const kept = whole ? [] : keptFrom(previous, good);
  return {
    file,
    identity: text.identity,
    racy: clock.now() - text.writtenAt < RACY_MS,
    refusal: undefined,
    text: text.text,
    documents,
    objects: [...good, ...kept],
    diagnostics: [
      ...documents.flatMap((document) => document.diagnostics),
      ...kept.map((object) => keeping(object, file)),
    ],
    whole,
  };
}

function again(known: DocumentReading | undefined, document: DocumentText, file: string): DocumentReading | undefined {
  if (known === undefined || known.line === document.line) return known;
  return moveDocument(known, document.line, file);
}

function fresh(document: DocumentText, file: string, damaged: boolean): DocumentReading {
  return damaged && document.text.includes('\uFFFD') ? damagedDocument(document, file) : readDocument(document, file);
}

export type Refusal = Extract<TextReading, { readonly kind: 'refused' }>;

/** A file that cannot be read keeps what it held. */
export function refusedReading(file: string, refusal: Refusal, previous: FileReading | undefined): FileReading {
  const objects = previous?.objects ?? [];
  return {
    file,
    identity: '',
    racy: false,
    refusal: refusal.message,
    text: undefined,
    documents: previous?.documents ?? [],
    objects,
    diagnostics: [
      {
        code: refusal.code,
        level: 'error',
        path: [],
        message: refusal.message,
        object: undefined,
        at: { file, line: 1, column: 1 },
      },
      ...objects.map((object) => keeping(object, file)),
    ],
    whole: false,
  };
}

/** The objects that the file held before and that are not among those it certainly holds now. */
function keptFrom(previous: FileReading | undefined, good: readonly SourceObject[]): readonly SourceObject[] {
  if (previous === undefined) return [];
  const keys = new Set(good.map((object) => object.key));
  return previous.objects.filter((object) => !keys.has(object.key));
}

function keeping({ kind, meta }: SourceObject, file: string): Diagnostic {
  const object = { kind, namespace: meta.namespace, name: meta.name };
  return {
    code: 'XEB1011',
    level: 'info',
    path: [],
    message: `${renderRef(object)} stays as it was last read until ${file} can be read in full`,
    object,
    at: { file, line: 1, column: 1 },
  };
}

/** Whether a reading may be a moment in the middle of a write: it lost something, or its last line is not finished. */
export function looksUnfinished(previous: FileReading | undefined, next: FileReading): boolean {
  if (!next.whole) return true;
  if (next.text !== undefined && next.text !== '' && !next.text.endsWith('\n')) return true;
  if (previous === undefined) return false;
  const keys = new Set(next.objects.map((object) => object.key));
  return previous.objects.some((object) => !keys.has(object.key));
}
