import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { galleyCodes } from '../galley/codes.ts';
import { meshCodes } from '../pilot/registry/codes.ts';
import { accessCodes } from '../pilot/translate/access/codes.ts';
import { listenerCodes } from '../pilot/translate/listener/codes.ts';
import { translateCodes } from '../pilot/translate/policy/codes.ts';
import { type CodeText, codes } from './codes.ts';

// Each part describes its own codes; for whoever looks one up they are one list.

const parts: readonly Readonly<Record<string, CodeText>>[] = [
  codes,
  galleyCodes,
  meshCodes,
  translateCodes,
  listenerCodes,
  accessCodes,
];
const described = parts.flatMap((part) => Object.keys(part));

const source = join(import.meta.dirname, '..');

/** The codes that the files of some sort mention. */
function mentioned(isWanted: (name: string) => boolean): ReadonlySet<string> {
  const files = readdirSync(source, { recursive: true, encoding: 'utf8' });
  return new Set(
    files
      .filter((name) => name.endsWith('.ts') && !name.startsWith('gen/') && isWanted(name))
      .flatMap((name) => readFileSync(join(source, name), 'utf8').match(/\b(?:IST|XEB)\d{4}\b/g) ?? []),
  );
}

const isTest = (name: string): boolean => /\.test\.ts$|\/testing\//.test(name);
const isDescription = (name: string): boolean => name.endsWith('/codes.ts');

describe('codes', () => {
  it('are described once, by whoever says them first', () => {
    expect(described.filter((code, index) => described.indexOf(code) !== index)).toEqual([]);
  });

  it('are all described', () => {
    const known = new Set(described);
    expect([...mentioned((name) => !isTest(name))].filter((code) => !known.has(code))).toEqual([]);
  });

  it('are all used', () => {
    const used = mentioned((name) => !isTest(name) && !isDescription(name));
    expect(described.filter((code) => !used.has(code))).toEqual([]);
  });

  it('are all shown by a test', () => {
    const shown = mentioned(isTest);
    const unitTested = described.filter((code) => code in codes);
    expect(unitTested.filter((code) => !shown.has(code))).toEqual([]);
  });

  it.each(parts.flatMap((part) => Object.entries(part)))('%s is explained', (code, { title, explanation }) => {
    expect(code).toMatch(/^(?:XEB[0-2]\d{3}|IST0\d{3})$/);
    expect(title).not.toMatch(/[.:]$/);
    expect(explanation).toMatch(/[.?]$/);
  });
});
