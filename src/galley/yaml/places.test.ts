import { expect, it } from 'vitest';
import { findAmbiguities } from './ambiguities.ts';
import { parseDocument } from './parse-document.ts';
import { offsetOf, type Path } from './places.ts';

const text = `---
kind: VirtualService
spec:
  http:
  - match: [{uri: {prefix: /a}}]
    route:
    - {weight: 1}
    -
      weight: 2
  "tls":
  - x
  empty:
`;

it.each<[Path, string]>([
  [[], 'kind: VirtualService'],
  [['kind'], 'kind: VirtualService'],
  [['spec', 'http', 0, 'match', 0, 'uri', 'prefix'], 'prefix: /a'],
  [['spec', 'http', 0, 'route', 0], '{weight: 1}'],
  [['spec', 'http', 0, 'route', 1, 'weight'], 'weight: 2'],
  [['spec', 'tls', 0], 'x'],
  [['spec', 'empty'], 'empty:'],
  [['spec', 'http', 0, 'route', 7, 'weight'], 'route:'],
  [['spec', 'missing', 'deep'], 'spec:'],
  [['kind', 'deeper'], 'kind:'],
])('finds %j', (path, start) => {
  const parsed = parseDocument(text);
  const found = parsed.ok ? text.slice(offsetOf(path, parsed.value.events, text)) : '';
  // The place of a quoted key is behind its quote.
  expect(found.startsWith(start)).toBe(true);
});

it('finds scalars that YAML versions read differently, as value and as key, with their paths', () => {
  const ambiguous = 'a:\n- on\n- "on"\n- {no: 012, fine: off-course}\n';
  const parsed = parseDocument(ambiguous);
  const found = parsed.ok ? findAmbiguities(parsed.value.events, ambiguous) : [];
  expect(found.map(({ path, offset }) => [path, ambiguous.slice(offset, offset + 3).trim()])).toEqual([
    [['a', 0], 'on'],
    [['a', 2, 'no'], 'no:'],
    [['a', 2, 'no'], '012'],
  ]);
});

it('finds places in a block that is YAML itself', () => {
  const map = 'data:\n  mesh: |-\n\n    # note\n    a: 1\n    b:\n    - c: 2\n  other: "a: 1"\n  broken: |\n    a: [\n';
  const parsed = parseDocument(map);
  const at = (...path: Path): string =>
    parsed.ok ? (map.slice(offsetOf(['data', ...path], parsed.value.events, map)).split('\n')[0] ?? '') : '';
  expect(at('mesh', 'a')).toBe('a: 1');
  expect(at('mesh', 'b', 0, 'c')).toBe('c: 2');
  expect(at('mesh', 'b', 7)).toBe('b:');
  expect(at('mesh')).toBe('mesh: |-');
  expect(at('other', 'a')).toBe('other: "a: 1"');
  expect(at('broken', 'a')).toBe('a: [');
});
