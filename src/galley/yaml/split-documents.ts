/** One document of a file, with its markers, and the line (from 1) on which its text starts. */
export type DocumentText = { readonly text: string; readonly line: number };

// A marker at the start of a line ends a document wherever it stands, in block scalars and quotes too, so text is enough.
const MARKER = /(?<![^\n\r])(?:---|\.\.\.)(?![^ \t\r\n])/g;

/** Splits a file so that a document that cannot be parsed does not take the others with it. Empty documents are left out. */
export function splitDocuments(text: string): readonly DocumentText[] {
  const documents: DocumentText[] = [];
  let start = 0;
  let line = 1;
  const cut = (end: number): void => {
    const part = text.slice(start, end);
    if (!isEmpty(part)) documents.push({ text: part, line });
    line += countLines(part);
    start = end;
  };
  for (const marker of text.matchAll(MARKER)) {
    if (marker[0] === '...') cut(endOfLine(text, marker.index));
    else if (!isOnlyDirectives(text.slice(start, marker.index))) cut(marker.index);
  }
  cut(text.length);
  return documents;
}

function endOfLine(text: string, from: number): number {
  const end = text.indexOf('\n', from);
  return end < 0 ? text.length : end + 1;
}

export function countLines(text: string): number {
  let lines = 0;
  for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) lines += 1;
  return lines;
}

function isEmpty(part: string): boolean {
  return everyLine(part, (line) => line === '' || line.startsWith('#') || /^(?:---|\.\.\.)\s*(?:#.*)?$/.test(line));
}

function isOnlyDirectives(part: string): boolean {
  return /^%/m.test(part) && everyLine(part, (line) => line === '' || line.startsWith('#') || line.startsWith('%'));
}

function everyLine(part: string, accept: (line: string) => boolean): boolean {
  let start = 0;
  while (start < part.length) {
    const end = endOfLine(part, start);
    if (!accept(part.slice(start, end).trim())) return false;
    start = end;
  }
  return true;
}
