import type { FilePosition } from '../../model/diagnostic.ts';
import { countLines, type DocumentText } from './split-documents.ts';

/** The line and column, in its file, of an offset into a document. */
export function positionIn({ text, line }: DocumentText, file: string, offset: number): FilePosition {
  const before = text.slice(0, Math.max(0, offset));
  return { file, line: line + countLines(before), column: before.length - before.lastIndexOf('\n') };
}
