// The command lines of what runs on the node.
import { join } from 'node:path';
import { clusterBinaries } from './binaries.ts';
import type { DaemonInputs } from './daemon.ts';
import { NODE_NAME, type NodeFiles } from './node-config.ts';
import type { NodeSpace } from './node-space.ts';

export type AgentInputs = {
  readonly space: NodeSpace;
  readonly files: NodeFiles;
  readonly kubeconfigs: Readonly<Record<'kubelet' | 'scheduler' | 'proxy' | 'dns', string>>;
};

export function buildContainerdDaemon({ space, files }: AgentInputs): DaemonInputs {
  return build(space, { name: 'containerd', program: 'containerd', args: ['--config', files.containerd] });
}

export function buildAgents({ space, files, kubeconfigs }: AgentInputs): readonly DaemonInputs[] {
  const { kubernetes, coredns } = clusterBinaries();
  const kubelet = [
    `--config=${files.kubelet}`,
    `--kubeconfig=${kubeconfigs.kubelet}`,
    `--root-dir=${join(space.folder, 'kubelet')}`,
    `--hostname-override=${NODE_NAME}`,
    `--node-ip=${space.addresses.node}`,
  ];
  const scheduler = [`--kubeconfig=${kubeconfigs.scheduler}`, '--leader-elect=false', '--secure-port=0'];
  return [
    { name: 'kubelet', program: kubernetes.kubelet, args: kubelet },
    { name: 'kube-scheduler', program: kubernetes.scheduler, args: scheduler },
    { name: 'kube-proxy', program: kubernetes.proxy, args: [`--config=${files.proxy}`] },
    { name: 'coredns', program: coredns, args: ['-conf', files.dns] },
  ].map((agent) => build(space, agent));
}

type Agent = { readonly name: string; readonly program: string; readonly args: readonly string[] };

function build(space: NodeSpace, { name, program, args }: Agent): DaemonInputs {
  return { name, program, args, prefix: space.enter, logFile: join(space.folder, `${name}.log`) };
}
