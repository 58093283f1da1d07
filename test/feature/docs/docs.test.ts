// What newcomers read stays true: paths are there, commands exist, snippets do what is said of them.
import { cpSync, existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { EXIT } from '../../../src/cli/io.ts';
import { PLATFORM } from '../../../src/local/demo/demo.ts';
import { checkout, documents, namedPaths, readDocument, shellCommands, shellWords } from './documents.ts';
import { type Run, xebec } from './run-xebec.ts';

/** Where the documents tell people to put their copy of the sample. */
const COPY = '/tmp/bookinfo';
const SAMPLE = join(checkout, 'samples', 'bookinfo');

const commands = documents.flatMap((path) => shellCommands(path).map((command) => [path, command] as const));
const xebecCommands = commands.filter(([, command]) => command.startsWith('bin/xebec '));

describe.each(documents)('%s', (path) => {
  test('names nothing that is not there', () => {
    // The laws of the tree speak of folders of src/ by their own names; a sample speaks of its own folders.
    const roots = [checkout, join(checkout, 'src'), join(checkout, dirname(path))];
    const elsewhere = /^local\.xebec\.dev\//;
    const missing = namedPaths(path).filter(
      (name) => !elsewhere.test(name) && !roots.some((root) => existsSync(join(root, name))),
    );
    expect(missing).toEqual([]);
  });

  test('names npm scripts that there are', () => {
    const { scripts } = JSON.parse(readFileSync(join(checkout, 'package.json'), 'utf8')) as { scripts: object };
    const named = [...readDocument(path).matchAll(/\bnpm (?:run )?([a-z]+)/g)].map(([, name = '']) => name);
    expect(named.filter((name) => !Object.hasOwn(scripts, name))).toEqual([]);
  });

  test('copies files that there are', () => {
    const copied = shellCommands(path)
      .filter((command) => command.startsWith('cp '))
      .flatMap((command) => shellWords(command).slice(1, -1))
      .filter((word) => !word.startsWith('-'));
    const places = copied.map((name) => (name.startsWith(COPY) ? name.replace(COPY, SAMPLE) : join(checkout, name)));
    expect(places.filter((place) => !existsSync(place))).toEqual([]);
  });
});

test('something is looked at', () => {
  expect(documents.flatMap(namedPaths).length).toBeGreaterThan(40);
  expect(xebecCommands.length).toBeGreaterThan(7);
});

describe('every command', () => {
  test.each(xebecCommands)('%s: %s', async (_, command) => {
    const words = shellWords(command).slice(1);
    const name = words[0] === 'local' ? words.slice(0, 2) : words.slice(0, 1);
    const { code, out } = await xebec([...name, '--help']);
    expect(code).toBe(EXIT.fine);
    expect(out).toMatch(/^Examples:\n {2}xebec (?:.*\n)+\nUsage: /);
    expect(out).toContain(`Usage: xebec ${name.join(' ')}`);
    expect(out).toMatch(/\nExit codes: .*\.\n$/);
    // What stands behind -- is for another program.
    const own = words.includes('--') ? words.slice(0, words.indexOf('--')) : words;
    for (const flag of own.filter((word) => /^--?\w/.test(word))) expect(out).toContain(` ${flag}`);
  });
});

describe('the snippets of README.md', () => {
  const snippet = (name: string): readonly string[] => {
    const found = shellCommands('README.md').find((command) => command.startsWith(`bin/xebec ${name} `));
    return shellWords(found ?? '').slice(1);
  };

  test('validate: the sample is in order', async () => {
    expect(await xebec(snippet('validate'))).toMatchObject({
      code: EXIT.fine,
      out: expect.stringMatching(/^\d+ good objects, 0 errors, 0 warnings\n$/),
    });
  });

  test('config-dump: what a proxy would get, and from which objects', async () => {
    const { code, out } = await xebec(snippet('config-dump'));
    expect(code).toBe(EXIT.fine);
    expect(out).toMatch(/^apiVersion: xebec\.dev\/v1\nkind: ConfigDump\nproxy: sidecar~/);
    expect(out).toMatch(
      /name: outbound\|9080\|\|reviews\.default\.svc\.cluster\.local\n(?: {4}.*\n)*? {6}- Service default\/reviews/,
    );
  });
});

describe('the mistake of the sample’s README', () => {
  let copy: string;
  beforeEach(() => {
    copy = mkdtempSync(join(tmpdir(), 'xebec-docs-'));
    cpSync(SAMPLE, copy, { recursive: true });
  });
  afterEach(() => rmSync(copy, { recursive: true, force: true }));

  test('is told in the words that are printed there', async () => {
    for (const name of ['destination-rule-all.yaml', 'virtual-service-all-v1.yaml'])
      cpSync(join(copy, 'networking', name), join(copy, 'platform', name));
    const file = join(copy, 'platform', 'virtual-service-all-v1.yaml');
    const text = readFileSync(file, 'utf8');
    writeFileSync(file, text.replace(/(host: reviews\n\s+subset:) v1/, '$1 3'));
    const { code, out }: Run = await xebec(['validate', '-f', join(copy, 'platform')]);
    expect(code).toBe(EXIT.findings);
    const told = out.split('\n')[0]?.replace(copy, COPY) ?? '';
    expect(told).toContain(': error XEB0001 VirtualService default/reviews ');
    // A mesh that runs adds what became of the object.
    expect(readDocument('samples/bookinfo/README.md')).toContain(`\n${told}; its last good version stays in force\n`);
  });
});

test('the tour begins with what the sample ships', () => {
  for (const name of PLATFORM) expect(existsSync(join(SAMPLE, 'platform', name))).toBe(true);
});
