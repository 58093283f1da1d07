import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeEach, describe, expect, test } from 'vitest';
import { parse } from 'yaml';
import { makeFolder, PROXY, Program, run, shopYaml } from './program.ts';

type Dump = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly proxy: string;
  readonly resources: readonly { readonly type: string }[];
};

describe('xebec', () => {
  test('explains itself', async () => {
    const { code, out, err } = await run(['--help']);
    expect([code, err]).toEqual([0, '']);
    for (const command of ['serve', 'config-dump', 'validate', 'local'])
      expect(out).toMatch(new RegExp(`^  ${command}`, 'm'));
    expect(out).toContain('xebec serve --source ./mesh');
  });

  test('tells its version', async () => {
    const text = await readFile(new URL('../../../package.json', import.meta.url), 'utf8');
    const { version } = JSON.parse(text) as { readonly version: string };
    expect(await run(['--version'])).toEqual({ code: 0, out: `${version}\n`, err: '' });
  });

  test('tells a mistake of the command on stderr, with exit code 2', async () => {
    const { code, out, err } = await run(['serv']);
    expect([code, out]).toEqual([2, '']);
    expect(err).toMatch(/unknown command 'serv'[\s\S]*Did you mean serve/);
  });
});

describe('xebec config-dump', () => {
  let folder = '';

  beforeEach(async () => {
    folder = await makeFolder();
    await writeFile(join(folder, 'shop.yaml'), shopYaml());
  });

  function dump(...args: readonly string[]) {
    return run(['config-dump', '--source', folder, '--proxy', PROXY, ...args]);
  }

  test('prints a table of what a proxy would get and where it is from', async () => {
    const { code, out, err } = await dump();
    expect([code, err]).toEqual([0, '']);
    const [header, ...rows] = out.trimEnd().split('\n');
    expect(header).toMatch(/^TYPE +NAME +VERSION +FROM$/);
    const cells = rows.map((row) => row.split(/ {3,}/));
    expect(cells.map(([type, name]) => `${type} ${name}`)).toEqual(
      expect.arrayContaining([
        'clusters outbound|80||reviews.shop.svc.cluster.local',
        'endpoints outbound|80||reviews.shop.svc.cluster.local',
        'listeners virtualInbound',
        'routes 80',
      ]),
    );
    expect(cells.find(([type]) => type === 'routes')?.[3]).toContain('VirtualService shop/reviews spec.http[1]');
  });

  test('prints YAML for other programs', async () => {
    const { code, out } = await dump('-o', 'yaml', '--type', 'clusters,endpoints');
    const content = parse(out) as Dump;
    expect(content).toMatchObject({ apiVersion: 'xebec.dev/v1', kind: 'ConfigDump', proxy: PROXY });
    expect(new Set(content.resources.map(({ type }) => type))).toEqual(new Set(['clusters', 'endpoints']));
    expect(code).toBe(0);
  });

  test('says on stderr that what has errors is left out, and prints the rest', async () => {
    await writeFile(
      join(folder, 'broken.yaml'),
      'apiVersion: networking.istio.io/v1\nkind: Gateway\nmetadata: {name: a}\n',
    );
    await writeFile(join(folder, 'junk.yaml'), Buffer.from([0, 1, 2, 0xff, 0xfe, 0]));
    const { code, out, err } = await dump('--type', 'clusters');
    expect(code).toBe(0);
    expect(err).toBe(`2 errors in ${folder}; what they hit is left out (xebec validate -f ${folder} lists them)\n`);
    expect(out).toContain('outbound|80||reviews.shop.svc.cluster.local');
  });

  test('ends in peace when nobody reads on', async () => {
    const program = new Program(['config-dump', '--source', folder, '--proxy', PROXY, '-o', 'yaml']);
    program.closeOutput();
    const { code, err } = await program.end();
    expect([code, err]).toEqual([0, '']);
  });
});

describe('xebec validate', () => {
  test('exits by what it found', async () => {
    const [good, bad] = [await makeFolder(), await makeFolder()];
    await writeFile(join(good, 'a.yaml'), shopYaml());
    await writeFile(join(bad, 'a.yaml'), `${shopYaml()}---\nkind: [\n`);
    const folders = [good, bad, '/nowhere/at/all'];
    const [fine, broken, missing] = await Promise.all(folders.map((folder) => run(['validate', '-f', folder])));
    expect(fine).toMatchObject({ code: 0, err: '' });
    expect(broken).toMatchObject({ code: 1, err: '' });
    expect(broken?.out).toMatch(/a\.yaml:\d+:\d+: error XEB1004: /);
    expect(missing).toMatchObject({ code: 2, out: '' });
  });

  test('reads standard input', async () => {
    const { code, out } = await run(['validate', '-f', '-', '-o', 'json'], 'just text\n');
    expect(code).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ kind: 'ValidationReport', summary: { objects: 0, errors: 1 } });
  });
});
