import { err, ok, type Result } from '../kit/result.ts';

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const OPENING: ReadonlySet<number> = new Set([0x5b, 0x7b]);
const CLOSING: ReadonlySet<number> = new Set([0x5d, 0x7d]);

/** Parses JSON that a stranger sent. What is nested deeper than `maxDepth` is not parsed: who walks it would run out of stack. */
export function parseJson(bytes: Uint8Array, maxDepth: number): Result<unknown, string> {
  if (isDeeper(bytes, maxDepth)) return err(`nested more than ${maxDepth} levels deep`);
  try {
    return ok(JSON.parse(Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf8')));
  } catch (cause) {
    return err(cause instanceof Error ? cause.message : String(cause));
  }
}

function isDeeper(bytes: Uint8Array, maxDepth: number): boolean {
  let depth = 0;
  let isText = false;
  for (let index = 0; index < bytes.length; index += 1) {
    const byte = bytes[index] ?? 0;
    if (isText) {
      if (byte === BACKSLASH) index += 1;
      else if (byte === QUOTE) isText = false;
    } else if (byte === QUOTE) {
      isText = true;
    } else if (OPENING.has(byte)) {
      depth += 1;
      if (depth > maxDepth) return true;
    } else if (CLOSING.has(byte)) {
      depth -= 1;
    }
  }
  return false;
}
