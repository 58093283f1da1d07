import fc from 'fast-check';
import { expect, it } from 'vitest';
import { splitDocuments } from './split-documents.ts';

it('splits at markers that start a line, and counts lines', () => {
  expect(splitDocuments('a: 1\n---\nb: 2\n--- # note\nc: 3')).toEqual([
    { text: 'a: 1\n', line: 1 },
    { text: '---\nb: 2\n', line: 2 },
    { text: '--- # note\nc: 3', line: 4 },
  ]);
});

it.each([
  ['nothing', ''],
  ['comments and markers', '# a\n---\n\n---\n# b\n...\n'],
])('finds no document in %s', (_, text) => {
  expect(splitDocuments(text)).toEqual([]);
});

it.each([
  ['an indented marker', 'a: |\n  ---\n  x\n'],
  ['a longer line of dashes', '----\na: 1\n'],
  ['dashes before text', '---a\n'],
])('does not split at %s', (_, text) => {
  expect(splitDocuments(text)).toHaveLength(1);
});

it('keeps directives with the document they are for', () => {
  const text = 'a: 1\n...\n%YAML 1.1\n---\nb: 2\n';
  expect(splitDocuments(text).map((document) => document.text)).toEqual(['a: 1\n...\n', '%YAML 1.1\n---\nb: 2\n']);
});

it('reads Windows line ends', () => {
  expect(splitDocuments('a: 1\r\n---\r\nb: 2\r\n').map(({ line }) => line)).toEqual([1, 2]);
});

it('loses no text but empty documents, and its lines are right', () => {
  const lines = fc.array(fc.constantFrom('---', '...', 'a: 1', '# c', '', '--- b', '%TAG ! x', '  ---'), {
    maxLength: 20,
  });
  fc.assert(
    fc.property(lines, (parts) => {
      const text = parts.join('\n');
      for (const document of splitDocuments(text)) {
        const start = parts.slice(0, document.line - 1).join('\n').length + (document.line > 1 ? 1 : 0);
        expect(text.startsWith(document.text, start)).toBe(true);
      }
      const content = parts.filter((line) => line === 'a: 1' || line === '--- b').length;
      const found = splitDocuments(text)
        .map((document) => document.text)
        .join('');
      expect(found.match(/a: 1|--- b/g)?.length ?? 0).toBe(content);
    }),
  );
});
