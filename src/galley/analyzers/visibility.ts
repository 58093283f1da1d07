const ANNOTATION = 'networking.istio.io/exportTo';

/** Which namespaces see an object: `*`, or names. */
export type Audience = '*' | ReadonlySet<string>;

/** Reads `exportTo`; an empty list means the mesh's default, and that everybody. */
export function audienceOf(
  exportTo: readonly string[] | undefined,
  meshDefault: readonly string[] | undefined,
  namespace: string,
): Audience {
  const entries = [exportTo, meshDefault].find((list) => list !== undefined && list.length > 0) ?? ['*'];
  if (entries.includes('*')) return '*';
  return new Set(entries.filter((entry) => entry !== '~').map((entry) => (entry === '.' ? namespace : entry)));
}

/** `exportTo` of a Kubernetes Service: an annotation with a comma list. */
export function exportToAnnotation(annotations: Readonly<Record<string, string>>): readonly string[] {
  return (annotations[ANNOTATION] ?? '').split(',').flatMap((entry) => (entry.trim() === '' ? [] : [entry.trim()]));
}

export function isVisible(audience: Audience, namespace: string): boolean {
  return audience === '*' || audience.has(namespace);
}

/** Whether some namespace is in both. */
export function overlap(a: Audience, b: Audience): boolean {
  if (a === '*' || b === '*') return true;
  for (const namespace of a) if (b.has(namespace)) return true;
  return false;
}
