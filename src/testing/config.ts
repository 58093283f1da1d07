import { collections, type Kind } from '../apis/collections.ts';
import { defaultMeshConfig } from '../apis/mesh/default-mesh-config.ts';
import type { MeshConfig } from '../apis/mesh/mesh-config.ts';
import { compareText } from '../kit/order.ts';
import type { ConfigSnapshot, ObjectsByKind } from '../model/config-snapshot.ts';
import type { ConfigObject } from '../model/object.ts';
import { deepFreeze } from './freeze.ts';

/** The mesh's defaults with what a test says otherwise. */
export function meshConfig(overrides: Partial<MeshConfig> = {}): MeshConfig {
  return deepFreeze({ ...defaultMeshConfig, ...overrides });
}

export type ConfigOptions = { readonly mesh?: MeshConfig; readonly networks?: ConfigSnapshot['networks'] };

/** The objects as a source would have them admitted, in the order of a snapshot; of two with one key the later counts. */
export function configSnapshot(objects: readonly ConfigObject[], options: ConfigOptions = {}): ConfigSnapshot {
  const { mesh = meshConfig(), networks = {} } = options;
  return nextConfig({ objects: emptyObjects(), mesh, networks }, { upserts: objects });
}

export type ConfigEdit = ConfigOptions & {
  readonly upserts?: readonly ConfigObject[];
  readonly deletes?: readonly Deleted[];
};

/** Names what is deleted; a whole object does. */
export type Deleted = Pick<ConfigObject, 'kind' | 'key'>;

/** The snapshot after an edit: lists that the edit does not touch stay the same arrays. */
export function nextConfig(before: ConfigSnapshot, edit: ConfigEdit): ConfigSnapshot {
  const { upserts = [], deletes = [], mesh = before.mesh, networks = before.networks } = edit;
  const objects = { ...before.objects };
  for (const kind of new Set([...upserts, ...deletes].map((object) => object.kind))) {
    editList(objects, kind, { upserts, deletes });
  }
  return { objects, mesh, networks };
}

type Lists = { [K in Kind]: readonly ConfigObject<K>[] };
type Objects = { readonly upserts: readonly ConfigObject[]; readonly deletes: readonly Deleted[] };

function editList<K extends Kind>(lists: Lists, kind: K, { upserts, deletes }: Objects): void {
  const known: readonly ConfigObject<K>[] = lists[kind];
  const byKey = new Map(known.map((object) => [object.key, object]));
  for (const gone of deletes) byKey.delete(gone.key);
  for (const upsert of upserts) if (isOfKind(upsert, kind)) byKey.set(upsert.key, upsert);
  Object.assign(lists, { [kind]: [...byKey.values()].sort(compareAge) });
}

function isOfKind<K extends Kind>(object: ConfigObject, kind: K): object is ConfigObject<K> {
  return object.kind === kind;
}

function emptyObjects(): ObjectsByKind {
  const lists: Partial<Lists> = Object.fromEntries(Object.keys(collections).map((kind) => [kind, []]));
  if (!hasEveryKind(lists)) throw new Error('the table of kinds lacks one');
  return lists;
}

function hasEveryKind(lists: Partial<Lists>): lists is Lists {
  return Object.keys(collections).every((kind) => kind in lists);
}

function compareAge(a: ConfigObject, b: ConfigObject): number {
  return (
    (a.meta.createdAt ?? 0) - (b.meta.createdAt ?? 0) ||
    compareText(a.meta.namespace, b.meta.namespace) ||
    compareText(a.meta.name, b.meta.name)
  );
}
