// The programs of a Kubernetes cluster that the tests run: which they are, and where setup puts them. A changed recipe is another folder.
import { createHash } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder, checkout } from './paths.mjs';

/** @typedef {{ readonly name: string; readonly version: string; readonly module: string; readonly main: string; readonly flags: readonly string[] }} Build */

/**
 * What Go builds: `module` is a folder in test/cluster/binaries with go.mod and go.sum, `main` the package in it, `flags` what the linker
 * writes into the program. Each has a module of its own, for they disagree about the versions of what they share.
 */
export const builds = {
  kubernetes: {
    name: 'kubernetes',
    version: '1.35.4',
    module: 'kubernetes',
    main: '.',
    flags: [
      '-X k8s.io/component-base/version.gitVersion=v1.35.4',
      '-X k8s.io/component-base/version.gitMajor=1',
      '-X k8s.io/component-base/version.gitMinor=35',
    ],
  },
  helm3: {
    name: 'helm',
    version: '3.22.0',
    module: 'helm3',
    main: 'helm.sh/helm/v3/cmd/helm',
    flags: [
      '-X helm.sh/helm/v3/internal/version.version=v3.22.0',
      '-X helm.sh/helm/v3/pkg/chartutil.k8sVersionMajor=1',
      '-X helm.sh/helm/v3/pkg/chartutil.k8sVersionMinor=37',
    ],
  },
  helm4: {
    name: 'helm',
    version: '4.3.1',
    module: 'helm4',
    main: 'helm.sh/helm/v4/cmd/helm',
    flags: ['-X helm.sh/helm/v4/internal/version.version=v4.3.1'],
  },
  coredns: {
    name: 'coredns',
    version: '1.15.0',
    module: 'coredns',
    main: 'github.com/coredns/coredns',
    flags: [],
  },
};

/** The names by which the one program of Kubernetes is called. */
export const kubernetesPrograms = /** @type {const} */ ([
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'kube-proxy',
  'kubelet',
  'kubectl',
]);

export const etcdVersion = '3.5.1';

/** The folder with go.mod. @param {Build} build */
export function moduleFolder({ module }) {
  return join(checkout, 'test', 'cluster', 'binaries', module);
}

/** @param {Build} build */
export function buildFolder(build) {
  const hash = createHash('sha256').update(JSON.stringify(build));
  for (const file of ['go.mod', 'go.sum', 'main.go'].map((name) => join(moduleFolder(build), name)))
    if (existsSync(file)) hash.update('\0').update(readFileSync(file));
  return join(cacheFolder(), `${build.name}-${build.version}-${hash.digest('hex').slice(0, 12)}`);
}

export function etcdFolder() {
  return join(cacheFolder(), `etcd-${etcdVersion}`);
}

/**
 * A program of Kubernetes or etcd. KUBEBUILDER_ASSETS comes first, as with other tests of controllers, for what is in it. The file need
 * not exist yet.
 * @param {string} name
 */
export function clusterProgram(name) {
  const asset = join(process.env['KUBEBUILDER_ASSETS'] || '/nonexistent', name);
  if (existsSync(asset)) return asset;
  return join(name.startsWith('etcd') ? etcdFolder() : buildFolder(builds.kubernetes), name);
}
