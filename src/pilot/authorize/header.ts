import { matchesPattern, type Pattern } from '../translate/access/pattern.ts';
import type { Stance } from '../translate/access/stance.ts';

/** Refusing, one value or one element of a list is enough; letting in, all values must be of one pattern. */
export function headerMatches(patterns: readonly Pattern[], values: readonly string[], stance: Stance): boolean {
  if (values.length === 0) return false;
  return patterns.some((pattern) => {
    if (pattern.kind === 'present') return true;
    if (stance === 'strict') return values.every((value) => matchesPattern(pattern, value));
    return values.some((value) => matchesPattern(pattern, value)) || hasAllElements(pattern, values);
  });
}

/** `a,b` may come as one value or as two. */
function hasAllElements({ kind, text }: Exclude<Pattern, { kind: 'present' }>, values: readonly string[]): boolean {
  const wanted = text.split(',').map((part) => part.trim());
  const parts = wanted.map((part, index): Pattern => {
    if (kind === 'prefix' && index === wanted.length - 1) return { kind, text: part };
    return kind === 'suffix' && index === 0 ? { kind, text: part } : { kind: 'exact', text: part };
  });
  const asked = parts.filter((part) => part.kind === 'present' || part.text !== '');
  return asked.length > 0 && asked.every((part) => values.some((value) => hasElement(part, value)));
}

/** A prefix may begin, and a suffix end, at any comma: what is between may itself have commas. */
export function hasElement(pattern: Pattern, value: string): boolean {
  const commas = [...value.matchAll(/,/g)].map(({ index }) => index);
  const starts = [0, ...commas.map((at) => at + 1)];
  const ends = [...commas, value.length];
  switch (pattern.kind) {
    case 'present':
      return true;
    case 'prefix':
      return starts.some(
        (start) =>
          value
            .slice(start)
            .replace(/^[ \t]+/, '')
            .startsWith(pattern.text) || value.slice(start).startsWith(pattern.text),
      );
    case 'suffix':
      return ends.some(
        (end) =>
          value
            .slice(0, end)
            .replace(/[ \t]+$/, '')
            .endsWith(pattern.text) || value.slice(0, end).endsWith(pattern.text),
      );
    case 'exact':
      return starts.some((start) =>
        ends.some((end) => end >= start && value.slice(start, end).replaceAll(/^[ \t]+|[ \t]+$/g, '') === pattern.text),
      );
  }
}
