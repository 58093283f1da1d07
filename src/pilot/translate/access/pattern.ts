/** How a policy writes texts: `*`, `prefix*`, `*suffix`, or the whole. */
export type Pattern =
  | { readonly kind: 'present' }
  | { readonly kind: 'exact' | 'prefix' | 'suffix'; readonly text: string };

/** Any other star stands for itself. */
export function parsePattern(value: string): Pattern {
  if (value === '*') return { kind: 'present' };
  if (value.startsWith('*')) return { kind: 'suffix', text: value.slice(1) };
  if (value.endsWith('*')) return { kind: 'prefix', text: value.slice(0, -1) };
  return { kind: 'exact', text: value };
}

/** `*` is any text but the empty one. */
export function matchesPattern(pattern: Pattern, text: string): boolean {
  switch (pattern.kind) {
    case 'present':
      return text !== '';
    case 'exact':
      return text === pattern.text;
    case 'prefix':
      return text.startsWith(pattern.text);
    case 'suffix':
      return text.endsWith(pattern.text);
  }
}

/** The pattern for `text` with something before or behind it. */
export function mapText(pattern: Pattern, change: (text: string) => string): Pattern {
  return pattern.kind === 'present' ? pattern : { kind: pattern.kind, text: change(pattern.text) };
}

/** As RE2 reads it for itself and nothing else: names have dots. */
export function escapeRegex(text: string): string {
  return text.replaceAll(/[\\^$.*+?()[\]{}|]/g, String.raw`\$&`);
}
