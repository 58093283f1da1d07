// The command lines of etcd, the API server and the controllers.
import { join } from 'node:path';
import type { ClusterBinaries } from './binaries.ts';
import type { DaemonInputs } from './daemon.ts';
import type { ClusterKeys } from './keys.ts';

export type DaemonsInputs = {
  readonly binaries: ClusterBinaries;
  readonly folder: string;
  readonly keys: ClusterKeys;
  readonly ports: { readonly api: number; readonly etcd: number; readonly etcdPeer: number };
  readonly address: string;
  readonly prefix: readonly string[];
  readonly flags: readonly string[];
};

/** Where the API server has its objects: in another network loopback would be out of our own reach. */
export function etcdUrl({ address, ports }: DaemonsInputs): string {
  return `http://${address}:${ports.etcd}`;
}

export function buildEtcd(inputs: DaemonsInputs): DaemonInputs {
  const { binaries, folder, ports, prefix } = inputs;
  const client = etcdUrl(inputs);
  const peer = `http://127.0.0.1:${ports.etcdPeer}`;
  return {
    name: 'etcd',
    logFile: join(folder, 'etcd.log'),
    program: binaries.etcd,
    prefix,
    args: [
      '--data-dir',
      join(folder, 'etcd'),
      '--unsafe-no-fsync',
      '--log-level=warn',
      ...['--listen-client-urls', client, '--advertise-client-urls', client],
      ...['--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer, '--initial-cluster', `default=${peer}`],
      // It elects nobody but itself; the default is to wait a second for others.
      ...['--heartbeat-interval', '20', '--election-timeout', '200'],
    ],
  };
}

export function buildApiServer(inputs: DaemonsInputs): DaemonInputs {
  const { binaries, folder, keys, ports } = inputs;
  const { files } = keys;
  const isLoopback = inputs.address.startsWith('127.');
  return {
    name: 'kube-apiserver',
    logFile: join(folder, 'kube-apiserver.log'),
    program: binaries.kubernetes.apiserver,
    prefix: inputs.prefix,
    args: [
      `--etcd-servers=${etcdUrl(inputs)}`,
      `--secure-port=${ports.api}`,
      `--bind-address=${isLoopback ? inputs.address : '0.0.0.0'}`,
      `--advertise-address=${inputs.address}`,
      // A loopback address is not a legal endpoint of the Service `kubernetes`.
      ...(isLoopback ? ['--endpoint-reconciler-type=none'] : []),
      `--tls-cert-file=${files.server}`,
      `--tls-private-key-file=${files.serverKey}`,
      `--client-ca-file=${files.authority}`,
      `--kubelet-client-certificate=${files.admin}`,
      `--kubelet-client-key=${files.adminKey}`,
      '--kubelet-preferred-address-types=InternalIP',
      '--service-account-issuer=https://kubernetes.default.svc.cluster.local',
      `--service-account-key-file=${files.tokens}`,
      `--service-account-signing-key-file=${files.tokensKey}`,
      '--service-cluster-ip-range=10.96.0.0/16',
      '--authorization-mode=Node,RBAC',
      '--allow-privileged=true',
      ...inputs.flags,
    ],
  };
}

export function buildControllers({ binaries, folder, keys, prefix }: DaemonsInputs, kubeconfig: string): DaemonInputs {
  const { files } = keys;
  return {
    name: 'kube-controller-manager',
    logFile: join(folder, 'kube-controller-manager.log'),
    program: binaries.kubernetes.controllerManager,
    prefix,
    args: [
      `--kubeconfig=${kubeconfig}`,
      '--secure-port=0',
      '--leader-elect=false',
      '--use-service-account-credentials=true',
      // Its 40 controllers ask for an account each, and the default is 20 calls per second.
      '--kube-api-qps=500',
      '--kube-api-burst=500',
      `--service-account-private-key-file=${files.tokensKey}`,
      `--root-ca-file=${files.authority}`,
      `--cluster-signing-cert-file=${files.authority}`,
      `--cluster-signing-key-file=${files.authorityKey}`,
    ],
  };
}
