import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { codes } from '../apis/codes.ts';
import { galleyCodes } from './codes.ts';

it('explains every code that galley uses, and means nothing else by those of the kinds', () => {
  const known = new Set([...Object.keys(codes), ...Object.keys(galleyCodes)]);
  const files = readdirSync(import.meta.dirname, { recursive: true, encoding: 'utf8' });
  const used = files
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    .flatMap((name) => readFileSync(join(import.meta.dirname, name), 'utf8').match(/(?:IST|XEB)\d{4}/g) ?? []);
  expect(used.filter((code) => !known.has(code))).toEqual([]);
  expect(Object.keys(galleyCodes).filter((code) => code in codes)).toEqual([]);
});
