import { expect, it } from 'vitest';
import { readMeta } from '../sources/read-meta.ts';
import { metadataIssues } from './metadata.ts';

function pathsOf(metadata: Readonly<Record<string, unknown>>): readonly string[] {
  const namespace = typeof metadata['namespace'] === 'string' ? metadata['namespace'] : 'default';
  return metadataIssues({ metadata }, readMeta(metadata, namespace)).map(({ path }) => path.join('.'));
}

it('accepts what Kubernetes accepts', () => {
  const labels = { app: 'x', 'example.com/long_name.1': '' };
  expect(pathsOf({ name: 'a.b-c', namespace: '1a', labels, annotations: { 'a/b': 'any text\n' } })).toEqual([]);
  expect(pathsOf({ name: 'a', labels: null, annotations: undefined })).toEqual([]);
});

it('says how to write what is not text, whatever YAML made of it', () => {
  const metadata = { name: 'a', labels: { version: 1 } };
  expect(metadataIssues({ metadata }, readMeta(metadata, 'default')).map(({ message }) => message)).toEqual([
    'must be text (got number 1): put it in quotes',
  ]);
});

it.each([
  [{ name: 'A' }, ['metadata.name']],
  [{ name: 'a_b' }, ['metadata.name']],
  [{ name: 'a', namespace: 'a.b' }, ['metadata.namespace']],
  [{ name: 'a', labels: { version: 1 } }, ['metadata.labels.version']],
  [{ name: 'a', labels: { 'a b': 'x' } }, ['metadata.labels.a b']],
  [{ name: 'a', labels: { a: 'x y' } }, ['metadata.labels.a']],
  [{ name: 'a', labels: ['x'] }, ['metadata.labels']],
  [{ name: 'a', annotations: { a: true } }, ['metadata.annotations.a']],
])('refuses %j', (metadata, paths) => {
  expect(pathsOf(metadata)).toEqual(paths);
});
