import { expect, test } from 'vitest';
import type { Diagnostic } from '../model/diagnostic.ts';
import { tellOnce } from './tell-once.ts';

const at = { file: 'a.yaml', line: 3, column: 1 };

function said(path: Diagnostic['path'], more: Partial<Diagnostic> = {}): Diagnostic {
  const object = { kind: 'VirtualService', namespace: 'shop', name: 'reviews' };
  return { code: 'IST0101', level: 'error', path, message: 'no such subset', object, at: undefined, ...more };
}

test('what galley told with its line is not told again by pilot', () => {
  const located = said(['spec', 'http', 0, 'route', 0, 'destination', 'subset'], { at });
  const again = said(['spec', 'http', 0, 'route', 0, 'destination'], { level: 'warning' });
  expect(tellOnce([located], [again])).toEqual([located]);
});

test('another rule, another object, another code are told', () => {
  const located = said(['spec', 'http', 0], { at });
  const others = [
    said(['spec', 'http', 1]),
    said(['spec', 'http', 0], { code: 'XEB2101' }),
    said(['spec', 'http', 0], { object: { kind: 'VirtualService', namespace: 'shop', name: 'ratings' } }),
    said([], { object: undefined }),
  ];
  expect(tellOnce([located, said([], { object: undefined })], others)).toHaveLength(2 + others.length);
});
