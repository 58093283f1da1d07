import { constructFromEvents, EVENT_ID, type Event, parseEvents, YAMLException } from 'js-yaml';
import { err, ok, type Result } from '../../kit/result.ts';
import { kubectlSchema } from './kubectl-schema.ts';
import { readAsKubectl } from './scalars.ts';

export type ParsedDocument = { readonly value: unknown; readonly events: readonly Event[] };

/** Why a document cannot be read; the offset counts from the document's own start. */
export type ParseFailure = { readonly code: 'XEB1004' | 'XEB1005'; readonly message: string; readonly offset: number };

const MAX_DEPTH = 100;
const MAX_EXPANDED_NODES = 250_000;

/** Parses the text of one document. Aliases are bounded by what they expand to, so a YAML bomb costs nothing. */
export function parseDocument(text: string): Result<ParsedDocument, ParseFailure> {
  try {
    const events = parseEvents(text, { maxDepth: MAX_DEPTH });
    const documents = constructFromEvents(events, { source: text, schema: kubectlSchema });
    const value = documents[0];
    if (documents.length > 1) return err(syntax('holds more than one document: write --- on a line of its own', 0));
    const bomb = events.some((event) => event.type === EVENT_ID.ALIAS) ? findBomb(value) : undefined;
    return bomb === undefined ? ok({ value, events }) : err({ code: 'XEB1005', message: bomb, offset: 0 });
  } catch (cause) {
    return err(failureOf(cause, text));
  }
}

function syntax(message: string, offset: number): ParseFailure {
  return { code: 'XEB1004', message, offset };
}

function failureOf(cause: unknown, text: string): ParseFailure {
  if (!(cause instanceof YAMLException)) return syntax(`cannot be parsed: ${String(cause)}`, 0);
  const conflict = text.search(conflictMarker);
  if (conflict >= 0) return syntax('holds the markers of a merge conflict: resolve it', conflict);
  // A template of a chart looks like a mapping as key of a mapping, whose place the parser does not tell.
  const marked = cause.mark?.position ?? 0;
  const offset = marked === 0 ? Math.max(0, text.indexOf('{{')) : Math.min(marked, text.length);
  return syntax(explain(cause.reason, text, offset), offset);
}

/** What git leaves where two versions of a file could not be merged. */
const conflictMarker = /^(?:<{7}|={7}|>{7})(?: .*)?$/m;

const advice: readonly (readonly [RegExp, string])[] = [
  [/bad indentation of a mapping entry/, 'indent the keys of one mapping alike'],
  [/bad indentation of a sequence entry/, 'indent the items of one list alike'],
  [
    /end of the stream or a document separator/,
    'a line is indented less than the one it belongs to, or a colon is missing',
  ],
  [/tab character/, 'indent with spaces'],
  [/multiline key/, 'a colon is missing, or a space after it'],
  [/nested mappings|implicit key|mapping values/, 'put text that holds ": " in quotes'],
  [/deficient indentation/, 'a [ or { is not closed, or a line is indented too little'],
  [/complex keys/, 'put text that starts with { or [ in quotes; templates must be rendered first'],
  [/null byte/, 'the file is not text'],
  [/non-printable/, 'write such characters as escapes in double quotes'],
  [/unidentified alias/, 'text that starts with * must be in quotes'],
  [/unknown (?:scalar|sequence|mapping) tag/, 'text that starts with ! must be in quotes'],
  [/maxDepth/, `at most ${MAX_DEPTH} levels are read`],
];

function explain(reason: string, text: string, offset: number): string {
  if (reason === 'duplicated mapping key') {
    const key = /^[^:"'\s]+/.exec(text.slice(offset, offset + 200))?.[0] ?? '';
    const meaning = readAsKubectl(key);
    return typeof meaning === 'boolean'
      ? `the key ${key} is read as ${meaning}, as kubectl reads it, and ${meaning} is there already: put such keys in quotes`
      : `the key ${key} is there twice in one mapping: remove one of them`;
  }
  const hint = advice.find(([pattern]) => pattern.test(reason))?.[1];
  const said = reason.replace(
    'object-based map does not support complex keys',
    'a mapping stands where a key is expected',
  );
  return hint === undefined ? `cannot be parsed: ${said}` : `cannot be parsed: ${said}: ${hint}`;
}

/** Says what is wrong when aliases form a circle or expand to more nodes than anybody could want. */
function findBomb(root: unknown): string | undefined {
  const sizes = new Map<object, number>();
  const measure = (value: unknown): number => {
    if (typeof value !== 'object' || value === null) return 1;
    const known = sizes.get(value);
    if (known !== undefined) return known;
    sizes.set(value, Number.NaN);
    let size = 1;
    for (const child of Object.values(value)) size += measure(child);
    sizes.set(value, size);
    return size;
  };
  const size = measure(root);
  if (Number.isNaN(size)) return 'an alias leads back to itself: write the part out';
  if (size > MAX_EXPANDED_NODES) return `its aliases expand to more than ${MAX_EXPANDED_NODES} values: write fewer`;
  return undefined;
}
