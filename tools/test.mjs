// `npm test`: every test there is, on real Envoys and a real Kubernetes too, one project group after the other. The last line is the sum,
// alone: N passed, N failed
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { checkout, envoyBinary, nodeBinary } from './paths.mjs';

/** Those on real ports and processes run apart from the rest, which would slow them beyond their patience; each with what setup calls `level`. */
const groups = [
  { level: 'check', projects: ['unit', 'golden', 'feature', 'property'] },
  { level: 'envoy', projects: ['envoy'] },
  { level: 'node', projects: ['cluster'] },
  { level: 'node', projects: ['node'] },
];

/** @typedef {{ readonly passed: number; readonly failed: number }} Sum */

/** @returns {Sum} */
function main() {
  const scratch = mkdtempSync(join(tmpdir(), 'xebec-test-'));
  try {
    const sums = groups.map((group) => runGroup(group, join(scratch, `${group.projects[0]}.json`)));
    return { passed: total(sums.map(({ passed }) => passed)), failed: total(sums.map(({ failed }) => failed)) };
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

/**
 * @param {(typeof groups)[number]} group
 * @param {string} reportFile
 * @returns {Sum}
 */
function runGroup({ level, projects }, reportFile) {
  const setup = spawnSync(process.execPath, ['tools/setup.mjs', '--for', level], { cwd: checkout, stdio: 'inherit' });
  if (setup.status !== 0) return { passed: 0, failed: 1 };
  const selected = projects.flatMap((name) => ['--project', name]);
  const reporters = ['--reporter', 'default', '--reporter', 'json', '--outputFile.json', reportFile];
  const vitest = join(checkout, 'node_modules', 'vitest', 'vitest.mjs');
  const { status } = spawnSync(nodeBinary, [vitest, 'run', ...reporters, ...selected], {
    cwd: checkout,
    stdio: 'inherit',
    env: { ...process.env, XEBEC_ENVOY: envoyBinary() },
  });
  const sum = existsSync(reportFile) ? readReport(reportFile) : { passed: 0, failed: 0 };
  // Something failed that no test stands for: a crash, an unhandled rejection, a broken configuration.
  return status !== 0 && sum.failed === 0 ? { ...sum, failed: 1 } : sum;
}

/**
 * @param {string} file
 * @returns {Sum}
 */
function readReport(file) {
  /** @type {{ numPassedTests: number; numFailedTests: number; testResults: { status: string; assertionResults: unknown[] }[] }} */
  const report = JSON.parse(readFileSync(file, 'utf8'));
  // A file that could not be loaded has no tests to count, so it counts itself.
  const unloaded = report.testResults.filter(
    ({ status, assertionResults }) => status === 'failed' && assertionResults.length === 0,
  );
  return { passed: report.numPassedTests, failed: report.numFailedTests + unloaded.length };
}

/** @param {readonly number[]} numbers */
function total(numbers) {
  return numbers.reduce((sum, number) => sum + number, 0);
}

const { passed, failed } = main();
console.log(`${passed} passed, ${failed} failed`);
process.exitCode = failed === 0 ? 0 : 1;
