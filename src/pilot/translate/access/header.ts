import { escapeRegex, type Pattern } from './pattern.ts';

type Text = Exclude<Pattern, { readonly kind: 'present' }>;

/** A value that is the pattern's, or a list between commas that has one. */
export function elementRegex({ kind, text }: Text): string {
  const element = escapeRegex(text);
  const before = String.raw`(?:.*,)?[ \t]*`;
  const behind = String.raw`[ \t]*(?:,.*)?`;
  switch (kind) {
    case 'exact':
      return `(?s)${before}${element}${behind}`;
    case 'prefix':
      return `(?s)${before}${element}.*`;
    case 'suffix':
      return `(?s).*${element}${behind}`;
  }
}

/** `a,b` comes as one value or as two: the patterns that all of it must then have. */
export function elementsOf({ kind, text }: Text): readonly Text[] {
  const parts = text.split(',').map((part) => part.trim());
  return parts
    .map((part, index): Text => {
      if (kind === 'prefix' && index === parts.length - 1) return { kind, text: part };
      return kind === 'suffix' && index === 0 ? { kind, text: part } : { kind: 'exact', text: part };
    })
    .filter((part) => part.text !== '');
}

/** RE2 nests no deeper than 1,000; who knows so long a value needs no other. */
const MOST = 300;

/**
 * Every text that is not the pattern's: a header can have several values, and Envoy asks whether one of them matches. So what lets
 * in also asks that no other does not. Undefined where the text is too long for that.
 */
export function complementRegex({ kind, text }: Text): string | undefined {
  const characters = [...text];
  if (characters.length > MOST || characters.length === 0) return undefined;
  const steps = kind === 'suffix' ? characters : characters.toReversed();
  const end = kind === 'exact' ? '.+' : undefined;
  const nested = steps.reduce<string | undefined>((inner, character) => {
    const same =
      inner === undefined ? [] : [kind === 'suffix' ? inner + escapeRegex(character) : escapeRegex(character) + inner];
    const other = kind === 'suffix' ? `.*${notIn(character)}` : `${notIn(character)}.*`;
    return `(?:${[other, ...same].join('|')})?`;
  }, end);
  return `(?s)${nested ?? ''}`;
}

function notIn(character: string): string {
  return String.raw`[^\x{${(character.codePointAt(0) ?? 0).toString(16)}}]`;
}
