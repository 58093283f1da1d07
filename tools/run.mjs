// `node tools/run.mjs LEVEL PROGRAM ARG…`: sets up what LEVEL needs, then runs a program of the checkout under Node 24 and ends as it ends.
// npm demo and npm bench are this; npm appends the user's arguments.
import { spawn, spawnSync } from 'node:child_process';
import { checkout, envoyBinary, nodeBinary } from './paths.mjs';

const [level = 'check', ...args] = process.argv.slice(2);
const setup = spawnSync(process.execPath, ['tools/setup.mjs', '--for', level], { cwd: checkout, stdio: 'inherit' });
if (setup.status !== 0) process.exit(setup.status ?? 1);

const env = level === 'envoy' ? { ...process.env, XEBEC_ENVOY: envoyBinary() } : process.env;
const child = spawn(nodeBinary, args, { cwd: checkout, stdio: 'inherit', env });
// A terminal signals the child as well; a supervisor only us. Twice is harmless, not at all would leave it behind.
for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM', 'SIGHUP']))
  process.on(signal, () => child.kill(signal));
// npm may be killed without a word to us.
const parent = process.ppid;
const watch = setInterval(() => {
  if (process.ppid !== parent) child.kill('SIGTERM');
}, 500);
child.on('close', (code, signal) => {
  clearInterval(watch);
  process.exitCode = code ?? (signal === 'SIGINT' ? 130 : 143);
});
