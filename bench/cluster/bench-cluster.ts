import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { collectionFor } from '../../src/apis/collections.ts';
import { systemClock } from '../../src/kit/system-clock.ts';
import type { KubeResult, ObjectName, ResourceType } from '../../src/kube/api.ts';
import { connectKubeApi, type KubeConnection } from '../../src/kube/connect.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';
import { PromMetrics } from '../../src/telemetry/prom-metrics.ts';
import { type ApiServer, startApiServer } from '../../test/cluster/api-server.ts';
import { type Manifest, namespaceObject } from '../mesh/objects.ts';
import type { PodView } from '../server/xebec-process.ts';

/** Objects that are written at the same time. */
const LANES = 8;
const ROOT_NAMESPACE = 'istio-system';
const RBAC = 'rbac.authorization.k8s.io';
const forever = new AbortController().signal;

/** A real API server with the project's CRDs, and a connection that fills it. */
export class BenchCluster {
  readonly server: ApiServer;
  /** What a pod of xebec would see; it may do everything. */
  readonly pod: PodView;
  readonly #api: KubeConnection;

  private constructor(server: ApiServer, api: KubeConnection) {
    const { hostname: host, port } = new URL(server.url);
    this.server = server;
    this.pod = { host, port, serviceAccount: join(server.folder, 'service-account') };
    this.#api = api;
  }

  static async start(): Promise<BenchCluster> {
    const server = await startApiServer({ flags: ['--service-cluster-ip-range=10.96.0.0/16'] });
    try {
      await server.applyCrds();
      const api = await connectKubeApi({
        access: { kind: 'kubeconfig', path: server.kubeconfig },
        clock: systemClock,
        log: silentLogger,
        metrics: new PromMetrics(),
        userAgent: 'xebec-bench',
      });
      if (!api.ok) throw new Error(api.error);
      const cluster = new BenchCluster(server, api.value);
      await cluster.#createPod();
      return cluster;
    } catch (error) {
      await server.stop();
      throw error;
    }
  }

  /** Creates objects, several at a time; what a pod says of its status is written too. */
  async create(objects: readonly Manifest[]): Promise<void> {
    const left = objects.values();
    const lane = async (): Promise<void> => {
      for (const object of left) await this.#create(object);
    };
    await Promise.all(Array.from({ length: LANES }, lane));
  }

  /** Makes an object what it is to be, whatever it was; returns when the API server has it. */
  async replace(object: Manifest): Promise<void> {
    const { type } = placeOf(object);
    demand(object, await this.#api.apply(type, object, { fieldManager: 'xebec-bench', force: true }, forever));
  }

  /** Whether the API server takes an object, without keeping it; and how long that took. */
  async tryCreate(object: Manifest): Promise<{ readonly isTaken: boolean; readonly ms: number }> {
    const start = performance.now();
    const { ok } = await this.#api.create(placeOf(object).type, object, forever, true);
    return { isTaken: ok, ms: performance.now() - start };
  }

  /** The size of a kind's objects as the API server lists them. */
  async jsonBytes(apiVersion: string, kind: string): Promise<number> {
    const { group, version, plural } = typeOf(apiVersion, kind);
    const prefix = group === '' ? `/api/${version}` : `/apis/${group}/${version}`;
    const { status, body } = await this.server.call('GET', `${prefix}/${plural}`);
    if (status !== 200) throw new Error(`no list of ${kind}: ${body}`);
    return Buffer.byteLength(body);
  }

  async stop(): Promise<void> {
    await this.#api.close();
    await this.server.stop();
  }

  async #createPod(): Promise<void> {
    const folder = this.pod.serviceAccount;
    const subjects = [{ kind: 'ServiceAccount', namespace: ROOT_NAMESPACE, name: 'xebec' }];
    const roleRef = { apiGroup: RBAC, kind: 'ClusterRole', name: 'cluster-admin' };
    const metadata = { name: 'xebec' };
    const binding = { apiVersion: `${RBAC}/v1`, kind: 'ClusterRoleBinding', metadata, roleRef, subjects };
    await this.create([namespaceObject(ROOT_NAMESPACE), binding]);
    mkdirSync(folder);
    writeFileSync(join(folder, 'token'), await this.server.tokenFor(`${ROOT_NAMESPACE}/xebec`));
    writeFileSync(join(folder, 'ca.crt'), this.server.keys.authority.certificate);
    writeFileSync(join(folder, 'namespace'), ROOT_NAMESPACE);
  }

  async #create(object: Manifest): Promise<void> {
    const { type } = placeOf(object);
    demand(object, await this.#api.create(type, object, forever));
    if (object.kind !== 'Pod') return;
    const { apiVersion, kind, metadata, status } = object;
    const options = { fieldManager: 'kubelet', force: true, subresource: 'status' } as const;
    demand(object, await this.#api.apply(type, { apiVersion, kind, metadata, status }, options, forever));
  }
}

function demand(object: Manifest, result: KubeResult): void {
  if (!result.ok) throw new Error(`${object.kind}: ${result.error.message}`);
}

function placeOf(object: Manifest): { readonly type: ResourceType; readonly name: ObjectName } {
  const { namespace = '', name } = object['metadata'] as { readonly namespace?: string; readonly name: string };
  return { type: typeOf(String(object['apiVersion']), object.kind), name: { namespace, name } };
}

function typeOf(apiVersion: string, kind: string): ResourceType {
  const collection = collectionFor(apiVersion, kind) ?? others[kind];
  if (collection === undefined) throw new Error(`nobody knows ${apiVersion} ${kind}`);
  const [group = '', version = group] = apiVersion.split('/');
  return { group: group === version ? '' : group, version, plural: collection.plural };
}

const others: Readonly<Record<string, { readonly plural: string }>> = {
  ClusterRoleBinding: { plural: 'clusterrolebindings' },
  ValidatingWebhookConfiguration: { plural: 'validatingwebhookconfigurations' },
};
