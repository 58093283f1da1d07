// The configuration files of everything on a node. JSON is YAML.
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { images } from './image-catalog.ts';
import type { NodeSpace } from './node-space.ts';

export const NODE_NAME = 'node-1';

/** With the standard path of the socket, in the /run of the node, programs need no flag to find containerd. */
const SOCKET = '/run/containerd/containerd.sock';

export type NodeFiles = Readonly<Record<'containerd' | 'kubelet' | 'proxy' | 'dns', string>>;

/** Writes them all into the folder of the node; `kubeconfigs` are those of the programs. */
export async function writeConfig(
  space: NodeSpace,
  kubeconfigs: { readonly proxy: string; readonly dns: string },
): Promise<NodeFiles> {
  const write = async (path: string, content: string | object): Promise<string> => {
    const file = join(space.folder, path);
    await writeFile(file, typeof content === 'string' ? content : JSON.stringify(content));
    return file;
  };
  await mkdir(join(space.folder, 'cni'), { recursive: true });
  await write('cni/10-pods.conflist', buildPodNetwork(space));
  const resolv = await write('resolv.conf', `nameserver ${space.addresses.node}\n`);
  return {
    containerd: await write('containerd.toml', buildContainerd(space)),
    kubelet: await write('kubelet.yaml', buildKubelet(space, resolv)),
    proxy: await write('kube-proxy.yaml', buildProxy(space, kubeconfigs.proxy)),
    dns: await write('Corefile', buildCorefile(space, kubeconfigs.dns)),
  };
}

function buildContainerd({ folder, store }: NodeSpace): string {
  return `version = 2
root = ${JSON.stringify(join(store, 'containerd'))}
state = "/run/containerd"
disabled_plugins = ["io.containerd.snapshotter.v1.btrfs", "io.containerd.snapshotter.v1.zfs", "io.containerd.snapshotter.v1.aufs"]
[grpc]
address = ${JSON.stringify(SOCKET)}
[plugins."io.containerd.grpc.v1.cri"]
sandbox_image = ${JSON.stringify(images.pause)}
# Without CAP_SYS_RESOURCE no process may lower its score, and every sandbox would die of trying.
restrict_oom_score_adj = true
[plugins."io.containerd.grpc.v1.cri".cni]
bin_dir = "/usr/lib/cni"
conf_dir = ${JSON.stringify(join(folder, 'cni'))}
[plugins."io.containerd.grpc.v1.cri".containerd]
default_runtime_name = "runc"
[plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
runtime_type = "io.containerd.runc.v2"
`;
}

/** Every packet between pods passes the rules of the node, as on most providers; a bridge would need a kernel module for that. */
function buildPodNetwork({ addresses }: NodeSpace): object {
  return {
    cniVersion: '0.4.0',
    name: 'pods',
    plugins: [
      {
        type: 'ptp',
        ipam: {
          type: 'host-local',
          ranges: [[{ subnet: addresses.podRange }]],
          routes: [{ dst: '0.0.0.0/0' }],
          dataDir: '/run/cni',
        },
      },
      { type: 'portmap', capabilities: { portMappings: true } },
    ],
  };
}

function buildKubelet({ addresses, cgroup }: NodeSpace, resolvConf: string): object {
  return {
    apiVersion: 'kubelet.config.k8s.io/v1beta1',
    kind: 'KubeletConfiguration',
    address: addresses.node,
    authentication: { anonymous: { enabled: true }, webhook: { enabled: false } },
    authorization: { mode: 'AlwaysAllow' },
    clusterDomain: 'cluster.local',
    clusterDNS: [addresses.dnsService],
    resolvConf,
    containerRuntimeEndpoint: `unix://${SOCKET}`,
    cgroupDriver: 'cgroupfs',
    cgroupRoot: `/${cgroup}`,
    failCgroupV1: false,
    failSwapOn: false,
    enforceNodeAllocatable: [],
    evictionHard: { 'memory.available': '50Mi', 'nodefs.available': '1%', 'imagefs.available': '1%' },
    imageGCHighThresholdPercent: 100,
    oomScoreAdj: 0,
    serializeImagePulls: false,
    volumePluginDir: '/run/kubelet-plugins',
    // Tests change a ConfigMap and wait for the file.
    syncFrequency: '5s',
  };
}

function buildProxy({ addresses }: NodeSpace, kubeconfig: string): object {
  return {
    apiVersion: 'kubeproxy.config.k8s.io/v1alpha1',
    kind: 'KubeProxyConfiguration',
    clientConnection: { kubeconfig },
    clusterCIDR: addresses.podRange,
    hostnameOverride: NODE_NAME,
    mode: 'iptables',
    iptables: { minSyncPeriod: '100ms', syncPeriod: '30s' },
    // These are settings of the machine, not of the network.
    conntrack: { maxPerCore: 0, min: 0, tcpEstablishedTimeout: '0s', tcpCloseWaitTimeout: '0s' },
    oomScoreAdj: 0,
  };
}

/** Names of other domains do not exist: there is no internet. */
function buildCorefile({ addresses }: NodeSpace, kubeconfig: string): string {
  return `cluster.local:53 in-addr.arpa:53 ip6.arpa:53 {
  bind ${addresses.node}
  errors
  kubernetes {
    kubeconfig ${kubeconfig}
    pods insecure
    ttl 1
  }
}
.:53 {
  bind ${addresses.node}
  errors
  template ANY ANY {
    rcode NXDOMAIN
  }
}
`;
}
