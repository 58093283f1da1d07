// The values of a chart as helm-docs has them: each with its type, its default, and the comment `# -- …` above it.
import { isMap, type Node, type Pair, parseDocument, Scalar, type YAMLMap } from 'yaml';

export type ChartValue = {
  readonly key: string;
  readonly type: string;
  /** As JSON. */
  readonly initial: string;
  /** Nothing where the comment is missing. */
  readonly description: string | undefined;
};

/** Every value of a values.yaml, ordered by key. A map with values of its own is no value. */
export function readValues(text: string): readonly ChartValue[] {
  const { contents } = parseDocument(text);
  if (!isMap(contents)) throw new Error('values.yaml is no map');
  return valuesOf(contents, '').sort((a, b) => (a.key < b.key ? -1 : 1));
}

function valuesOf(map: YAMLMap, prefix: string): ChartValue[] {
  return map.items.flatMap((pair, index) => {
    const { key, value } = pair as Pair<Scalar<string>, Node>;
    const name = `${prefix}${key.value}`;
    // Above the first of a map there is the comment of the map.
    const comment = key.commentBefore ?? (index === 0 ? map.commentBefore : undefined);
    if (isMap(value) && value.items.length > 0) return valuesOf(value, `${name}.`);
    return [valueOf(name, value, describe(comment))];
  });
}

/** A description may begin with a type, as `(int) …`: null alone does not tell. */
function valueOf(key: string, node: Node | null, text: string | undefined): ChartValue {
  const initial: unknown = node?.toJSON() ?? null;
  const [, type = typeOf(initial), description = text] = /^\(([a-z ]+)\) (.*)$/.exec(text ?? '') ?? [];
  return { key, type, initial: JSON.stringify(initial), description };
}

function typeOf(value: unknown): string {
  if (Array.isArray(value)) return 'list';
  switch (typeof value) {
    case 'boolean':
      return 'bool';
    case 'number':
      return 'int';
    case 'string':
      return 'string';
    default:
      return 'object';
  }
}

/** From ` -- ` to the end: what is above is about more than this value. */
function describe(comment: string | null | undefined): string | undefined {
  const text = /(?:^|\n) -- ([\s\S]+)$/.exec(comment ?? '')?.[1];
  return text?.replaceAll(/\s*\n\s*/g, ' ').trim();
}
