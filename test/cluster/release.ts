import { join } from 'node:path';
import { checkout } from '../../tools/paths.mjs';
import type { HelmVersion, NodeClient } from './node-client.ts';
import { xebecImage } from './xebec-image.ts';

export const chart = join(checkout, 'charts', 'xebec');

export type ReleaseOptions = {
  readonly client: () => NodeClient;
  readonly helm: HelmVersion;
  readonly name: string;
  readonly namespace: string;
};

/** A release of the chart, as a person with helm has it. */
export class Release {
  readonly name: string;
  readonly namespace: string;
  readonly #client: () => NodeClient;
  readonly #helm: HelmVersion;

  constructor({ client, helm, name, namespace }: ReleaseOptions) {
    this.name = name;
    this.namespace = namespace;
    this.#client = client;
    this.#helm = helm;
  }

  /** A namespace that lets in only what is restricted, and the image on the node. */
  async prepare(): Promise<void> {
    await this.#client().loadImage(await xebecImage());
    const labels = { 'pod-security.kubernetes.io/enforce': 'restricted' };
    await this.#client().apply([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: this.namespace, labels } }]);
  }

  /** helm install or upgrade; returns what it says to a person. */
  change(verb: 'install' | 'upgrade', ...args: readonly string[]): Promise<string> {
    return this.helm(verb, this.name, chart, '--wait', '--timeout=120s', ...args);
  }

  helm(verb: string, ...args: readonly string[]): Promise<string> {
    return this.#client().helm(this.#helm, [verb, ...args, `--namespace=${this.namespace}`]);
  }

  /** Takes the release, its namespace, and the definitions, whatever state they are in: the next file finds nothing. */
  async remove(): Promise<void> {
    await this.helm('uninstall', this.name, '--wait', '--ignore-not-found');
    await this.#client().kubectl(['delete', 'namespace', this.namespace, '--ignore-not-found']);
    await this.#client().kubectl(['delete', 'crd', '-l', 'app.kubernetes.io/part-of=xebec', '--ignore-not-found']);
    // As docs/identities.md has it: another root would be refused by a mesh that knows this one.
    const everywhere = ['--all-namespaces', '--ignore-not-found', '--field-selector'];
    await this.#client().kubectl(['delete', 'secrets', ...everywhere, 'type=istio.io/key-and-cert']);
    await this.#client().kubectl(['delete', 'configmaps', ...everywhere, 'metadata.name=istio-ca-root-cert']);
  }

  kubectl(...args: readonly string[]): Promise<string> {
    return this.#client().kubectl([...args, `--namespace=${this.namespace}`]);
  }

  read(path: string, ...object: readonly string[]): Promise<string> {
    return this.kubectl('get', ...object, `--output=jsonpath={${path}}`);
  }
}

/** What stays when a release goes, since pods hang on it. */
export function isIdentity(name: string): boolean {
  return /^(Secret \S+ istio[.-]\S+|ConfigMap \S+ (istio-ca-root-cert|istio-security))$/.test(name);
}

const uncounted = new Set([
  'events',
  'events.events.k8s.io',
  'customresourcedefinitions.apiextensions.k8s.io',
  // Each follows from definitions.
  'apiservices.apiregistration.k8s.io',
]);

/** The names of all that there is, of every kind; without the definitions of kinds, which stay, and Events, which pass. */
export async function inventory(client: NodeClient): Promise<ReadonlySet<string>> {
  const names: string[] = [];
  for (const isNamespaced of [true, false]) {
    const kinds = await client.kubectl([
      'api-resources',
      '--verbs=list',
      `--namespaced=${isNamespaced}`,
      '--output=name',
      '--cached=false',
    ]);
    const counted = kinds
      .split('\n')
      .filter((kind) => kind !== '' && !uncounted.has(kind) && !kind.endsWith('istio.io'));
    const columns = 'custom-columns=KIND:.kind,NAMESPACE:.metadata.namespace,NAME:.metadata.name';
    const list = await client.kubectl(['get', counted.join(','), '-A', '--no-headers', `--output=${columns}`]);
    names.push(...list.split('\n').map((line) => line.trim().replaceAll(/\s+/g, ' ')));
  }
  // What Kubernetes does for itself comes and goes.
  return new Set(names.filter((name) => name !== '' && !/^\S+ kube-/.test(name)));
}
