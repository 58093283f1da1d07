// `npm run image [-- --tag NAME]`: builds dist/, gathers what the image carries in build/image/, and builds the image with the first of
// docker, podman and buildah that is there. With `--prepare` it stops before the image.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { checkout, findProgram, Remedy } from './paths.mjs';

const target = join(checkout, 'build', 'image');
const builders = [
  { program: 'docker', args: ['build'] },
  { program: 'podman', args: ['build'] },
  { program: 'buildah', args: ['bud'] },
];

/** @param {readonly string[]} args */
function main(args) {
  const { version } = JSON.parse(readFileSync(join(checkout, 'package.json'), 'utf8'));
  const at = args.indexOf('--tag');
  const tag = at < 0 ? `docker.io/xebec/xebec:${version}` : args[at + 1];
  if (tag === undefined) throw new Remedy('usage: npm run image -- [--prepare] [--tag NAME]');
  prepare();
  if (args.includes('--prepare')) return;
  const builder = builders.find(({ program }) => findProgram(program) !== undefined);
  if (builder === undefined) throw new Remedy('install docker, podman or buildah to build the image');
  execute(builder.program, [...builder.args, '--tag', tag, '.']);
  console.log(`image: ${tag}`);
}

/** The compiled program, its packages without those of development, and the script that starts it. */
function prepare() {
  execute(process.execPath, [join('tools', 'build.mjs')]);
  rmSync(target, { recursive: true, force: true });
  mkdirSync(join(target, 'bin'), { recursive: true });
  cpSync(join(checkout, 'dist'), join(target, 'dist'), { recursive: true });
  cpSync(join(checkout, 'bin', 'xebec'), join(target, 'bin', 'xebec'));
  cpSync(join(checkout, 'LICENSE'), join(target, 'LICENSE'));
  const { name, version, type, license, dependencies } = JSON.parse(
    readFileSync(join(checkout, 'package.json'), 'utf8'),
  );
  writeFileSync(join(target, 'package.json'), JSON.stringify({ name, version, type, license, dependencies }, null, 2));
  copyPackages();
}

/** From node_modules, which the lock file has checked: no download, and no install script runs. */
function copyPackages() {
  /** @type {{ packages: Record<string, { dev?: boolean; optional?: boolean; devOptional?: boolean }> }} */
  const lock = JSON.parse(readFileSync(join(checkout, 'node_modules', '.package-lock.json'), 'utf8'));
  for (const [path, { dev, devOptional }] of Object.entries(lock.packages)) {
    if (dev === true || devOptional === true) continue;
    cpSync(join(checkout, path), join(target, path), { recursive: true, filter: (source) => isNeeded(source, path) });
  }
}

/**
 * Types, sources and maps are for people who program.
 * @param {string} source
 * @param {string} path
 */
function isNeeded(source, path) {
  const inside = source.slice(join(checkout, path).length);
  return !inside.startsWith('/node_modules') && !/\.(d\.ts|d\.mts|d\.cts|map|md|markdown)$/.test(inside);
}

/**
 * @param {string} program
 * @param {readonly string[]} args
 */
function execute(program, args) {
  const { status } = spawnSync(program, args, { cwd: checkout, stdio: 'inherit' });
  if (status !== 0) throw new Remedy(`${program} ${args[0]} failed: see above`);
}

try {
  main(process.argv.slice(2));
} catch (error) {
  if (!(error instanceof Remedy)) throw error;
  console.error(`image: ${error.message}`);
  process.exitCode = 1;
}
