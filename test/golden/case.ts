import { readFileSync } from 'node:fs';

/** One golden case: objects in, some resources of one proxy out. Its header says what it proves and what to show. */
export type GoldenCase = {
  readonly proves: string;
  /** The documents of the common files it builds on, then its own. */
  readonly yaml: string;
  readonly proxy: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly metadata: Readonly<Record<string, string>>;
  /** Patterns such as `routes/9080` or `clusters/outbound*`; a star stands for any text. */
  readonly show: readonly string[];
};

export function loadCase(name: string): GoldenCase {
  const text = read(`cases/${name}.yaml`);
  const header = text.split('\n').filter((line) => line.startsWith('# '));
  const fields = new Map(header.map((line) => splitOnce(line.slice(2), ': ')));
  const common = words(fields.get('with')).map((file) => read(`common/${file}.yaml`));
  return {
    proves: fields.get('Proves') ?? '',
    yaml: [...common, text].join('\n---\n'),
    proxy: fields.get('proxy') ?? '',
    labels: pairs(fields.get('labels')),
    metadata: pairs(fields.get('metadata')),
    show: words(fields.get('show')),
  };
}

export function isShown(patterns: readonly string[], type: string, name: string): boolean {
  return patterns.some((pattern) => matches(pattern.split('*'), `${type}/${name}`));
}

function matches(parts: readonly string[], text: string): boolean {
  const [first = '', ...rest] = parts;
  if (!text.startsWith(first)) return false;
  if (rest.length === 0) return text === first;
  let at = first.length;
  for (const [index, part] of rest.entries()) {
    const isLast = index === rest.length - 1;
    const found = isLast ? text.length - part.length : text.indexOf(part, at);
    if (found < at || !text.startsWith(part, found)) return false;
    at = found + part.length;
  }
  return true;
}

function read(path: string): string {
  return readFileSync(new URL(path, import.meta.url), 'utf8');
}

function splitOnce(text: string, separator: string): [string, string] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, ''] : [text.slice(0, at), text.slice(at + separator.length)];
}

function words(text: string | undefined): readonly string[] {
  return (text ?? '').split(' ').filter((word) => word !== '');
}

function pairs(text: string | undefined): Readonly<Record<string, string>> {
  return Object.fromEntries(words(text).map((word) => splitOnce(word, '=')));
}
