import {
  boolCoreTag,
  boolYaml11Tag,
  floatCoreTag,
  intCoreTag,
  NOT_RESOLVED,
  nullCoreTag,
  nullYaml11Tag,
} from 'js-yaml';

/** A value that a plain (unquoted) scalar stands for. */
export type Scalar = string | number | boolean | null;

const FLOAT = /^[-+]?(?:\.[0-9]+|[0-9]+(?:\.[0-9]*)?)(?:[eE][-+]?[0-9]+)?$/;
const SPECIAL_FLOATS: ReadonlyMap<string, number> = new Map(
  [
    [Number.NaN, ['.nan', '.NaN', '.NAN']] as const,
    [Number.POSITIVE_INFINITY, ['.inf', '.Inf', '.INF', '+.inf', '+.Inf', '+.INF']] as const,
    [Number.NEGATIVE_INFINITY, ['-.inf', '-.Inf', '-.INF']] as const,
  ].flatMap(([value, words]) => words.map((word) => [word, value] as const)),
);
const INTEGER = /^([-+]?)(?:0[xX]([0-9a-fA-F]+)|0[oO]?([0-7]+)|0[bB]([01]+)|([1-9][0-9]*|0))$/;

/** An integer as Go's `ParseInt(text, 0, 64)` reads it: a leading zero is octal. */
export function readInteger(text: string): number | undefined {
  const match = INTEGER.exec(digitsOf(text));
  if (match === null) return undefined;
  const [, sign, hex, octal, binary, decimal] = match;
  const value = radix(hex, 16) ?? radix(octal, 8) ?? radix(binary, 2) ?? radix(decimal, 10);
  if (value === undefined) return undefined;
  return sign === '-' && value !== 0 ? -value : value;
}

export function readFloat(text: string): number | undefined {
  const special = SPECIAL_FLOATS.get(text);
  if (special !== undefined) return special;
  const digits = digitsOf(text);
  return FLOAT.test(digits) ? Number(digits) : undefined;
}

/** What kubectl makes of a plain scalar (sigs.k8s.io/yaml, go-yaml v2): YAML 1.1 without sexagesimals and dates. */
export function readAsKubectl(text: string): Scalar {
  const word = firstResolved(text, [nullYaml11Tag, boolYaml11Tag]);
  if (word !== NOT_RESOLVED) return word;
  return readInteger(text) ?? readFloat(text) ?? text;
}

const coreTags: readonly Reader<unknown>[] = [nullCoreTag, boolCoreTag, intCoreTag, floatCoreTag];

/** What a YAML 1.2 reader makes of it. */
export function readAsYaml12(text: string): unknown {
  const value = firstResolved(text, coreTags);
  return value === NOT_RESOLVED ? text : value;
}

type Reader<Value> = {
  readonly tagName: string;
  readonly resolve: (source: string, isExplicit: boolean, tagName: string) => Value | typeof NOT_RESOLVED;
};

function firstResolved<Value>(text: string, tags: readonly Reader<Value>[]): Value | typeof NOT_RESOLVED {
  for (const tag of tags) {
    const value = tag.resolve(text, false, tag.tagName);
    if (value !== NOT_RESOLVED) return value;
  }
  return NOT_RESOLVED;
}

function digitsOf(text: string): string {
  return /^[-+0-9]/.test(text) ? text.replaceAll('_', '') : text;
}

function radix(digits: string | undefined, base: number): number | undefined {
  return digits === undefined ? undefined : Number.parseInt(digits, base);
}
