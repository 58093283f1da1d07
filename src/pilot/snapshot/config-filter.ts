import { KeyedMemo } from '../../kit/memo.ts';
import type { ConfigSnapshot } from '../../model/config-snapshot.ts';
import type { ConfigObject } from '../../model/object.ts';
import {
  buildDiscovery,
  type DiscoveryInputs,
  isDiscovered,
  type NamespaceFilter,
} from '../registry/discovered-namespaces.ts';
import { keepIfSameValue } from '../registry/same-value.ts';

type ListInputs = { readonly objects: readonly ConfigObject[]; readonly filter: NamespaceFilter };

type Kind = keyof ConfigSnapshot['objects'];

/** What protects workloads: a namespace that leaves the mesh's sight must not become open by that. */
const protecting: ReadonlySet<string> = new Set<Kind>([
  'PeerAuthentication',
  'RequestAuthentication',
  'AuthorizationPolicy',
  'Policy',
  'ServiceRole',
  'ServiceRoleBinding',
  'RbacConfig',
]);

/**
 * Leaves out the objects of namespaces that `discoverySelectors` do not select, but for what protects workloads there. Lists that did not
 * change stay the same.
 */
export class ConfigFilter {
  readonly #filters = new KeyedMemo<string, DiscoveryInputs, NamespaceFilter | undefined>(buildDiscovery);
  readonly #lists = new KeyedMemo<string, ListInputs, readonly ConfigObject[]>(({ objects, filter }) =>
    objects.filter(({ meta }) => isDiscovered(filter, meta.namespace)),
  );
  #filter: NamespaceFilter | undefined;

  apply(config: ConfigSnapshot): ConfigSnapshot {
    const { discoverySelectors: selectors = NOTHING, rootNamespace } = config.mesh;
    const built = this.#filters.get('', { selectors, namespaces: config.objects.Namespace, rootNamespace });
    this.#filter = built === undefined ? undefined : keepIfSameValue(this.#filter, built);
    const filter = this.#filter;
    if (filter === undefined) return config;
    const objects = { ...config.objects };
    for (const [kind, list] of Object.entries(config.objects)) {
      if (protecting.has(kind)) continue;
      Object.assign(objects, { [kind]: this.#lists.get(kind, { objects: list, filter }) });
    }
    return { ...config, objects };
  }
}

const NOTHING: NonNullable<ConfigSnapshot['mesh']['discoverySelectors']> = [];
