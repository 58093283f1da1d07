import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { parse } from 'yaml';
import { systemClock } from '../kit/system-clock.ts';
import { runCli } from './cli.ts';

type Run = { readonly code: number; readonly out: string; readonly err: string };

async function run(...args: readonly string[]): Promise<Run> {
  const text = { out: '', err: '' };
  const code = await runCli(args, {
    out: (part) => void (text.out += part),
    err: (part) => void (text.err += part),
    isTerminal: false,
    env: {},
    readStdin: () => Promise.resolve(''),
    readLine: () => Promise.resolve(undefined),
    signal: new AbortController().signal,
    clock: systemClock,
    platform: 'linux',
    uid: 0,
    pid: 1,
    cwd: '/',
    self: ['node'],
    kill: () => undefined,
    version: '0.0.0',
  });
  return { code, ...text };
}

const PROXY = 'sidecar~10.1.0.1~reviews-1.shop~shop.svc.cluster.local';
const YAML = `
apiVersion: v1
kind: Service
metadata: { namespace: shop, name: reviews }
spec: { selector: { app: reviews }, clusterIP: 10.96.0.1, ports: [{ name: http, port: 80, targetPort: 8080 }] }
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { namespace: shop, name: reviews }
spec:
  hosts: [reviews]
  http:
    - match: [{ uri: { prefix: /old }, sourceLabels: { version: v1 } }]
      redirect: { uri: / }
    - route: [{ destination: { host: reviews } }]
`;

async function makeFolder(yaml: string): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'xebec-'));
  await writeFile(join(folder, 'mesh.yaml'), yaml);
  return folder;
}

describe('the command line', () => {
  test.each([
    ['no command', [], /^Examples:/],
    ['an unknown command', ['dump'], /unknown command 'dump'[\s\S]*xebec --help lists the commands/],
    ['an unknown flag', ['serve', '--sauce', 'x'], /unknown option '--sauce'/],
    ['a flag without its value', ['serve', '--source'], /argument missing/],
    ['nothing to validate', ['validate'], /required option '-f, --file/],
    ['a level that is none', ['validate', '-f', 'x', '--fail-on', 'info'], /it is error or warning/],
    ['a format that is none', ['validate', '-f', 'x', '-o', 'xml'], /it is table, yaml or json/],
    ['a token outside of a pod', ['check', '--token-file', '/nowhere'], /^--token-file: is for a pod/],
    ['an address that is none', ['check', '--xds', 'here'], /^--xds: "here" is no address/],
    ['a proxy that nobody named', ['config-dump', '--source', '/'], /required option '--proxy/],
  ])('%s is a mistake of the command', async (_, args, message) => {
    const { code, out, err } = await run(...args);
    expect([code, out]).toEqual([2, '']);
    expect(err).toMatch(message);
  });

  test('every command explains itself', async () => {
    for (const command of ['serve', 'config-dump', 'validate']) {
      const { code, out, err } = await run(command, '--help');
      expect([code, err]).toEqual([0, '']);
      expect(out).toMatch(new RegExp(`^Usage: xebec ${command}`, 'm'));
    }
  });
});

describe('config-dump', () => {
  let folder = '';

  beforeAll(async () => {
    folder = await makeFolder(YAML);
    return () => rm(folder, { recursive: true, force: true });
  });

  function dump(...args: readonly string[]): Promise<Run> {
    return run('config-dump', '--source', folder, '--proxy', PROXY, ...args);
  }

  async function dumpRoutes(...args: readonly string[]): Promise<string> {
    return (await dump('-o', 'json', '--type', 'routes', '--name', '80', ...args)).out;
  }

  test('says the same in YAML and in JSON', async () => {
    const [json, yaml] = [await dump('-o', 'json'), await dump('-o', 'yaml')];
    expect(parse(yaml.out)).toEqual(JSON.parse(json.out));
    expect(JSON.parse(json.out)).toMatchObject({ apiVersion: 'xebec.dev/v1', kind: 'ConfigDump', proxy: PROXY });
  });

  test('prints only the types and names that are asked for', async () => {
    const { out } = await dump('--type', 'clusters,routes', '--name', '80');
    const [, ...rows] = out.trimEnd().split('\n');
    expect(rows.map((row) => row.split(/ {3,}/).slice(0, 2).join(' '))).toEqual([
      'clusters outbound|80||reviews.shop.svc.cluster.local',
      'routes 80',
    ]);
    const nothing = await dump('--name', 'nowhere');
    expect([nothing.code, nothing.out]).toEqual([0, 'TYPE   NAME   VERSION   FROM\n']);
    expect(nothing.err).toContain('nothing matches');
  });

  test('takes the proxy’s labels from metadata', async () => {
    expect(await dumpRoutes('--metadata', 'LABELS={"version":"v1"}')).toContain('"/old"');
    expect(await dumpRoutes('--metadata', 'LABELS={"version":"v2"}', '--metadata', 'HTTP10=1')).not.toContain('"/old"');
  });

  test('takes the domain and the mesh configuration', async () => {
    const mesh = join(folder, 'mesh.txt');
    await writeFile(mesh, 'outboundTrafficPolicy: { mode: REGISTRY_ONLY }\n');
    onTestFinished(() => rm(mesh));
    const { out } = await dump('--domain', 'example.org', '--mesh-config', mesh, '-o', 'json');
    expect(out).toContain('"outbound|80||reviews.shop.svc.example.org"');
    expect(out).toContain('"block_all"');
  });

  test('reads one file as well as a folder', async () => {
    const args = ['config-dump', '--source', join(folder, 'mesh.yaml'), '--proxy', PROXY] as const;
    expect((await run(...args)).out).toBe((await dump()).out);
  });

  test('says when something is left out', async () => {
    const broken = await makeFolder(`${YAML}---\nkind: [\n`);
    onTestFinished(() => rm(broken, { recursive: true }));
    const { code, out, err } = await run('config-dump', '--source', broken, '--proxy', PROXY);
    expect(code).toBe(0);
    expect(out).toContain('outbound|80||reviews.shop.svc.cluster.local');
    const [note, other] = err.split('\n');
    expect(note).toBe(`1 error in ${broken}; what they hit is left out (xebec validate -f ${broken} lists them)`);
    expect(other).toMatch(/^no Pod or WorkloadEntry of .* has that address, so no service leads to this proxy/);
  });

  test.each([
    ['a node id', ['--proxy', 'reviews.shop'], /^--proxy: node id "reviews\.shop" must have four parts/],
    ['a folder', ['--source', '/nowhere/at/all'], /^cannot read \/nowhere\/at\/all: it does not exist/],
    ['a mesh config', ['--mesh-config', '/nowhere/mesh.yaml'], /^cannot read \/nowhere\/mesh\.yaml: it does not exist/],
    ['a type', ['--type', 'clusters,cars'], /unknown type cars/],
    ['a format', ['-o', 'xml'], /it is table, yaml or json/],
    ['metadata', ['--metadata', 'LABELS'], /write key=value/],
    ['JSON of metadata', ['--metadata', 'LABELS={"a"'], /what begins with \{ must be JSON/],
  ])('%s that is none is a mistake of the command', async (_, args, message) => {
    const { code, out, err } = await dump(...args);
    expect([code, out]).toEqual([2, '']);
    expect(err).toMatch(message);
  });
});
