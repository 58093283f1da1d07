import { expect, it } from 'vitest';
import { EXIT } from '../../../src/cli/io.ts';
import { runValidate, type ValidateArgs, validateDefaults } from '../../../src/cli/validate.ts';
import { systemClock } from '../../../src/kit/system-clock.ts';
import { documents, Folder, route } from './harness.ts';

type Run = { readonly exit: number; readonly out: string; readonly err: string };
type RunOptions = Partial<ValidateArgs> & {
  readonly stdin?: string;
  readonly isTerminal?: boolean;
  readonly env?: Readonly<Record<string, string>>;
};

async function validate(files: readonly string[], options: RunOptions = {}): Promise<Run> {
  const { stdin = '', isTerminal = false, env = {}, ...args } = options;
  let out = '';
  let err = '';
  const io = {
    out: (text: string) => void (out += text),
    err: (text: string) => void (err += text),
    isTerminal,
    env,
    readStdin: () => Promise.resolve(stdin),
    signal: new AbortController().signal,
  };
  const exit = await runValidate({ ...validateDefaults, files, ...args }, io, systemClock);
  return { exit, out, err };
}

it('is content with a good folder', async () => {
  const folder = await Folder.make();
  await folder.write('a.yaml', documents(route('a'), route('b')));
  expect(await validate([folder.path])).toEqual({
    exit: EXIT.fine,
    out: '2 good objects, 0 errors, 0 warnings\n',
    err: '',
  });
});

it('prints a line per problem, grouped by file, with place, code, object, field, and a summary', async () => {
  const folder = await Folder.make();
  await folder.write('a.yaml', route('a', { more: '  gateways: [missing]\n' }));
  await folder.write('b.yaml', documents('kind: [\n', route('b')));
  const { exit, out } = await validate([folder.path]);
  expect(exit).toBe(EXIT.findings);
  expect(out.split('\n')).toEqual([
    `${folder.at('a.yaml')}:11:14: error IST0101 VirtualService default/a spec.gateways[0]: there is no Gateway default/missing that can be used: create it, correct the name, or repair it`,
    '',
    expect.stringMatching(/b\.yaml:\d+:\d+: error XEB1004: cannot be parsed: /),
    '',
    '2 good objects, 2 errors, 0 warnings',
    '',
  ]);
});

it('writes a versioned report for programs', async () => {
  const folder = await Folder.make();
  await folder.write('a.yaml', route('a', { more: '  gateways: [missing]\n' }));
  const { exit, out } = await validate([folder.at('a.yaml')], { output: 'json' });
  expect(exit).toBe(EXIT.findings);
  expect(JSON.parse(out)).toEqual({
    apiVersion: 'xebec.dev/v1',
    kind: 'ValidationReport',
    summary: { objects: 1, errors: 1, warnings: 0, infos: 0 },
    diagnostics: [
      {
        code: 'IST0101',
        level: 'error',
        object: { kind: 'VirtualService', namespace: 'default', name: 'a' },
        path: 'spec.gateways[0]',
        message: 'there is no Gateway default/missing that can be used: create it, correct the name, or repair it',
        position: { file: folder.at('a.yaml'), line: 11, column: 14 },
      },
    ],
  });
});

it('reads standard input', async () => {
  const { exit, out } = await validate(['-'], { stdin: documents(route('a'), route('a'), 'just text\n') });
  expect(exit).toBe(EXIT.findings);
  expect(out).toContain(
    'stdin:15:3: error XEB1008 VirtualService default/a metadata.name: is defined in stdin:1 already',
  );
  expect(out).toContain('error XEB1006');
});

it('fails on warnings only when told to', async () => {
  const stdin =
    'apiVersion: v1\nkind: Service\nmetadata: {name: s}\nspec: {publishNotReadyAddresses: on, ports: [{port: 80}]}\n';
  expect(await validate(['-'], { stdin })).toMatchObject({
    exit: EXIT.fine,
    out: expect.stringContaining('1 warning'),
  });
  expect((await validate(['-'], { stdin, failOn: 'warning' })).exit).toBe(EXIT.findings);
});

it('tells a mistake of the command from a mistake in the configuration', async () => {
  const missing = await validate(['/nowhere/at/all']);
  expect(missing).toEqual({
    exit: EXIT.usage,
    out: '',
    err: 'cannot read /nowhere/at/all: it does not exist; correct the path\n',
  });
  expect((await validate([])).exit).toBe(EXIT.usage);
});

it('says when there was nothing to check', async () => {
  const folder = await Folder.make();
  const { exit, err } = await validate([folder.path]);
  expect(exit).toBe(EXIT.fine);
  expect(err).toContain('nothing to check');
});

it('uses colour on a terminal only, and never against NO_COLOR', async () => {
  const stdin = 'just text\n';
  expect((await validate(['-'], { stdin, isTerminal: true })).out).toContain('\u001b[31merror');
  expect((await validate(['-'], { stdin, isTerminal: true, env: { NO_COLOR: '1' } })).out).not.toContain('\u001b');
  expect((await validate(['-'], { stdin, isTerminal: true, noColor: true })).out).not.toContain('\u001b');
  expect((await validate(['-'], { stdin })).out).not.toContain('\u001b');
});

it('takes the mesh configuration into account', async () => {
  const folder = await Folder.make();
  await folder.write('mesh', 'connectTimeout: soon\n');
  const { out } = await validate(['-'], { stdin: route('a'), meshConfigFile: folder.at('mesh') });
  expect(out).toContain(`${folder.at('mesh')}:1:1: error XEB0004 connectTimeout`);
});
