import { X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, beforeEach } from 'vitest';
import { TestIssuers, testIssuer, testRoot } from '../../../src/citadel/testing/issuers.ts';
import type { KubeApi, KubeObject, KubeResult, ResourceType } from '../../../src/kube/api.ts';
import { asRecord, textIn } from '../../../src/kube/json.ts';
import type { ApiServer } from '../api-server.ts';
import { apiServerOfFile } from '../api-server-of-file.ts';
import { connectAs, eventually } from '../kube-copy.ts';
import { renderChart } from './chart.ts';
import { IssuingReplica } from './issuing-replica.ts';
import { Objects } from './objects.ts';

export const forever = new AbortController().signal;
export const secrets: ResourceType = { group: '', version: 'v1', plural: 'secrets' };
export const configMaps: ResourceType = { group: '', version: 'v1', plural: 'configmaps' };
export const accounts: ResourceType = { group: '', version: 'v1', plural: 'serviceaccounts' };
export const namespaces: ResourceType = { group: '', version: 'v1', plural: 'namespaces' };

export const root = testRoot('one', Date.now());
export const otherRoot = testRoot('two', Date.now());
export const bundle = root.certificate + otherRoot.certificate;

/** A real API server whose accounts get identities: the namespace of one test, and an issuer that it replaces. */
export class IdentityCluster {
  readonly server: ApiServer;
  readonly api: KubeApi;
  readonly issuers = new TestIssuers(testIssuer(root));
  /** Of a xebec, with the rights that the chart grants. */
  readonly kubeconfig: string;
  namespace = '';
  #count = 0;

  private constructor(server: ApiServer, api: KubeApi, kubeconfig: string) {
    this.server = server;
    this.api = api;
    this.kubeconfig = kubeconfig;
  }

  static async prepare(server: ApiServer, atEnd: (end: () => Promise<void> | void) => void): Promise<IdentityCluster> {
    const api = await connectAs(server.kubeconfig, { atEnd });
    await new Objects(api).put(...(await renderChart({ release: 'xebec', files: ['rbac.yaml', 'state.yaml'] })));
    return new IdentityCluster(server, api, server.tokenKubeconfig(await server.tokenFor('istio-system/xebec')));
  }

  /** For the next test. */
  async renew(): Promise<void> {
    this.issuers.use(testIssuer(root));
    this.namespace = await this.makeNamespace();
  }

  async makeNamespace(): Promise<string> {
    const name = `shop-${(this.#count += 1)}`;
    await demand(this.api.create(namespaces, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } }, forever));
    return name;
  }

  async makeAccounts(...names: readonly string[]): Promise<void> {
    const objects = names.map((name) => ({
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { namespace: this.namespace, name },
    }));
    await Promise.all(objects.map((object) => demand(this.api.create(accounts, object, forever))));
  }

  async remove(type: ResourceType, name: string): Promise<void> {
    await demand(this.api.delete(type, { namespace: this.namespace, name }, forever));
  }

  async secretOf(account: string): Promise<KubeObject | undefined> {
    const read = await this.api.get(secrets, { namespace: this.namespace, name: `istio.${account}` }, forever);
    return read.ok ? read.value : undefined;
  }

  async fileOf(account: string, name: string): Promise<string> {
    return fileIn(await this.secretOf(account), name);
  }

  async setFile(account: string, name: string, text: string): Promise<void> {
    const data = { [name]: Buffer.from(text).toString('base64') };
    await this.edit(secrets, `istio.${account}`, (secret) => ({
      ...secret,
      data: { ...asRecord(secret['data']), ...data },
    }));
  }

  /** Changes an object as its owner does, however often somebody is faster. */
  async edit(type: ResourceType, name: string, change: (object: KubeObject) => KubeObject): Promise<void> {
    const place = { namespace: type === namespaces ? '' : this.namespace, name };
    for (;;) {
      const known = await demand(this.api.get(type, place, forever));
      const updated = await this.api.update(type, change(known), forever);
      if (updated.ok) return;
      if (updated.error.reason !== 'conflict') throw new Error(updated.error.message);
    }
  }

  async relabel(labels: Readonly<Record<string, string>>): Promise<void> {
    await this.edit(namespaces, this.namespace, (object) => ({
      ...object,
      metadata: { ...asRecord(object['metadata']), labels },
    }));
  }

  /** Waits until the identity of an account is good. */
  async good(account: string, signer = root): Promise<KubeObject> {
    let secret: KubeObject | undefined;
    await eventually(`the identity of ${account}`, async () => isGood((secret = await this.secretOf(account)), signer));
    return secret ?? {};
  }

  async rootIn(place = this.namespace): Promise<string> {
    const read = await this.api.get(configMaps, { namespace: place, name: 'istio-ca-root-cert' }, forever);
    return read.ok ? textIn(asRecord(read.value['data']), 'root-cert.pem') : '';
  }

  async eventsOf(account: string): Promise<string> {
    const selector = `involvedObject.name=${account}`;
    const args = ['get', 'events', '-n', this.namespace, '--field-selector', selector, '-o', 'wide'];
    return (await this.server.kubectl(args)).stdout;
  }

  /** A replica, until the end of the test. */
  async lead(name = 'one', more: Partial<Parameters<typeof IssuingReplica.start>[0]> = {}): Promise<IssuingReplica> {
    const { kubeconfig, issuers } = this;
    return await IssuingReplica.start({ name, kubeconfig, issuers, ...more });
  }
}

export async function demand<T>(answer: Promise<KubeResult<T>>): Promise<T> {
  const result = await answer;
  if (!result.ok) throw new Error(result.error.message);
  return result.value;
}

export function fileIn(secret: KubeObject | undefined, name: string): string {
  return Buffer.from(textIn(asRecord(secret?.['data']), name), 'base64').toString('utf8');
}

export function isGood(secret: KubeObject | undefined, signer = root): boolean {
  const chain = fileIn(secret, 'cert-chain.pem');
  if (!chain.includes('BEGIN') || fileIn(secret, 'key.pem') === '') return false;
  const leaf = new X509Certificate(chain);
  const isSigned = leaf.verify(new X509Certificate(signer.certificate).publicKey);
  return isSigned && Date.parse(leaf.validTo) > Date.now() && fileIn(secret, 'root-cert.pem').includes('BEGIN');
}

/** An API server for one test file, and a namespace and an issuer for each of its tests. */
export function useIdentityCluster(): () => IdentityCluster {
  const server = apiServerOfFile({ controllers: true });
  const ends: (() => Promise<void> | void)[] = [];
  let cluster: IdentityCluster | undefined;
  const known = (): IdentityCluster => {
    if (cluster === undefined) throw new Error('made before the first test');
    return cluster;
  };
  beforeAll(async () => {
    cluster = await IdentityCluster.prepare(server(), (end) => void ends.push(end));
  });
  afterAll(async () => {
    for (const end of ends) await end();
  });
  beforeEach(() => known().renew());
  return known;
}
