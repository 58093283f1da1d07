import { readFile } from 'node:fs/promises';
import { delimiter, dirname, resolve } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { load as parseYaml } from 'js-yaml';
import { err, ok, type Result } from '../kit/result.ts';
import type { KubeObject } from './api.ts';
import type { Found } from './connect.ts';
import type { Access, CredentialSource, TlsMaterial } from './credentials.ts';
import { wordsOf } from './errors.ts';
import { asRecord, recordsIn, textIn } from './json.ts';

/** `path` may be a list of files, as KUBECONFIG has it. */
type Wanted = { readonly path: string; readonly context?: string | undefined };

/** Finds the server of a kubeconfig. Tokens, client certificates, exec plugins and OIDC are the package's. */
export async function findByKubeconfig(wanted: Wanted): Promise<Result<Found, string>> {
  const loaded = await load(wanted);
  if (!loaded.ok) return loaded;
  const { config } = loaded.value;
  const cluster = config.getCurrentCluster();
  const problem = problemOf(config, wanted);
  if (problem !== undefined || cluster === null) return err(problem ?? '');
  return ok({
    server: cluster.server,
    namespace: config.getContextObject(config.getCurrentContext())?.namespace,
    source: new KubeconfigSource(wanted, loaded.value),
  });
}

type Loaded = {
  readonly config: KubeConfig;
  readonly text: string;
  /** By user, nothing for one that has none; the package does not know them. */
  readonly tokenFiles: ReadonlyMap<string, string | undefined>;
};

async function load({ path, context }: Wanted): Promise<Result<Loaded, string>> {
  try {
    const files = await loadFiles(path.split(delimiter).filter((file) => file !== ''));
    const config = merged(files.map((file) => file.config));
    if (context !== undefined) config.setCurrentContext(context);
    const text = files.map((file) => file.text).join('\n');
    return ok({ config, text, tokenFiles: new Map(files.toReversed().flatMap((file) => [...file.tokenFiles])) });
  } catch (error) {
    return err(
      `cannot connect to the Kubernetes API: the kubeconfig ${path} cannot be read (${wordsOf(error).split('\n')[0]}); check the file, or name another`,
    );
  }
}

/** KUBECONFIG may name several files, of which one has to exist. */
async function loadFiles(paths: readonly string[]): Promise<readonly Loaded[]> {
  const loaded: Loaded[] = [];
  let missing: unknown = new Error('no file is named');
  for (const path of paths) {
    try {
      loaded.push(await loadFile(path));
    } catch (error) {
      if (!isMissing(error)) throw error;
      missing = error;
    }
  }
  if (loaded.length === 0) throw missing;
  return loaded;
}

async function loadFile(path: string): Promise<Loaded> {
  const text = await readFile(path, 'utf8');
  if (text.trim() === '') throw new Error('it is empty');
  const config = new KubeConfig();
  config.loadFromString(text, { onInvalidEntry: 'filter' });
  config.makePathsAbsolute(dirname(path));
  return { config, text, tokenFiles: tokenFilesOf(text, dirname(path)) };
}

/** As kubectl merges them: the first file that says something has the say. */
function merged(files: readonly KubeConfig[]): KubeConfig {
  const config = new KubeConfig();
  config.loadFromOptions({
    clusters: firstOfEach(files.flatMap(({ clusters }) => clusters)),
    users: firstOfEach(files.flatMap(({ users }) => users)),
    contexts: firstOfEach(files.flatMap(({ contexts }) => contexts)),
    currentContext: files.find(({ currentContext }) => currentContext)?.currentContext,
  });
  return config;
}

function firstOfEach<T extends { readonly name: string }>(entries: readonly T[]): readonly T[] {
  return entries.filter(({ name }, index) => entries.findIndex((other) => other.name === name) === index);
}

function isMissing(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'ENOENT';
}

function tokenFilesOf(text: string, folder: string): ReadonlyMap<string, string | undefined> {
  const users = recordsIn(asRecord(parseYaml(text)), 'users');
  return new Map(
    users.map((user) => {
      const file = textIn(asRecord(user['user']), 'tokenFile');
      return [textIn(user, 'name'), file === '' ? undefined : resolve(folder, file)] as const;
    }),
  );
}

function problemOf(config: KubeConfig, { path, context }: Wanted): string | undefined {
  const name = config.getCurrentContext();
  const names = config.getContexts().map((known) => known.name);
  const failed = 'cannot connect to the Kubernetes API: ';
  if (names.length === 0) return `${failed}${path} has no contexts; name another file, or repair it`;
  if (name === undefined || name === '')
    return `${failed}${path} has no current context; name one (${names.join(', ')})`;
  if (!names.includes(name)) {
    const origin = context === undefined ? 'current context' : 'context';
    return `${failed}${path} has no ${origin} ${name}; it has ${names.join(', ')}`;
  }
  const cluster = config.getCurrentCluster();
  if (cluster === null) return `${failed}the context ${name} of ${path} names a cluster that is not there; add it`;
  if (!/^https?:/.test(cluster.server) || !URL.canParse(cluster.server))
    return `${failed}the server ${cluster.server} of ${path} is no address; correct it`;
  if (cluster.proxyUrl !== undefined && cluster.proxyUrl !== '')
    return `${failed}${path} says proxy-url, which is not supported; connect directly`;
  return undefined;
}

class KubeconfigSource implements CredentialSource {
  readonly #wanted: Wanted;
  #loaded: Loaded;

  constructor(wanted: Wanted, loaded: Loaded) {
    this.#wanted = wanted;
    this.#loaded = loaded;
  }

  async load(refused: boolean): Promise<Access> {
    await this.#reload(refused);
    const { config, tokenFiles } = this.#loaded;
    const user = config.getCurrentUser();
    const tokenFile = tokenFiles.get(user?.name ?? '');
    const token = tokenFile === undefined ? user?.token : (await readFile(tokenFile, 'utf8')).trim();
    const bearer = token === undefined ? {} : { authorization: `Bearer ${token}` };
    const server = config.getCurrentCluster()?.server ?? '';
    // The package wants TLS; a plain address (`kubectl proxy`) has at most a token.
    if (server.startsWith('http:')) return { headers: bearer, tls: plainTls };
    // Options of node:https, which the package fills in.
    const options = {};
    await config.applyToHTTPSOptions(options);
    return { headers: { ...headersOf(options), ...bearer }, tls: tlsOf(options) };
  }

  /** What plugins and OIDC have in memory is kept, unless the file changed or a plugin's credential was refused. */
  async #reload(refused: boolean): Promise<void> {
    const loaded = await load(this.#wanted);
    if (!loaded.ok) throw new Error(loaded.error);
    const user = this.#loaded.config.getCurrentUser();
    const isInMemory = user?.authProvider !== undefined || (user?.exec !== undefined && !refused);
    if (!isInMemory || loaded.value.text !== this.#loaded.text) this.#loaded = loaded.value;
  }
}

const plainTls: TlsMaterial = {
  ca: undefined,
  cert: undefined,
  key: undefined,
  servername: undefined,
  rejectUnauthorized: true,
};

function headersOf(options: KubeObject): Readonly<Record<string, string>> {
  const given = Object.entries(asRecord(options['headers'])).flatMap(([name, value]) =>
    typeof value === 'string' ? [[name.toLowerCase(), value] as const] : [],
  );
  const userAndPassword = textIn(options, 'auth');
  const basic =
    userAndPassword === '' ? {} : { authorization: `Basic ${Buffer.from(userAndPassword).toString('base64')}` };
  return { ...basic, ...Object.fromEntries(given) };
}

function tlsOf(options: KubeObject): TlsMaterial {
  return {
    ca: pemText(options['ca']),
    cert: pemText(options['cert']),
    key: pemText(options['key']),
    servername: textIn(options, 'servername') || undefined,
    rejectUnauthorized: options['rejectUnauthorized'] !== false,
  };
}

function pemText(value: unknown): string | undefined {
  if (typeof value === 'string') return value;
  return Buffer.isBuffer(value) ? value.toString('utf8') : undefined;
}
