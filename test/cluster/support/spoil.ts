import { asRecord } from '../../../src/kube/json.ts';
import type { Manifest } from '../../feature/pilot/support/manifests.ts';
import type { Random } from '../../support/random.ts';

type Path = readonly (string | number)[];

/** What nobody expects where something else belongs. */
const oddities: readonly unknown[] = [
  null,
  true,
  0,
  -1,
  1e300,
  0.5,
  '',
  ' ',
  'x'.repeat(70_000),
  'line\nbreak\u0000\u001b[31m\ud800',
  '*',
  '(((((((((((a*)*)*)*)*)*)*)*)*)*)*b',
  '99999999999999999999s',
  '-5s',
  [],
  [null],
  [[]],
  {},
  JSON.parse('{"__proto__": {"polluted": true}, "constructor": {"prototype": {"polluted": true}}}'),
  { '': {} },
  nested(100),
  Array.from({ length: 300 }, (_, index) => ({ name: `n-${index}` })),
];

/** The object with one to three of its fields made what they should not be. Its identity stays. */
export function spoil(manifest: Manifest, random: Random): Manifest {
  let spoilt = manifest;
  for (let left = 1 + random.below(3); left > 0; left -= 1) {
    const paths = pathsIn(spoilt).filter(([first]) => !fixed.has(String(first)));
    if (paths.length > 0) spoilt = asRecord(change(spoilt, random.pick(paths), random));
  }
  return spoilt;
}

const fixed: ReadonlySet<string> = new Set(['apiVersion', 'kind', 'metadata', 'status']);

function pathsIn(value: unknown, path: Path = []): readonly Path[] {
  if (typeof value !== 'object' || value === null || path.length > 12) return [];
  const isList = Array.isArray(value);
  return Object.entries(value).flatMap(([key, inner]) => {
    const own = [...path, isList ? Number(key) : key];
    return [own, ...pathsIn(inner, own)];
  });
}

function change(value: unknown, [key, ...rest]: Path, random: Random): unknown {
  const isLast = rest.length === 0;
  if (Array.isArray(value)) {
    const list: readonly unknown[] = value;
    if (isLast && random.chance(0.2)) return list.flatMap((each) => [each, each]);
    return list.map((each, index) => (index === key ? next(each, rest, random) : each));
  }
  const record = asRecord(value);
  const name = String(key);
  const { [name]: inner, ...others } = record;
  if (isLast && random.chance(0.15)) return others;
  if (isLast && random.chance(0.15)) return { ...others, [`${name}s`]: inner };
  return { ...record, [name]: next(inner, rest, random) };
}

function next(value: unknown, rest: Path, random: Random): unknown {
  return rest.length === 0 ? random.pick(oddities) : change(value, rest, random);
}

function nested(depth: number): unknown {
  return depth === 0 ? 'deep' : { inner: nested(depth - 1) };
}
