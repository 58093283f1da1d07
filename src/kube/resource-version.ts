/**
 * Whether a resourceVersion is newer than another of the same resource. They are decimal numbers (which Kubernetes guarantees
 * since 1.35 and always has held); of others only equality can be said.
 */
export function isNewerVersion(version: string, than: string): boolean {
  if (!isDecimal(version) || !isDecimal(than)) return version !== than;
  return version.length === than.length ? version > than : version.length > than.length;
}

function isDecimal(version: string): boolean {
  return /^[1-9][0-9]*$/.test(version);
}
