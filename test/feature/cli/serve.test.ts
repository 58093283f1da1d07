import { mkdir, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { RpcClient } from '../../../src/rpc/rpc-client.ts';
import { adsMethods } from '../../../src/xds/xds.ts';
import { ModelEnvoy } from '../pilot/support/model-envoy.ts';
import { makeFolder, PROXY, Program, run, shopYaml } from './program.ts';

const ANYWHERE = ['--admin', '127.0.0.1:0', '--xds-plaintext', '127.0.0.1:0', '--debounce-after', '1ms'];

type Address = { readonly host: string; readonly port: number };

function serve(source: string, ...args: readonly string[]): Program {
  return new Program(['serve', '--source', source, ...ANYWHERE, ...args]);
}

/** Where it serves, once it says so. */
function boundOf(program: Program): Promise<{ readonly admin: Address; readonly xdsPlaintext: Address }> {
  return program.until('serving', () => {
    const line = program.log.find(({ msg }) => msg === 'serving');
    return line?.['bound'] as { readonly admin: Address; readonly xdsPlaintext: Address } | undefined;
  });
}

async function page(program: Program, path: string): Promise<{ readonly status: number; readonly text: string }> {
  const { admin } = await boundOf(program);
  const reply = await fetch(`http://127.0.0.1:${admin.port}${path}`);
  return { status: reply.status, text: await reply.text() };
}

function untilReady(program: Program): Promise<boolean> {
  return program.until('ready', async () => ((await page(program, '/ready')).status === 200 ? true : undefined));
}

async function untilShown(program: Program, path: string, text: string): Promise<void> {
  await program.until(`${path} has ${text}`, async () =>
    (await page(program, path)).text.includes(text) ? true : undefined,
  );
}

async function connect(program: Program): Promise<ModelEnvoy> {
  const { xdsPlaintext: xds } = await boundOf(program);
  const client = new RpcClient(`127.0.0.1:${xds.port}`);
  const stream = client.open(adsMethods[0]?.path ?? '');
  onTestFinished(() => client.close());
  const envoy = new ModelEnvoy('delta', { id: PROXY, metadata: {} });
  void (async () => {
    for await (const message of stream.messages)
      for (const answer of envoy.onResponse(message)) await stream.send(answer);
  })();
  for (const request of envoy.start()) await stream.send(request);
  return envoy;
}

async function takenPort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  onTestFinished(() => void server.close());
  await new Promise((resolve) => server.once('listening', resolve));
  const bound = server.address();
  return typeof bound === 'object' && bound !== null ? bound.port : 0;
}

describe('xebec serve', () => {
  test('takes a mesh configuration from a file, beside the folder', async () => {
    const folder = await makeFolder();
    await writeFile(join(folder, 'mesh.yml.txt'), 'enableAutoMtls: false\n');
    const program = serve(folder, '--mesh-config', join(folder, 'mesh.yml.txt'));
    await untilReady(program);
    program.signal('SIGTERM');
    expect((await program.end()).code).toBe(0);
  });

  test('waits for a config source that is one', async () => {
    const folder = await makeFolder();
    const file = join(folder, 'mesh.yml.txt');
    await writeFile(file, 'configSources: [{ address: galley }]\n');
    const program = serve(folder, '--mesh-config', file);
    const reason = 'configSources of the mesh configuration: "galley" is no config source: write xds://host:port';
    await untilShown(program, '/ready', reason);
    expect(program.err.split(reason.replaceAll('"', '\\"'))).toHaveLength(2);
    await writeFile(file, `configSources: [{ address: 'fs://${folder}' }]\n`);
    await untilReady(program);
    await writeFile(file, 'configSources: []\n');
    await program.until('told', () =>
      program.log.find(({ msg, inForce }) => inForce === `fs://${folder}` && String(msg).includes('restart')),
    );
  });

  test('serves a folder, follows it, and ends in order when told to', async () => {
    const folder = await makeFolder();
    await writeFile(join(folder, 'shop.yaml'), shopYaml());
    const program = serve(folder);
    await untilReady(program);
    const envoy = await connect(program);
    await program.until('has routes', () => envoy.store.route.get('80'));
    await writeFile(join(folder, 'more.yaml'), shopYaml('ratings'));
    await program.until('has more', () => envoy.store.cluster.get('outbound|80||ratings.shop.svc.cluster.local'));
    await untilShown(program, '/debug/syncz', PROXY);
    expect((await page(program, '/nothing')).text).toContain('try one of: /ready /healthz /metrics');
    expect(program.log.find(({ msg }) => msg === 'serving')).toMatchObject({
      level: 'info',
      config: { source: folder },
    });
    program.signal('SIGTERM');
    const { code, out } = await program.end();
    expect([code, out]).toEqual([0, '']);
    expect(program.log.at(-1)).toMatchObject({ msg: 'stopped' });
    expect(program.log.filter(({ level }) => level === 'error')).toEqual([]);
  });

  test('waits for a folder that is not there, says so, and begins when it appears', async () => {
    const folder = join(await makeFolder(), 'later');
    const program = serve(folder);
    expect(await page(program, '/ready')).toEqual({ status: 503, text: `waiting for folder ${folder}\n` });
    const said = `the folder ${folder} does not exist: create it, or name another folder`;
    await program.until('said', () => program.log.find(({ problem }) => String(problem).startsWith(said)));
    await mkdir(folder);
    await writeFile(join(folder, 'shop.yaml'), shopYaml());
    await untilReady(program);
    await untilShown(program, '/debug/registryz', 'reviews.shop.svc.cluster.local');
    program.signal('SIGINT');
    expect((await program.end()).code).toBe(0);
  });

  test('survives what no mesh is made of, and serves the rest', async () => {
    const folder = await makeFolder();
    await writeFile(join(folder, 'shop.yaml'), shopYaml());
    const large = `apiVersion: v1\nkind: ConfigMap\nmetadata: { namespace: shop, name: large }\ndata: { text: "${'x'.repeat(5_000_000)}" }\n`;
    await writeFile(join(folder, 'large.yaml'), large);
    const lines = Array.from({ length: 200_000 }, (_, index) => `- item ${index}`).join('\n');
    await writeFile(join(folder, 'list.yaml'), lines);
    await writeFile(
      join(folder, 'junk.yaml'),
      Buffer.from(Array.from({ length: 100_000 }, (_, index) => (index * 7919) % 256)),
    );
    await writeFile(join(folder, 'deep.yaml'), `${'['.repeat(100_000)}\n`);
    await writeFile(join(folder, 'bomb.yaml'), bomb());
    const program = serve(folder);
    await untilReady(program);
    await untilShown(program, '/debug/registryz', 'reviews.shop.svc.cluster.local');
    const diagnostics = JSON.parse((await page(program, '/debug/diagnosticsz')).text) as readonly {
      readonly level: string;
      readonly at?: { readonly file: string };
    }[];
    const files = diagnostics.filter(({ level }) => level === 'error').map(({ at }) => at?.file.split('/').at(-1));
    for (const file of ['list.yaml', 'junk.yaml', 'deep.yaml', 'bomb.yaml']) expect(files).toContain(file);
    await writeFile(join(folder, 'more.yaml'), shopYaml('ratings'));
    await untilShown(program, '/debug/registryz', 'ratings.shop.svc.cluster.local');
    program.signal('SIGTERM');
    expect((await program.end()).code).toBe(0);
  });

  test.each(['--admin', '--xds-plaintext'])('a port of %s that somebody has is told in one line', async (flag) => {
    const port = await takenPort();
    const folder = await makeFolder();
    const { code, out, err } = await run(['serve', '--source', folder, ...ANYWHERE, flag, `127.0.0.1:${port}`]);
    expect({ code, out, err }).toEqual({
      code: 3,
      out: '',
      err: `${flag}: 127.0.0.1:${port} is already in use: stop what uses it, or choose another port\n`,
    });
  });

  test('settings that are none are told in the words of who gave them', async () => {
    expect(await run(['serve'])).toEqual({
      code: 2,
      out: '',
      err: '--source: is missing; give a folder of YAML to serve, or a cluster with --kubernetes\n(xebec serve --help explains the settings)\n',
    });
    const { code, err } = await run(['serve', '--source', 'x', '--admin', 'here', '--log-level', 'loud']);
    expect(code).toBe(2);
    expect(err.split('\n').slice(0, 2)).toEqual([
      '--admin: "here" is no address; write host:port, such as 127.0.0.1:15010',
      '--log-level: must be debug, info, warn or error',
    ]);
  });
});

/** Nine references to nine references to …: small on disk, not in memory. */
function bomb(): string {
  const letters = 'abcdefghi'.split('');
  const lines = letters.map((letter, index) => {
    const before = letters[index - 1];
    const items = Array.from({ length: 9 }, () => (before === undefined ? 'x' : `*${before}`));
    return `${letter}: &${letter} [${items.join(', ')}]`;
  });
  return `${lines.join('\n')}\n`;
}
