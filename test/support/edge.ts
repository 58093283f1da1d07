import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Proxy } from '../../src/model/proxy.ts';
import { offlineProxy, provenProxy } from '../../src/pilot/proxy/offline.ts';
import { startControlPlane, type TestControlPlane } from './control-plane.ts';
import { TestEnvoy } from './envoy.ts';
import { takeAtTheirWord } from './proven.ts';

const PATIENCE_MS = 15_000;
const node = 'router~10.1.9.1~ingress.edge~edge.svc.cluster.local';

const pod = `
apiVersion: v1
kind: Pod
metadata: { name: ingress, namespace: edge, labels: { istio: ingressgateway } }
spec: { serviceAccountName: ingress, containers: [{ name: istio-proxy }] }
status: { phase: Running, podIP: 10.1.9.1, podIPs: [{ ip: 10.1.9.1 }], conditions: [{ type: Ready, status: "True" }] }
`;

export type EdgeInputs = {
  /** Of its own; short, for paths of unix sockets hold 107 bytes. */
  readonly folder: string;
  readonly objects: readonly string[];
  /** Where the gateway's own identity is. */
  readonly identityFolder?: string;
  readonly protocol?: 'delta' | 'sotw';
};

/** An ingress gateway of namespace `edge`: a real Envoy, alone with its control plane, whose servers are unix sockets. */
export class Edge {
  readonly plane: TestControlPlane;
  readonly folder: string;
  readonly #protocol: 'delta' | 'sotw';
  #envoy: TestEnvoy | undefined;

  private constructor(plane: TestControlPlane, { folder, protocol = 'delta' }: EdgeInputs) {
    this.plane = plane;
    this.folder = folder;
    this.#protocol = protocol;
  }

  static async start(inputs: EdgeInputs): Promise<Edge> {
    const { folder, objects, identityFolder = '' } = inputs;
    mkdirSync(folder, { recursive: true });
    const plane = await startControlPlane(folder, [pod, ...objects].join('\n---\n'));
    takeAtTheirWord(plane.xebec.pilot, (proxy) => ({ ...provenProxy(proxy), identityFolder }));
    const edge = new Edge(plane, inputs);
    await edge.until('ready', () => plane.xebec.pilot.isReady);
    await edge.startEnvoy();
    return edge;
  }

  /** A new Envoy, with nothing of what an earlier one had. */
  async startEnvoy(): Promise<void> {
    const { folder, plane } = this;
    this.#envoy = new TestEnvoy({ folder, proxy: this.#proxy(), protocol: this.#protocol, xdsSocket: plane.xdsSocket });
    await this.#envoy.waitUntilLive(PATIENCE_MS);
  }

  async stopEnvoy(): Promise<void> {
    await this.#envoy?.stop();
    this.#envoy = undefined;
  }

  async stop(): Promise<void> {
    await this.stopEnvoy();
    await this.plane.stop();
  }

  get envoy(): TestEnvoy {
    if (this.#envoy === undefined) throw new Error('no Envoy runs');
    return this.#envoy;
  }

  /** Where a server with this bind listens. */
  socketOf(port: string): string {
    return join(this.folder, `${port}.sock`);
  }

  /** As an editor writes it: whole, or not at all. */
  write(name: string, ...objects: readonly string[]): void {
    const file = join(this.folder, 'config', `${name}.yaml`);
    writeFileSync(`${file}.new`, objects.join('\n---\n'));
    renameSync(`${file}.new`, file);
  }

  /** What the Gateway's owner is told. */
  told(): readonly string[] {
    return this.plane.xebec.pilot.diagnostics().map(({ code, message }) => `${code} ${message}`);
  }

  async until(what: string, isTrue: () => boolean | Promise<boolean>): Promise<void> {
    const deadline = performance.now() + PATIENCE_MS;
    while (!(await isTrue())) {
      if (performance.now() > deadline)
        throw new Error(
          `never ${what}: ${this.told().join('\n')}\n${this.plane.log.join('')}\n${this.#envoy?.log.join('\n')}`,
        );
      await sleep(10);
    }
  }

  #proxy(): Proxy {
    const mesh = this.plane.xebec.pilot.mesh();
    const parsed = mesh === undefined ? undefined : offlineProxy(node, mesh);
    if (parsed?.ok !== true) throw new Error('there is no mesh');
    return parsed.value;
  }
}

export type EdgeServer = {
  readonly host: string;
  /** The members of `tls`. */
  readonly tls: string;
  readonly protocol?: string;
};

/** A Gateway of the edge with all servers on one socket. */
export function edgeGateway(socket: string, servers: readonly EdgeServer[]): string {
  const lines = servers.map(({ host, tls, protocol = 'HTTPS' }, index) => {
    const place = `bind: "unix://${socket}", port: { number: 0, name: s${index}, protocol: ${protocol} }`;
    return `    - { ${place}, hosts: ["${host}"], tls: { ${tls} } }`;
  });
  return `
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: g, namespace: shop }
spec:
  selector: { istio: ingressgateway }
  servers:
${lines.join('\n')}
`;
}

/** Every host of example.com answers by itself. */
export const edgeAnswers = `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: answers, namespace: shop }
spec:
  hosts: ["*.example.com"]
  gateways: [g]
  http: [{ directResponse: { status: 200 } }]
`;
