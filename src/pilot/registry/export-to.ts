import type { Visibility } from '../../model/service.ts';

const PUBLIC: Visibility = { kind: 'public' };

/**
 * Reads `exportTo`: `*` everybody, `.` the object's own namespace, `~` nobody, else names of namespaces. An empty list means
 * the mesh's default, and an empty default means everybody.
 */
export function buildVisibility(
  exportTo: readonly string[] | undefined,
  namespace: string,
  meshDefault: readonly string[],
): Visibility {
  const entries = exportTo === undefined || exportTo.length === 0 ? meshDefault : exportTo;
  if (entries.length === 0 || entries.includes('*')) return PUBLIC;
  const named = entries.filter((entry) => entry !== '~').map((entry) => (entry === '.' ? namespace : entry));
  return { kind: 'namespaces', namespaces: new Set(named.sort()) };
}

const EXPORT_TO = 'networking.istio.io/exportTo';

/** `exportTo` of a kind without that field: an annotation with a comma list. */
export function exportToAnnotation(annotations: Readonly<Record<string, string>>): readonly string[] {
  return commaList(annotations[EXPORT_TO]);
}

export function commaList(text: string | undefined): readonly string[] {
  return (text ?? '')
    .split(',')
    .map((entry) => entry.trim())
    .filter((entry) => entry !== '');
}
