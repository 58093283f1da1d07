import { constants } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { TextDecoder } from 'node:util';
import { type FileStat, identityOf, reasonOf } from './file-stat.ts';

/** Files above this are refused: an object of the Kubernetes API has at most 3 MB. */
export const MAX_FILE_BYTES = 16 * 1024 * 1024;

export type TextReading =
  | {
      readonly kind: 'text';
      readonly text: string;
      readonly identity: string;
      readonly writtenAt: number;
      readonly torn: boolean;
      readonly damaged: boolean;
    }
  | { readonly kind: 'gone' }
  | { readonly kind: 'refused'; readonly code: 'XEB1001' | 'XEB1002' | 'XEB1003'; readonly message: string };

/**
 * Reads one file. It never waits for a FIFO's writer. `torn` says that the file changed meanwhile, `damaged` that bytes
 * which are not UTF-8 became U+FFFD.
 */
export async function readText(path: string): Promise<TextReading> {
  let file: FileHandle;
  try {
    file = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
  } catch (cause) {
    return failure(cause);
  }
  try {
    return await readOpened(file);
  } catch (cause) {
    return failure(cause);
  } finally {
    await file.close();
  }
}

async function readOpened(file: FileHandle): Promise<TextReading> {
  const before: FileStat = await file.stat({ bigint: true });
  if (!before.isFile()) return { kind: 'refused', code: 'XEB1001', message: 'is not a regular file: it is left out' };
  if (before.size > BigInt(MAX_FILE_BYTES)) {
    return {
      kind: 'refused',
      code: 'XEB1002',
      message: `is larger than ${MAX_FILE_BYTES / 1024 / 1024} MB: split it`,
    };
  }
  const bytes = await file.readFile();
  const after: FileStat = await file.stat({ bigint: true });
  if (bytes.includes(0))
    return {
      kind: 'refused',
      code: 'XEB1003',
      message: 'is not text (it holds null bytes): move it out of the folder',
    };
  const identity = identityOf(after);
  const torn = identityOf(before) !== identity || BigInt(bytes.length) !== after.size;
  const { text, damaged } = decode(bytes);
  return { kind: 'text', text, identity, writtenAt: Number(after.mtimeMs), torn, damaged };
}

function decode(bytes: Uint8Array): { readonly text: string; readonly damaged: boolean } {
  try {
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(bytes), damaged: false };
  } catch {
    return { text: new TextDecoder('utf-8').decode(bytes), damaged: true };
  }
}

function failure(cause: unknown): TextReading {
  const reason = reasonOf(cause);
  if (reason.kind === 'gone') return { kind: 'gone' };
  return { kind: 'refused', code: 'XEB1001', message: `cannot be read: ${reason.message}` };
}
