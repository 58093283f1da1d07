// What docs/config-distribution.md says is so.
import { expect, test } from 'vitest';
import { distributedKinds } from '../../../src/galley/distribution/kinds.ts';
import { readDocument, shellCommands, shellWords } from '../docs/documents.ts';
import { xebec } from '../docs/run-xebec.ts';

const path = 'docs/config-distribution.md';

test('the table has every kind, with its collection and its message', () => {
  const rows = [...readDocument(path).matchAll(/^\| (\w+) +\| (?:`(\S+)`|–) +\| `(\S+)` +\|$/gm)];
  const expected = distributedKinds.map(({ kind, collection, message }) => [kind, collection, message]);
  expect(rows.map(([, kind, collection, message]) => [kind, collection, message])).toEqual(expected);
});

test('no two kinds share a collection', () => {
  const collections = distributedKinds.flatMap(({ collection }) => collection ?? []);
  expect(new Set(collections).size).toBe(collections.length);
});

test('the commands have flags that there are', async () => {
  const commands = shellCommands(path);
  expect(commands.length).toBeGreaterThan(1);
  const { out } = await xebec(['serve', '--help']);
  for (const command of commands) {
    expect(command).toMatch(/^bin\/xebec serve /);
    for (const flag of shellWords(command).filter((word) => word.startsWith('--'))) expect(out).toContain(` ${flag} `);
  }
});
