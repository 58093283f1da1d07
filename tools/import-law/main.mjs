// Holds src/ to the import law, after showing that the law can be broken: dependency-cruiser with a compiler it does not know
// reads no TypeScript and finds everything in order. So fixture/ breaks each rule once, and each must be reported there.
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import config from '../../.dependency-cruiser.mjs';
import { checkout } from '../paths.mjs';

const program = join(checkout, 'node_modules', 'dependency-cruiser', 'bin', 'dependency-cruise.mjs');

/**
 * @param {string} folder
 * @param {string} format
 */
function cruise(folder, format) {
  const args = [program, '--config', join(checkout, '.dependency-cruiser.mjs'), '--output-type', format, 'src'];
  const { stdout, stderr, status } = spawnSync(process.execPath, args, {
    cwd: folder,
    encoding: 'utf8',
    maxBuffer: 256 * 2 ** 20,
  });
  if (stderr !== '') console.error(stderr);
  return { stdout, status };
}

function unbrokenRules() {
  const { stdout } = cruise(join(checkout, 'tools', 'import-law', 'fixture'), 'json');
  const { summary } = /** @type {{ summary: { violations: { rule: { name: string } }[] } }} */ (JSON.parse(stdout));
  const broken = new Set(summary.violations.map(({ rule }) => rule.name));
  return config.forbidden.map(({ name }) => name).filter((name) => !broken.has(name));
}

const silent = unbrokenRules();
if (silent.length > 0) {
  console.error(`the fixture breaks these rules and nothing was reported: ${silent.join(', ')}`);
  process.exitCode = 1;
} else {
  const { stdout, status } = cruise(checkout, 'err-long');
  if (status !== 0) console.error(stdout);
  process.exitCode = status ?? 1;
}
