import { expect, it } from 'vitest';
import { parseDocument } from './parse-document.ts';

it.each([
  ['a tab as indentation', 'a:\n\tb: 1\n'],
  ['a key twice', 'a: 1\nb: 2\na: 3\n'],
  ['an unknown alias', 'host: *.example.com\n'],
  ['an unknown tag', 'a: !secret x\n'],
  ['too many levels', `${'['.repeat(101)}`],
  ['two documents', 'a: 1\n---\nb: 2\n'],
  ['a null byte', 'a: \0\n'],
  ['an open quote', 'a: "x\n'],
])('says what is wrong with %s', (_, text) => {
  expect(parseDocument(text)).toMatchObject({
    ok: false,
    error: { code: 'XEB1004', message: expect.stringMatching(/.{10}/) },
  });
});

it('points at the second of two equal keys, by name', () => {
  const parsed = parseDocument('spec:\n  hosts: [a]\n  hosts: [b]\n');
  expect(parsed).toMatchObject({
    ok: false,
    error: { offset: 21, message: expect.stringContaining('the key hosts is there twice') },
  });
});

it.each([
  ['a: 1\n<<<<<<< HEAD\nb: 2\n=======\n', 5, 'a merge conflict'],
  ['a: 1\nname: {{ .Release.Name }}\n', 11, 'templates must be rendered first'],
  ['kind: [\n', 8, 'is not closed'],
  ['on: 1\ny: 2\n', 6, 'y is read as true, as kubectl reads it'],
])('knows what %j is', (text, offset, message) => {
  expect(parseDocument(text)).toMatchObject({
    ok: false,
    error: { offset, message: expect.stringContaining(message) },
  });
});

it('advises quotes for a wildcard host', () => {
  const parsed = parseDocument('host: *.example.com\n');
  expect(parsed.ok ? '' : parsed.error.message).toContain('must be in quotes');
});

it('lets aliases be used, and merged, but not let loose', () => {
  expect(parseDocument('a: &a {x: 1}\nb: {<<: *a, z: 2}\nc: *a\n')).toMatchObject({
    ok: true,
    value: { value: { a: { x: 1 }, b: { x: 1, z: 2 }, c: { x: 1 } } },
  });
  const bomb = Array.from(
    { length: 12 },
    (_, n) => `l${n}: &l${n} [${n === 0 ? '1' : `*l${n - 1}, *l${n - 1}, *l${n - 1}`}]`,
  );
  expect(parseDocument(bomb.join('\n'))).toMatchObject({ ok: false, error: { code: 'XEB1005' } });
  expect(parseDocument('a: &a [*a]\n')).toMatchObject({ ok: false, error: { code: 'XEB1005' } });
});

it('gives no object a prototype that was not its own', () => {
  const parsed = parseDocument('__proto__: {polluted: 1}\n');
  const value = parsed.ok ? parsed.value.value : undefined;
  expect(Object.getPrototypeOf(value)).toBe(Object.prototype);
  expect(Object.keys(value ?? {})).toEqual(['__proto__']);
});
