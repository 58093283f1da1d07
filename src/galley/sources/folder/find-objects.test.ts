import { expect, it } from 'vitest';
import { findObjects } from './find-objects.ts';

const service = { apiVersion: 'v1', kind: 'Service', metadata: { name: 'a' } };
const bare = { metadata: { name: 'a' } };

it.each([
  ['an object', service],
  ['a List', { apiVersion: 'v1', kind: 'List', items: [service] }],
  ['the List of one kind', { apiVersion: 'networking.istio.io/v1', kind: 'GatewayList', items: [bare] }],
  [
    'a List in a List',
    { apiVersion: 'v1', kind: 'List', items: [{ apiVersion: 'v1', kind: 'List', items: [service] }] },
  ],
])('finds the object of %s', (_, value) => {
  const { found, problems, isBroken } = findObjects(value);
  expect(found.map(({ object }) => object.meta.name)).toEqual(['a']);
  expect(problems).toEqual([]);
  expect(isBroken).toBe(false);
});

it.each([
  ['an empty List', { apiVersion: 'v1', kind: 'List', items: null }],
  ['nothing', null],
])('finds nothing in %s, and nothing wrong', (_, value) => {
  expect(findObjects(value)).toEqual({ found: [], problems: [], isBroken: false });
});

it.each([
  ['text', 'a', 'error XEB1006 ', 'starts with apiVersion, kind and metadata'],
  ['values of a chart', { replicas: 1 }, 'warning XEB1006 ', 'move it out of the folder'],
  ['an object without kind', { apiVersion: 'v1', metadata: {} }, 'error XEB1006 ', 'it has no kind: add it'],
  ['an object without metadata', { apiVersion: 'v1', kind: 'Service' }, 'error XEB1006 ', 'give it a name there'],
  ['metadata that are a list', { ...service, metadata: [] }, 'error XEB1006 metadata', 'write name: below it'],
  ['a name that is a number', { ...service, metadata: { name: 1 } }, 'error XEB1006 metadata.name', 'put it in quotes'],
  ['a version that is a number', { ...service, apiVersion: 1 }, 'error XEB1006 apiVersion', '(got number 1)'],
  ['an object without name', { ...service, metadata: {} }, 'error XEB1006 metadata', 'has no metadata.name'],
  [
    'items that are no list',
    { apiVersion: 'v1', kind: 'List', items: {} },
    'error XEB1006 items',
    'start each of them with -',
  ],
  [
    'text among the items',
    { apiVersion: 'v1', kind: 'List', items: ['a'] },
    'error XEB1006 items.0',
    'is not an object',
  ],
  [
    'a kind of others that ends like a List',
    { apiVersion: 'example.com/v1', kind: 'AllowList', metadata: { name: 'a' }, items: {} },
    'info XEB1007 kind',
    'no meaning to the mesh',
  ],
  ['a kind that is misspelled', { ...service, kind: 'Servise' }, 'error XEB1007 kind', 'did you mean Service?'],
])('says what is wrong with %s', (_, value, line, remedy) => {
  const { found, problems } = findObjects(value);
  expect(found).toEqual([]);
  expect(problems.map(({ level, code, path }) => `${level} ${code} ${path.join('.')}`)).toEqual([line]);
  expect(problems[0]?.message).toContain(remedy);
});
