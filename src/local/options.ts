import { existsSync, realpathSync, statSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { parseArgs } from 'node:util';
import { parseProcessConfig } from '../app/config.ts';
import type { DataFormat } from '../app/render-data.ts';
import { err, ok, type Result } from '../kit/result.ts';
import type { Environment } from './programs.ts';
import { DEFAULT_ADMIN_PORT, DEFAULT_PUBLISH, isPort, type Publish, parsePublish, renderPublish } from './publish.ts';
import { stateFolderOf, stateRootFrom } from './state.ts';

/** What every subcommand needs to know about the mesh of a folder. */
export type LocalOptions = {
  readonly root: string;
  /** What is applied and watched: `platform/` of the folder if there is one, else the folder. */
  readonly folder: string;
  readonly meshConfig: string | undefined;
  readonly publish: readonly Publish[];
  readonly adminPort: number;
  /** How long the certificates of pods last, such as `24h`; undefined is the control plane's default. */
  readonly workloadCertTtl: string | undefined;
  readonly stateRoot: string;
  readonly stateFolder: string;
  readonly foreground: boolean;
  readonly timeoutMs: number;
  readonly output: 'table' | DataFormat;
};

const APPLIED_FOLDER = 'platform';
const MESH_CONFIG_FILE = 'mesh-config.yaml';
const DEFAULT_TIMEOUT_S = 120;

const flags = {
  publish: { type: 'string', multiple: true, short: 'p' },
  'admin-port': { type: 'string' },
  'mesh-config': { type: 'string' },
  'workload-cert-ttl': { type: 'string' },
  foreground: { type: 'boolean' },
  timeout: { type: 'string' },
  output: { type: 'string', short: 'o' },
} as const;
const allFlags = Object.keys(flags) as readonly Flag[];

export type Flag = keyof typeof flags;
export type Where = { readonly cwd: string; readonly env: Environment };

/** Reads `DIR [flags]`. The folder need not exist any more for `down` and `status`. */
export function parseOptions(
  args: readonly string[],
  where: Where,
  allowed: readonly Flag[] = allFlags,
): Result<LocalOptions, string> {
  const parsed = readFlags(args, allowed);
  if (!parsed.ok) return parsed;
  const { values, positionals } = parsed.value;
  const [folder, ...more] = positionals;
  if (folder === undefined) return err('name the folder of YAML, such as samples/bookinfo');
  if (more.length > 0) return err(`one folder at a time, not also ${more.join(' ')}`);
  const settings = parseSettings(values);
  if (!settings.ok) return settings;
  const root = realPath(resolve(where.cwd, folder));
  const stateRoot = stateRootFrom(where.env);
  return ok({
    ...settings.value,
    root,
    folder: isFolder(join(root, APPLIED_FOLDER)) ? join(root, APPLIED_FOLDER) : root,
    meshConfig: meshConfigOf(root, values['mesh-config'], where),
    stateRoot,
    stateFolder: stateFolderOf(stateRoot, root),
    foreground: values.foreground === true,
  });
}

type FlagValues = {
  readonly publish?: readonly string[] | undefined;
  readonly 'admin-port'?: string | undefined;
  readonly 'workload-cert-ttl'?: string | undefined;
  readonly timeout?: string | undefined;
  readonly output?: string | undefined;
};
type Settings = Pick<LocalOptions, 'publish' | 'adminPort' | 'workloadCertTtl' | 'timeoutMs' | 'output'>;

function parseSettings(values: FlagValues): Result<Settings, string> {
  const publish = parseAll(values.publish);
  if (!publish.ok) return publish;
  const adminPort = Number(values['admin-port'] ?? DEFAULT_ADMIN_PORT);
  if (!isPort(adminPort)) return err('--admin-port must be a port, such as 15015');
  const workloadCertTtl = values['workload-cert-ttl'];
  if (workloadCertTtl !== undefined) {
    // Judged by whom it is for, but now, while somebody listens.
    const judged = parseProcessConfig({ source: '.', workloadCertTtlMs: workloadCertTtl }, {});
    if (!judged.ok) return judged;
  }
  const timeout = Number(values.timeout ?? DEFAULT_TIMEOUT_S);
  if (!(timeout > 0)) return err('--timeout is a number of seconds, such as 60');
  const output = values.output ?? 'table';
  if (output !== 'table' && output !== 'yaml' && output !== 'json') return err('-o must be table, yaml or json');
  return ok({
    publish: publish.value,
    adminPort,
    workloadCertTtl,
    timeoutMs: timeout * 1000,
    output,
  });
}

/** The same options as arguments, for the process that does the work. */
export function renderOptions(options: LocalOptions): readonly string[] {
  return [
    options.root,
    ...options.publish.flatMap((pair) => ['--publish', renderPublish(pair)]),
    '--admin-port',
    String(options.adminPort),
    '--timeout',
    String(options.timeoutMs / 1000),
    ...(options.workloadCertTtl === undefined ? [] : ['--workload-cert-ttl', options.workloadCertTtl]),
    ...(options.meshConfig === undefined ? [] : ['--mesh-config', options.meshConfig]),
  ];
}

function readFlags(args: readonly string[], allowed: readonly Flag[]) {
  try {
    const parsed = parseArgs({ args: [...args], options: flags, allowPositionals: true, strict: true });
    const foreign = Object.keys(parsed.values).find((name) => !allowed.some((flag) => flag === name));
    return foreign === undefined ? ok(parsed) : err(`--${foreign} is for another command`);
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    // Node goes on to explain how an argument may begin with a dash.
    return err(message.split(/\. To specify|\n/)[0] ?? message);
  }
}

function parseAll(pairs: readonly string[] | undefined): Result<readonly Publish[], string> {
  if (pairs === undefined) return ok(DEFAULT_PUBLISH);
  const publish: Publish[] = [];
  for (const text of pairs) {
    const pair = parsePublish(text);
    if (!pair.ok) return err(`--publish: ${pair.error}`);
    if (publish.some(({ hostPort }) => hostPort === pair.value.hostPort)) {
      return err(`--publish: port ${pair.value.hostPort} is named twice`);
    }
    publish.push(pair.value);
  }
  return ok(publish);
}

function meshConfigOf(root: string, named: string | undefined, { cwd }: Where): string | undefined {
  if (named !== undefined) return resolve(cwd, named);
  const usual = join(root, MESH_CONFIG_FILE);
  return existsSync(usual) ? usual : undefined;
}

function realPath(path: string): string {
  return existsSync(path) ? realpathSync(path) : path;
}

function isFolder(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() === true;
}
