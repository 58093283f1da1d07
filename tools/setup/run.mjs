// What the steps of setup share: how a program is run, and what it means when it fails.
import { execFileSync, spawnSync } from 'node:child_process';
import { checkout, nodeBinary, Remedy } from '../paths.mjs';

/** @typedef {{ readonly name: string; readonly isDone: () => boolean; readonly run: () => void | Promise<void> }} Step */

/**
 * @param {string} file
 * @param {readonly string[]} args
 */
export function runNode(file, ...args) {
  execute(nodeBinary, [file, ...args], `${file} failed: see above`);
}

/**
 * @param {string} program
 * @param {readonly string[]} args
 * @param {string} remedy
 */
export function execute(program, args, remedy) {
  // What the tools say is not a result of ours: it goes to stderr.
  const { status } = spawnSync(program, args, { cwd: checkout, stdio: ['ignore', 2, 2] });
  if (status !== 0) throw new Remedy(remedy);
}

/**
 * @param {string} program
 * @param {readonly string[]} args
 */
export function output(program, args) {
  try {
    return execFileSync(program, args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  } catch {
    return undefined;
  }
}

/** @param {number} start */
export function since(start) {
  return `${((Date.now() - start) / 1000).toFixed(1)} s`;
}
