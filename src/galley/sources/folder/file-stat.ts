import type { BigIntStats } from 'node:fs';
import { lstat, stat } from 'node:fs/promises';

export type FileStat = BigIntStats;

export type StatResult =
  | { readonly kind: 'found'; readonly stat: FileStat; readonly isLink: boolean }
  | { readonly kind: 'gone' }
  /** A symbolic link that leads nowhere or in a circle, or a place that may not be looked at. */
  | { readonly kind: 'failed'; readonly message: string };

/** Looks at what a path leads to. */
export async function statOf(path: string): Promise<StatResult> {
  let isLink = false;
  try {
    const own = await lstat(path, { bigint: true });
    isLink = own.isSymbolicLink();
    return { kind: 'found', stat: isLink ? await stat(path, { bigint: true }) : own, isLink };
  } catch (cause) {
    const { kind, message } = reasonOf(cause);
    if (kind !== 'gone') return { kind: 'failed', message: `cannot be read: ${message}` };
    return isLink ? { kind: 'failed', message: 'is a symbolic link to nothing' } : { kind: 'gone' };
  }
}

/** Another value after each write, touch or replacement. */
export function identityOf(stat: FileStat): string {
  return `${stat.dev}:${stat.ino}:${stat.size}:${stat.mtimeNs}:${stat.ctimeNs}`;
}

/** Another value for each directory, even where the file system gives a number out twice. */
export function directoryIdOf(stat: FileStat): string {
  return `${stat.dev}:${stat.ino}:${stat.birthtimeNs}`;
}

type Reason = { readonly kind: 'gone' | 'limit' | 'other'; readonly message: string };

const messages: Readonly<Record<string, string>> = {
  EACCES: 'permission denied',
  EPERM: 'permission denied',
  ELOOP: 'symbolic links lead in a circle',
  ENXIO: 'it is a pipe or a socket',
  EISDIR: 'it is a folder',
  ENAMETOOLONG: 'its name is too long',
  EIO: 'the disk reports an error',
};

/** Sorts a failed file operation by its code. */
export function reasonOf(cause: unknown): Reason {
  const code = codeOf(cause);
  if (code === 'ENOENT' || code === 'ENOTDIR') return { kind: 'gone', message: 'it does not exist' };
  if (code === 'ENOSPC' || code === 'EMFILE' || code === 'ENFILE')
    return { kind: 'limit', message: `limit reached (${code})` };
  return { kind: 'other', message: messages[code] ?? `error ${code}` };
}

function codeOf(cause: unknown): string {
  if (typeof cause === 'object' && cause !== null && 'code' in cause && typeof cause.code === 'string')
    return cause.code;
  return 'unknown';
}
