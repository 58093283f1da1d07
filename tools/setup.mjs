// `npm run setup [-- --for check|envoy|api|node]`: brings what the gate and the tests need, and only that. Safe to run twice, quick the
// second time. Each level holds the ones before it. Runs on Node 20, before npm has brought ours.
import { Remedy } from './paths.mjs';
import { checkSteps } from './setup/check-steps.mjs';
import { apiSteps, nodeSteps } from './setup/cluster-steps.mjs';
import { envoySteps } from './setup/envoy-steps.mjs';
import { since } from './setup/run.mjs';

/** @typedef {import('./setup/run.mjs').Step} Step */

/** @type {readonly { readonly name: string; readonly steps: readonly Step[] }[]} */
const levels = [
  { name: 'check', steps: checkSteps },
  { name: 'envoy', steps: envoySteps },
  { name: 'api', steps: apiSteps },
  { name: 'node', steps: nodeSteps },
];

/** @param {readonly string[]} args */
async function main(args) {
  const wanted = args[0] === '--for' ? args[1] : args.length === 0 ? 'envoy' : undefined;
  const last = levels.findIndex(({ name }) => name === wanted);
  if (last < 0) throw new Remedy(`usage: npm run setup -- --for ${levels.map(({ name }) => name).join('|')}`);
  for (const step of levels.slice(0, last + 1).flatMap(({ steps }) => steps)) await runStep(step);
}

/** @param {Step} step */
async function runStep({ name, isDone, run }) {
  if (isDone()) return;
  const start = Date.now();
  console.log(`setup: ${name} …`);
  await run();
  if (!isDone())
    throw new Remedy(
      `${name}: still not in order after installing; run with XEBEC_CACHE set to an empty folder, or look above`,
    );
  console.log(`setup: ${name} ready (${since(start)})`);
}

/** @param {unknown} error */
function remedyFor(error) {
  if (error instanceof Remedy) return error.message;
  const isForbidden = error instanceof Error && 'code' in error && (error.code === 'EACCES' || error.code === 'EPERM');
  if (isForbidden) return `run as the user who owns the checkout: ${error.message}`;
  throw error;
}

try {
  await main(process.argv.slice(2));
} catch (error) {
  console.error(`setup: ${remedyFor(error)}`);
  process.exitCode = 1;
}
