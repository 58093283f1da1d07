import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { buildFolder, builds, clusterProgram } from '../../tools/cluster-programs.mjs';

export type ClusterBinaries = {
  readonly kubernetes: {
    readonly apiserver: string;
    readonly controllerManager: string;
    readonly scheduler: string;
    readonly proxy: string;
    readonly kubelet: string;
    readonly kubectl: string;
  };
  readonly etcd: string;
  readonly etcdctl: string;
  readonly helm3: string;
  readonly helm4: string;
  readonly coredns: string;
};

/** Where the programs are that `npm run setup -- --for api` (etcd, Kubernetes) or `--for node` (all) brings. They need not exist yet. */
export function clusterBinaries(): ClusterBinaries {
  return {
    kubernetes: {
      apiserver: clusterProgram('kube-apiserver'),
      controllerManager: clusterProgram('kube-controller-manager'),
      scheduler: clusterProgram('kube-scheduler'),
      proxy: clusterProgram('kube-proxy'),
      kubelet: clusterProgram('kubelet'),
      kubectl: clusterProgram('kubectl'),
    },
    etcd: clusterProgram('etcd'),
    etcdctl: clusterProgram('etcdctl'),
    helm3: join(buildFolder(builds.helm3), 'helm'),
    helm4: join(buildFolder(builds.helm4), 'helm'),
    coredns: join(buildFolder(builds.coredns), 'coredns'),
  };
}

/** Throws, with the remedy, unless all of the programs are there. */
export function demandBinaries(...programs: readonly string[]): void {
  const missing = programs.filter((program) => !existsSync(program));
  if (missing.length > 0) throw new Error(`run \`npm run setup -- --for node\`: there is no ${missing.join(', no ')}`);
}
