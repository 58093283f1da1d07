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

/** What only a kubeconfig needs, which no pod has: two thirds of all bytes, and half of all packages. */
const leftOut = '@kubernetes/client-node';

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

/** The compiled program, and its packages without those of development. */
function prepare() {
  execute(process.execPath, [join('tools', 'build.mjs')]);
  rmSync(target, { recursive: true, force: true });
  mkdirSync(target, { recursive: true });
  cpSync(join(checkout, 'dist'), join(target, 'dist'), { recursive: true, filter: isNeeded });
  cpSync(join(checkout, 'LICENSE'), join(target, 'LICENSE'));
  const manifest = JSON.parse(readFileSync(join(checkout, 'package.json'), 'utf8'));
  const { name, version, type, license } = manifest;
  const dependencies = Object.fromEntries(Object.entries(manifest.dependencies).filter(([each]) => each !== leftOut));
  writeFileSync(join(target, 'package.json'), JSON.stringify({ name, version, type, license, dependencies }, null, 2));
  copyPackages(Object.keys(dependencies));
}

/**
 * From node_modules, which the lock file has checked: no download, and no install script runs.
 * @param {readonly string[]} names what the program itself needs
 */
function copyPackages(names) {
  /** @type {{ packages: Packages }} */
  const { packages } = JSON.parse(readFileSync(join(checkout, 'node_modules', '.package-lock.json'), 'utf8'));
  for (const path of reachable(names, packages)) {
    const folder = join(checkout, path);
    cpSync(folder, join(target, path), {
      recursive: true,
      filter: (source) => isNeeded(source.slice(folder.length + 1)),
    });
  }
}

/** @typedef {Record<string, { dependencies?: Record<string, string> }>} Packages */

/**
 * The folders of these packages and of all that they need.
 * @param {readonly string[]} names
 * @param {Packages} packages
 */
function reachable(names, packages) {
  const wanted = names.map((name) => ({ from: '', name }));
  /** @type {Set<string>} */
  const found = new Set();
  for (const { from, name } of wanted) {
    const path = resolve(from, name, packages);
    // What is not there is optional: npm has checked it.
    if (path === undefined || found.has(path)) continue;
    found.add(path);
    for (const other of Object.keys(packages[path]?.dependencies ?? {})) wanted.push({ from: path, name: other });
  }
  return found;
}

/**
 * Where Node finds a package: in the folder of who needs it, or in one above.
 * @param {string} from
 * @param {string} name
 * @param {Packages} packages
 */
function resolve(from, name, packages) {
  for (let above = from; ; above = above.slice(0, Math.max(above.lastIndexOf('/node_modules/'), 0))) {
    const path = `${above}${above === '' ? '' : '/'}node_modules/${name}`;
    if (packages[path] !== undefined) return path;
    if (above === '') return undefined;
  }
}

/**
 * Sources, types, maps, tests and documentation are for people who program; licences stay.
 * @param {string} path inside of a package
 */
function isNeeded(path) {
  const isFor = /(^|\/)(node_modules|tests?|docs|examples?|benchmarks?|\.github)(\/|$)|(^|\/)\.[^/]+$/.test(path);
  return !isFor && !/\.([cm]?ts|map|md|markdown|ya?ml)$/.test(path);
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
