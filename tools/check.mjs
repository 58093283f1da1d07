// `npm run check [-- STEP…] [-- --keep-going] [-- --no-tests]`: the gate. Two steps at a time, the long ones first; stops at the first that
// fails. Without the tests it is what `npm test` does not look at.
import { spawn, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { checkout, nodeBinary } from './paths.mjs';

/** @param {string} path */
function packageFile(path) {
  return join(checkout, 'node_modules', path);
}

const projects = ['unit', 'golden', 'feature', 'property'].flatMap((name) => ['--project', name]);

/** Each runs under Node 24 but ts7, which is a program of its own.
 * @type {Readonly<Record<string, readonly string[]>>} */
const steps = {
  lint: [nodeBinary, packageFile('eslint/bin/eslint.js'), '--max-warnings', '0', '.'],
  tests: [nodeBinary, packageFile('vitest/vitest.mjs'), 'run', ...projects],
  types: [nodeBinary, packageFile('ts7/bin/tsc'), '-p', 'tsconfig.json', '--pretty', 'false'],
  samples: [nodeBinary, packageFile('ts7/bin/tsc'), '-p', 'samples/tsconfig.json', '--pretty', 'false'],
  format: [nodeBinary, packageFile('@biomejs/biome/bin/biome'), 'check', '--error-on-warnings', '.'],
  generated: [nodeBinary, 'tools/generate/main.ts', '--check'],
  imports: [nodeBinary, 'tools/import-law/main.mjs'],
  unused: [nodeBinary, packageFile('knip/bin/knip.js'), '--no-progress'],
};

/** @type {Set<import('node:child_process').ChildProcess>} */
const running = new Set();

/** @param {readonly string[]} args */
async function main(args) {
  const keepGoing = args.includes('--keep-going');
  const named = args.filter((arg) => !arg.startsWith('--'));
  const unknown = named.filter((name) => steps[name] === undefined);
  if (unknown.length > 0) return usage(unknown);
  if (
    spawnSync(process.execPath, ['tools/setup.mjs', '--for', 'check'], { cwd: checkout, stdio: 'inherit' }).status !== 0
  )
    return 1;
  const start = Date.now();
  const all = Object.keys(steps).filter((name) => name !== 'tests' || !args.includes('--no-tests'));
  const failed = await runAll(named.length > 0 ? named : all, keepGoing);
  console.log(
    failed.length === 0
      ? `check: all in order (${since(start)})`
      : `check: failed: ${failed.join(', ')} (${since(start)})`,
  );
  return failed.length === 0 ? 0 : 1;
}

/** @param {readonly string[]} unknown */
function usage(unknown) {
  console.error(`check: no step ${unknown.join(', ')}; there are ${Object.keys(steps).join(', ')}`);
  return 2;
}

/**
 * @param {readonly string[]} names
 * @param {boolean} keepGoing
 */
async function runAll(names, keepGoing) {
  const waiting = [...names];
  /** @type {string[]} */
  const failed = [];
  const work = async () => {
    for (let name = waiting.shift(); name !== undefined; name = waiting.shift()) {
      if ((await runStep(name)) || (failed.length > 0 && !keepGoing)) continue;
      failed.push(name);
      if (!keepGoing) stop(waiting);
    }
  };
  await Promise.all([work(), work()]);
  return failed;
}

/** @param {string[]} waiting */
function stop(waiting) {
  waiting.length = 0;
  for (const child of running) child.kill();
}

/**
 * Prints what the step said only when it failed.
 * @param {string} name
 * @returns {Promise<boolean>}
 */
function runStep(name) {
  const [program = '', ...args] = steps[name] ?? [];
  const start = Date.now();
  const child = spawn(program, args, {
    cwd: checkout,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, NO_COLOR: '1' },
  });
  running.add(child);
  /** @type {Buffer[]} */
  const said = [];
  child.stdout.on('data', (chunk) => said.push(chunk));
  child.stderr.on('data', (chunk) => said.push(chunk));
  return new Promise((resolve) => {
    child.on('error', (error) => said.push(Buffer.from(String(error))));
    child.on('close', (code, signal) => {
      running.delete(child);
      const isStopped = signal !== null;
      const verdict = code === 0 ? 'ok' : isStopped ? 'stopped' : 'FAILED';
      console.log(`check: ${name.padEnd(10)} ${verdict.padEnd(8)} ${since(start)}`);
      if (code !== 0 && !isStopped) console.log(Buffer.concat(said).toString());
      resolve(code === 0);
    });
  });
}

/** @param {number} start */
function since(start) {
  return `${((Date.now() - start) / 1000).toFixed(1)} s`;
}

process.exitCode = await main(process.argv.slice(2));
