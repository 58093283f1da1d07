// Where the programs are that npm does not bring. Everything downloaded lives in one cache folder, shared by all checkouts of a user.
import { spawnSync } from 'node:child_process';
import { accessSync, constants, existsSync, mkdirSync } from 'node:fs';
import { homedir } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const checkout = fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '');

export const nodeBinary = join(checkout, 'node_modules', '.bin', 'node');

/** An obstacle that a person has to remove: its message is the one line that says how. */
export class Remedy extends Error {}

/** XEBEC_CACHE, or the user's cache folder, or (where that cannot be written) .cache in the checkout. */
export function cacheFolder() {
  const candidates = [
    process.env['XEBEC_CACHE'],
    join(process.env['XDG_CACHE_HOME'] ?? join(homedir(), '.cache'), 'xebec'),
    join(checkout, '.cache'),
  ];
  for (const folder of candidates) {
    if (folder !== undefined && folder !== '' && isWritable(folder)) return folder;
  }
  throw new Remedy(
    'no cache folder can be written: run as the user who owns the checkout, or set XEBEC_CACHE to a folder',
  );
}

/** Envoy of exactly the version the API descriptors have. */
export const envoyVersion = '1.40.0';

/** XEBEC_ENVOY, or the one that `npm run setup -- --for envoy` fetched. The file need not exist yet. */
export function envoyBinary() {
  return process.env['XEBEC_ENVOY'] || join(cacheFolder(), `envoy-${envoyVersion}`, 'envoy');
}

/** Go from PATH, else the one setup fetched, else undefined. */
export function goBinary() {
  return [findProgram('go'), join(cacheFolder(), 'go', 'bin', 'go')].find((go) => go !== undefined && isRecentGo(go));
}

/**
 * As recent as every go.mod here asks for: an older one would fetch a newer by itself, or refuse.
 * @param {string} go
 */
function isRecentGo(go) {
  if (!existsSync(go)) return false;
  const { stdout } = spawnSync(go, ['version'], { encoding: 'utf8' });
  return Number(/go1\.(\d+)/.exec(stdout)?.[1] ?? 0) >= 26;
}

/** @param {string} name */
export function findProgram(name) {
  // Debian keeps iptables in sbin, which is not on everybody's PATH.
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/local/go/bin', '/usr/sbin', '/sbin'];
  return folders.map((folder) => join(folder, name)).find(isExecutable);
}

/** @param {string} file */
function isExecutable(file) {
  try {
    accessSync(file, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

/** @param {string} folder */
function isWritable(folder) {
  try {
    mkdirSync(folder, { recursive: true });
    accessSync(folder, constants.W_OK);
    return true;
  } catch {
    return false;
  }
}
