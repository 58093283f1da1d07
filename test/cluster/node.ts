import { Resolver } from 'node:dns/promises';
import { ApiServer } from './api-server.ts';
import { clusterBinaries, demandBinaries } from './binaries.ts';
import { Daemon } from './daemon.ts';
import { images } from './image-catalog.ts';
import { NodeClient } from './node-client.ts';
import { NODE_NAME, writeConfig } from './node-config.ts';
import { type AgentInputs, buildAgents, buildContainerdDaemon } from './node-daemons.ts';
import { type NodeAddresses, NodeSpace } from './node-space.ts';

export type NodeOptions = {
  /** Of the catalog, loaded before the node counts as started. */
  readonly images?: readonly string[];
  /** More flags of kube-apiserver. */
  readonly apiServerFlags?: readonly string[];
};

const START_MS = 120_000;
const API_PORT = 6443;

/**
 * Starts a real single-node Kubernetes in a place of its own: API server, controllers, scheduler, kubelet on containerd, kube-proxy and
 * DNS. Ready when the node is, and names of Services can be resolved.
 */
export async function startNode(options: NodeOptions = {}): Promise<KubernetesNode> {
  const node = await KubernetesNode.claim(options);
  try {
    await node.start(options);
  } catch (error) {
    await node.stop({ keepLogs: true });
    throw error;
  }
  return node;
}

/** A running node. Everything of it ends with `stop`, or with this process. */
export class KubernetesNode {
  readonly apiServer: ApiServer;
  readonly client: NodeClient;
  readonly space: NodeSpace;
  readonly #agents: Daemon[] = [];

  private constructor(space: NodeSpace, apiServer: ApiServer) {
    this.space = space;
    this.apiServer = apiServer;
    const { url, kubeconfig } = apiServer;
    const { addresses, folder, enter } = space;
    this.client = new NodeClient({ url, kubeconfig, addresses, folder, enter });
  }

  static async claim({ apiServerFlags = [] }: NodeOptions): Promise<KubernetesNode> {
    const { kubernetes, coredns } = clusterBinaries();
    demandBinaries(kubernetes.kubelet, kubernetes.proxy, kubernetes.scheduler, coredns);
    const space = await NodeSpace.claim();
    const { node, serviceRange, apiService } = space.addresses;
    try {
      const apiServer = await ApiServer.prepare({
        controllers: true,
        address: node,
        port: API_PORT,
        names: [apiService],
        flags: [`--service-cluster-ip-range=${serviceRange}`, ...apiServerFlags],
        prefix: space.enterNetwork,
      });
      return new KubernetesNode(space, apiServer);
    } catch (error) {
      await space.stop({ keepLogs: false });
      throw error;
    }
  }

  async start({ images: wanted = [] }: NodeOptions): Promise<void> {
    const kubeconfigs = {
      kubelet: this.apiServer.userKubeconfig(`system:node:${NODE_NAME}`, ['system:nodes']),
      scheduler: this.apiServer.userKubeconfig('system:kube-scheduler'),
      proxy: this.apiServer.userKubeconfig('system:kube-proxy'),
      dns: this.apiServer.userKubeconfig('system:coredns', ['system:masters']),
    };
    const inputs = { space: this.space, files: await writeConfig(this.space, kubeconfigs), kubeconfigs };
    await Promise.all([this.apiServer.start(), this.#startContainerd(inputs, wanted)]);
    await this.client.apply(buildBaseObjects(this.space.addresses));
    for (const agent of buildAgents(inputs)) this.#agents.push(new Daemon(agent));
    await this.client.waitFor('the node is ready', () => this.#isReady(), START_MS);
  }

  /** Ends every process and takes back what the node had. The logs stay only if something failed. */
  async stop({ keepLogs = false }: { readonly keepLogs?: boolean } = {}): Promise<void> {
    await this.apiServer.stop({ keepLogs });
    await this.space.stop({ keepLogs });
    // Their processes died with the space; this collects what entered it.
    await Promise.all(this.#agents.map((agent) => agent.stop()));
    if (keepLogs) console.error(`the logs of the node are in ${this.space.folder}`);
  }

  async #startContainerd(inputs: AgentInputs, wanted: readonly string[]): Promise<void> {
    const containerd = new Daemon(buildContainerdDaemon(inputs));
    this.#agents.push(containerd);
    const answers = () =>
      this.client.run(['ctr', 'version']).then(
        () => true,
        () => false,
      );
    await containerd.waitUntil(answers, START_MS);
    await this.client.useImages(images.pause, ...wanted);
  }

  async #isReady(): Promise<true | undefined> {
    const ended = this.#agents.find((agent) => agent.hasEnded);
    // Throws with the end of its log.
    await ended?.waitUntil(() => Promise.resolve(false), 0);
    const reply = await this.apiServer.call('GET', `/api/v1/nodes/${NODE_NAME}`);
    if (reply.status !== 200) return undefined;
    const { status, spec } = JSON.parse(reply.body) as NodeObject;
    const isReady = status.conditions.some((condition) => condition.type === 'Ready' && condition.status === 'True');
    return isReady && spec.taints === undefined && (await this.#resolves()) ? true : undefined;
  }

  /** Through the Service: kube-proxy and DNS work. */
  async #resolves(): Promise<boolean> {
    const resolver = new Resolver({ timeout: 500, tries: 1 });
    resolver.setServers([this.space.addresses.dnsService]);
    const found = await resolver.resolve4('kubernetes.default.svc.cluster.local').catch(() => []);
    return found[0] === this.space.addresses.apiService;
  }
}

type NodeObject = {
  readonly spec: { readonly taints?: readonly unknown[] };
  readonly status: { readonly conditions: readonly { readonly type: string; readonly status: string }[] };
};

/** DNS is a process of the node, behind the Service that pods expect. */
function buildBaseObjects({ node, dnsService }: NodeAddresses): readonly object[] {
  const metadata = { name: 'kube-dns', namespace: 'kube-system', labels: { 'k8s-app': 'kube-dns' } };
  const ports = [
    { name: 'dns', port: 53, protocol: 'UDP' },
    { name: 'dns-tcp', port: 53, protocol: 'TCP' },
  ];
  return [
    { apiVersion: 'v1', kind: 'Service', metadata, spec: { clusterIP: dnsService, ports } },
    {
      apiVersion: 'discovery.k8s.io/v1',
      kind: 'EndpointSlice',
      metadata: { ...metadata, labels: { 'kubernetes.io/service-name': 'kube-dns' } },
      addressType: 'IPv4',
      ports,
      endpoints: [{ addresses: [node], conditions: { ready: true } }],
    },
    {
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: 'ClusterRoleBinding',
      metadata: { name: 'kube-proxy' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'system:node-proxier' },
      subjects: [{ apiGroup: 'rbac.authorization.k8s.io', kind: 'User', name: 'system:kube-proxy' }],
    },
  ];
}
