import type { Event } from 'js-yaml';
import type { Issue } from '../../../apis/issue.ts';
import type { Diagnostic, FilePosition } from '../../../model/diagnostic.ts';
import type { ObjectRef } from '../../../model/object.ts';
import { findAmbiguities } from '../../yaml/ambiguities.ts';
import { parseDocument } from '../../yaml/parse-document.ts';
import { offsetOf, type Path } from '../../yaml/places.ts';
import { positionIn } from '../../yaml/positions.ts';
import type { DocumentText } from '../../yaml/split-documents.ts';
import type { Locate, SourceObject } from '../source.ts';
import { type FoundObject, findObjects } from './find-objects.ts';

/** What one document of a file holds. A `broken` one may hold more than its objects say. */
export type DocumentReading = DocumentText & {
  readonly broken: boolean;
  readonly found: readonly FoundObject[];
  readonly objects: readonly SourceObject[];
  readonly diagnostics: readonly Diagnostic[];
};

/** Reads one document; the file's name is for positions only. */
export function readDocument(document: DocumentText, file: string): DocumentReading {
  const parsed = parseDocument(document.text);
  if (!parsed.ok) {
    const { code, message, offset } = parsed.error;
    const at = positionIn(document, file, offset);
    return { ...document, broken: true, found: [], objects: [], diagnostics: [diagnostic({ code, message }, at)] };
  }
  const { value, events } = parsed.value;
  const place = (path: Path): FilePosition => positionIn(document, file, offsetOf(path, events, document.text));
  const { found, problems, isBroken } = findObjects(value);
  const diagnostics: Diagnostic[] = problems.map(({ ref, ...issue }) => ({
    ...issue,
    object: ref,
    at: place(issue.path),
  }));
  if (found.length > 0) diagnostics.push(...ambiguitiesOf({ document, file, events, found }));
  return { ...document, broken: isBroken, found, objects: objectsOf(found, document, file), diagnostics };
}

/** The same text on another line. */
export function moveDocument(reading: DocumentReading, line: number, file: string): DocumentReading {
  const moved = { text: reading.text, line };
  const by = line - reading.line;
  return {
    ...reading,
    line,
    objects: objectsOf(reading.found, moved, file),
    diagnostics: reading.diagnostics.map((item) =>
      item.at === undefined ? item : { ...item, at: { ...item.at, line: item.at.line + by } },
    ),
  };
}

/** The document holds bytes that are not UTF-8. */
export function damagedDocument(document: DocumentText, file: string): DocumentReading {
  const at = positionIn(document, file, document.text.indexOf('\uFFFD'));
  const message = 'has bytes that are not UTF-8: save the file as UTF-8';
  return {
    ...document,
    broken: true,
    found: [],
    objects: [],
    diagnostics: [diagnostic({ code: 'XEB1003', message }, at)],
  };
}

function objectsOf(found: readonly FoundObject[], document: DocumentText, file: string): readonly SourceObject[] {
  let events: readonly Event[] | undefined;
  const locateFrom =
    (start: Path): Locate =>
    (path) => {
      if (events === undefined) {
        const parsed = parseDocument(document.text);
        events = parsed.ok ? parsed.value.events : [];
      }
      return positionIn(document, file, offsetOf([...start, ...path], events, document.text));
    };
  return found.map(({ object, path }) => ({ ...object, locate: locateFrom(path) }));
}

type AmbiguityInputs = {
  readonly document: DocumentText;
  readonly file: string;
  readonly events: readonly Event[];
  readonly found: readonly FoundObject[];
};

function ambiguitiesOf({ document, file, events, found }: AmbiguityInputs): readonly Diagnostic[] {
  return findAmbiguities(events, document.text).flatMap(({ path, offset, message }) => {
    const owner = found.find((item) => item.path.every((step, index) => step === path[index]));
    if (owner === undefined) return [];
    const { kind, meta } = owner.object;
    const object: ObjectRef = { kind, namespace: meta.namespace, name: meta.name };
    const at = positionIn(document, file, offset);
    return [{ code: 'XEB1010', level: 'warning', path: path.slice(owner.path.length), message, object, at }];
  });
}

function diagnostic(issue: Pick<Issue, 'code' | 'message'>, at: FilePosition): Diagnostic {
  return { ...issue, level: 'error', path: [], object: undefined, at };
}
