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

/** Of an error of the file system, in words for a person: the path, the reason and the remedy. */
export function describeDiskTrouble(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const known = 'code' in error && typeof error.code === 'string' ? KNOWN[error.code] : undefined;
  if (known === undefined) return error.message;
  const path = 'path' in error && typeof error.path === 'string' ? `${error.path}: ` : '';
  return `${path}${known}`;
}
