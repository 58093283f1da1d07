import { statfs } from 'node:fs/promises';

/** What stands in the way of a file, and what to do. */
const KNOWN: Readonly<Record<string, string>> = {
  ENOSPC: 'the disk is full: make room',
  EDQUOT: 'the quota is used up: make room',
  EROFS: 'the file system is read-only: mount it writable, or name another place with XEBEC_STATE',
  EACCES: 'writing is not allowed: see who owns the folder, or name another place with XEBEC_STATE',
  EPERM: 'writing is not allowed: see who owns the folder, or name another place with XEBEC_STATE',
  EMFILE: 'too many files are open: raise the limit (ulimit -n)',
  ENFILE: 'too many files are open on this machine',
};

/** Of an error of the file system, in words for a person: the path, the reason and the remedy. Of other errors what caused them. */
export function describeDiskTrouble(error: unknown): string {
  if (error instanceof AggregateError) return [...new Set(error.errors.map(describeDiskTrouble))].join('; ');
  if (!(error instanceof Error)) return String(error);
  if (error.cause instanceof Error) return describeDiskTrouble(error.cause);
  const known = 'code' in error && typeof error.code === 'string' ? KNOWN[error.code] : undefined;
  if (known === undefined) return error.message;
  const path = 'path' in error && typeof error.path === 'string' ? `${error.path}: ` : '';
  return `${path}${known}`;
}

/** Whether nothing more can be written where a folder is. */
export async function isDiskFull(folder: string): Promise<boolean> {
  const found = await statfs(folder).catch(() => undefined);
  return found !== undefined && found.blocks > 0 && found.bavail === 0;
}
