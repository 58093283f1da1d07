import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { load } from 'js-yaml';
import { describe, expect, it } from 'vitest';
import { collectionFor } from './collections.ts';
import { renderPath } from './issue.ts';

// The tables that the admission test applies to a real API server: here for whoever has none, and to keep them honest.

type Invalid = { readonly text: string; readonly expected: readonly string[] };
type Given = { readonly apiVersion: string; readonly kind: string; readonly metadata: { readonly name: string } };

const folder = join(import.meta.dirname, '..', '..', 'test', 'cluster', 'invalid');
const files = readdirSync(folder).filter((name) => name.endsWith('.yaml'));

function invalidIn(file: string): readonly Invalid[] {
  const documents = readFileSync(join(folder, file), 'utf8').split(/^---$/m);
  return documents.map((text) => ({
    text,
    expected: [...text.matchAll(/^# expect: (.+)$/gm)].map(([, expected = '']) => expected),
  }));
}

function isGiven(value: unknown): value is Given {
  return typeof value === 'object' && value !== null && 'apiVersion' in value && 'kind' in value && 'metadata' in value;
}

/** What is wrong with the object: one line per error, as people are told it. */
function errorsIn(text: string): readonly string[] {
  const object = load(text);
  if (!isGiven(object)) throw new Error(`not an object:\n${text}`);
  const collection = collectionFor(object.apiVersion, object.kind);
  if (collection === undefined) throw new Error(`no kind that is read: ${object.apiVersion} ${object.kind}`);
  const { issues } = collection.check(object, { name: object.metadata.name, namespace: 'default', annotations: {} });
  return issues
    .filter(({ level }) => level === 'error')
    .map(({ path, message, code }) => `${renderPath(path)}: ${message} (${code})`);
}

describe.each(files)('invalid/%s', (file) => {
  it.each(invalidIn(file).map((one, index) => ({ ...one, index })))('$index: $expected', ({ text, expected }) => {
    const errors = errorsIn(text);
    expect(expected).not.toEqual([]);
    expect(expected.filter((part) => !errors.some((error) => error.includes(part)))).toEqual([]);
    expect(errors.filter((error) => !expected.some((part) => error.includes(part)))).toEqual([]);
  });
});
