import { expect, it } from 'vitest';
import { buildVisibility, exportToAnnotation } from './export-to.ts';

it.each([
  [undefined, ['*'], 'public'],
  [[], [], 'public'],
  [[], ['.'], ['shop']],
  [['*'], ['.'], 'public'],
  [['.'], ['*'], ['shop']],
  [['~'], ['*'], []],
  [['.', 'front', 'back'], ['*'], ['back', 'front', 'shop']],
  [['front'], ['*'], ['front']],
  [['front', '*'], ['.'], 'public'],
])('exportTo %j with the default %j', (exportTo, meshDefault, expected) => {
  const visibility = buildVisibility(exportTo, 'shop', meshDefault);
  expect(visibility.kind === 'public' ? 'public' : [...visibility.namespaces]).toEqual(expected);
});

it('reads the annotation as a comma list', () => {
  expect(exportToAnnotation({ 'networking.istio.io/exportTo': ' ., front ,' })).toEqual(['.', 'front']);
  expect(exportToAnnotation({})).toEqual([]);
});
