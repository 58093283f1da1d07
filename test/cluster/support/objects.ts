import { parseAllDocuments } from 'yaml';
import { collectionFor } from '../../../src/apis/collections.ts';
import type { KubeApi, KubeObject, KubeResult, ObjectName, ResourceType } from '../../../src/kube/api.ts';
import { asRecord, resourceVersionOf, textIn } from '../../../src/kube/json.ts';
import type { Manifest } from '../../feature/pilot/support/manifests.ts';

const forever = new AbortController().signal;

/** The objects of an API server, as whoever owns the mesh changes them. */
export class Objects {
  readonly api: KubeApi;

  constructor(api: KubeApi) {
    this.api = api;
  }

  /** Applies objects with their namespaces, and what they say of their status. */
  async put(...manifests: readonly Manifest[]): Promise<void> {
    for (const manifest of manifests) {
      const { type, name } = placeOf(manifest);
      if (name.namespace !== '') await this.#putNamespace(name.namespace);
      await this.#apply(type, complete(manifest));
      const { apiVersion, kind, metadata, status } = manifest;
      if (status !== undefined) await this.#apply(type, { apiVersion, kind, metadata, status }, 'status');
    }
  }

  /** Creates or replaces objects as they are, whatever is in them, many at once. */
  async store(...manifests: readonly Manifest[]): Promise<void> {
    await Promise.all(manifests.map((manifest) => this.#store(manifest)));
  }

  async delete(...manifests: readonly Manifest[]): Promise<void> {
    const deletions = manifests.map(placeOf).map(({ type, name }) => this.api.delete(type, name, forever));
    for (const result of await Promise.all(deletions))
      if (!result.ok && result.error.reason !== 'not-found') throw new Error(result.error.message);
  }

  async get(manifest: Manifest): Promise<KubeObject> {
    const { type, name } = placeOf(manifest);
    return demand(await this.api.get(type, name, forever));
  }

  /** The conditions of an object's status: `Accepted` → `True`. */
  async conditionsOf(manifest: Manifest): Promise<Readonly<Record<string, string>>> {
    const status = asRecord((await this.get(manifest))['status']);
    const conditions: readonly unknown[] = Array.isArray(status['conditions']) ? status['conditions'] : [];
    return Object.fromEntries(conditions.map(asRecord).map(({ type, status: value }) => [String(type), String(value)]));
  }

  async #store(manifest: Manifest): Promise<void> {
    const { type, name } = placeOf(manifest);
    const known = await this.api.get(type, name, forever);
    const lock = known.ok ? { resourceVersion: resourceVersionOf(known.value) } : {};
    const object = { ...manifest, metadata: { ...asRecord(manifest['metadata']), ...lock } };
    const stored = await this.api[known.ok ? 'update' : 'create'](type, object, forever);
    // Its status was written in between.
    if (!stored.ok && stored.error.reason === 'conflict') await this.#store(manifest);
    else demand(stored, JSON.stringify(manifest).slice(0, 500));
  }

  async #putNamespace(name: string): Promise<void> {
    const type = { group: '', version: 'v1', plural: 'namespaces' };
    if ((await this.api.get(type, { namespace: '', name }, forever)).ok) return;
    await this.#apply(type, { apiVersion: 'v1', kind: 'Namespace', metadata: { name } });
  }

  async #apply(type: ResourceType, object: KubeObject, subresource?: 'status'): Promise<void> {
    const options = { fieldManager: 'test', force: true, ...(subresource === undefined ? {} : { subresource }) };
    demand(await this.api.apply(type, object, options, forever), JSON.stringify(object));
  }
}

/** The objects in a text of YAML. */
export function manifestsIn(yaml: string): readonly Manifest[] {
  return parseAllDocuments(yaml)
    .map((document) => asRecord(document.toJS()))
    .filter(({ kind }) => kind !== undefined);
}

function placeOf(manifest: Manifest): { readonly type: ResourceType; readonly name: ObjectName } {
  const apiVersion = textIn(manifest, 'apiVersion');
  const kind = textIn(manifest, 'kind');
  const [version = '', group = ''] = apiVersion.split('/').toReversed();
  const known = collectionFor(apiVersion, kind) ?? others[kind];
  if (known === undefined) throw new Error(`the test does not know ${apiVersion} ${kind}`);
  const metadata = asRecord(manifest['metadata']);
  const namespace = known.scope === 'cluster' ? '' : textIn(metadata, 'namespace') || 'default';
  return { type: { group, version, plural: known.plural }, name: { namespace, name: textIn(metadata, 'name') } };
}

/** What the mesh does not read. */
const others: Readonly<Record<string, { readonly plural: string; readonly scope: 'cluster' | 'namespaced' }>> = {
  Lease: { plural: 'leases', scope: 'namespaced' },
  ServiceAccount: { plural: 'serviceaccounts', scope: 'namespaced' },
  Role: { plural: 'roles', scope: 'namespaced' },
  RoleBinding: { plural: 'rolebindings', scope: 'namespaced' },
  ClusterRole: { plural: 'clusterroles', scope: 'cluster' },
  ClusterRoleBinding: { plural: 'clusterrolebindings', scope: 'cluster' },
  CustomResourceDefinition: { plural: 'customresourcedefinitions', scope: 'cluster' },
  ValidatingWebhookConfiguration: { plural: 'validatingwebhookconfigurations', scope: 'cluster' },
};

/** What a real API server demands besides. */
function complete(manifest: Manifest): KubeObject {
  switch (manifest['kind']) {
    case 'Pod': {
      const { containers = [{ name: 'app' }], ...spec } = asRecord(manifest['spec']);
      const withImages = (containers as readonly object[]).map((container) => ({ image: 'app', ...container }));
      // Nobody runs it, so nobody would ever say that it ended.
      return { ...manifest, spec: { terminationGracePeriodSeconds: 0, ...spec, containers: withImages } };
    }
    case 'Service': {
      const spec = asRecord(manifest['spec']);
      const isDual = Array.isArray(spec['clusterIPs']) && spec['clusterIPs'].length === 2;
      return isDual ? { ...manifest, spec: { ...spec, ipFamilyPolicy: 'RequireDualStack' } } : manifest;
    }
    default:
      return manifest;
  }
}

function demand(result: KubeResult, what = ''): KubeObject {
  if (!result.ok) throw new Error(`${result.error.message} ${what}`);
  return result.value;
}
