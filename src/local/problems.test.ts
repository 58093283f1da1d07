import { describe, expect, test } from 'vitest';
import type { Diagnostic } from '../model/diagnostic.ts';
import { renderProblems } from './problems.ts';

const reviews = { kind: 'VirtualService', namespace: 'shop', name: 'reviews' };

function diagnostic(more: Partial<Diagnostic>): Diagnostic {
  return {
    code: 'XEB0001',
    level: 'error',
    path: ['spec'],
    message: 'is wrong',
    object: reviews,
    at: undefined,
    ...more,
  };
}

const at = (file: string, line = 1) => ({ file, line, column: 1 });
const render = (...diagnostics: readonly Diagnostic[]) => renderProblems({ diagnostics, refusals: [] }, '/home/me');

describe('what a person is told', () => {
  test('an object that turned bad stays as it was, said where it is wrong', () => {
    const kept = diagnostic({ code: 'XEB1011', level: 'info', path: [], message: 'stays', at: at('/home/me/a.yaml') });
    expect(render(kept, diagnostic({ at: at('/home/me/a.yaml', 3) }))).toEqual([
      'a.yaml:3:1: error XEB0001 VirtualService shop/reviews spec: is wrong; its last good version stays in force',
    ]);
  });

  test('a new object that is bad has no version from before, whatever else its file holds', () => {
    const other = { ...reviews, name: 'other' };
    const kept = diagnostic({ code: 'XEB1011', level: 'info', object: other, at: at('/home/me/a.yaml') });
    expect(render(kept, diagnostic({ at: at('/home/me/a.yaml', 3) }))).toEqual([
      'a.yaml:3:1: error XEB0001 VirtualService shop/reviews spec: is wrong',
    ]);
  });

  test('a file that cannot be read stays as it was last read', () => {
    const kept = diagnostic({ code: 'XEB1011', level: 'info', at: at('/srv/b.yaml') });
    const broken = diagnostic({ code: 'XEB1004', object: undefined, path: [], at: at('/srv/b.yaml', 9) });
    expect(render(kept, broken)).toEqual([
      '/srv/b.yaml:9:1: error XEB1004: is wrong; what was last read from here stays in force',
    ]);
  });

  test('errors before warnings, by file and line; what only informs is not told', () => {
    const lines = render(
      diagnostic({ level: 'warning', at: at('/home/me/a.yaml') }),
      diagnostic({ level: 'info', at: at('/home/me/a.yaml') }),
      diagnostic({ at: at('/home/me/b.yaml', 10) }),
      diagnostic({ at: at('/home/me/b.yaml', 9) }),
    );
    expect(lines.map((line) => line.split(' ').slice(0, 2).join(' '))).toEqual([
      'b.yaml:9:1: error',
      'b.yaml:10:1: error',
      'a.yaml:1:1: warning',
    ]);
  });

  test('what proxies refuse comes first', () => {
    const refusals = [
      { resource: '9080', error: 'no', proxy: 'web.shop', objects: ['VirtualService shop/reviews spec'] },
    ];
    expect(renderProblems({ diagnostics: [diagnostic({})], refusals }, '/')).toEqual([
      '9080 (from VirtualService shop/reviews spec): refused by web.shop: no; what it had before stays in force',
      'error XEB0001 VirtualService shop/reviews spec: is wrong',
    ]);
  });

  test('a hundred are not listed', () => {
    const many = render(...Array.from({ length: 100 }, () => diagnostic({})));
    expect(many).toHaveLength(21);
    expect(many.at(-1)).toBe('… and 80 more');
  });

  test('whoever signs identities comes first: without him no pod starts', () => {
    const authority = 'folder /ca: ca-key.pem is missing (remedy: put it there)';
    expect(renderProblems({ diagnostics: [diagnostic({})], refusals: [], authority }, '/')[0]).toBe(
      `the mesh’s authority: ${authority}`,
    );
  });
});
