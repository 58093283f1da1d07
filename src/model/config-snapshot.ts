import type { Kind } from '../apis/collections.ts';
import type { MeshConfig } from '../apis/mesh/mesh-config.ts';
import type { MeshNetworks } from '../apis/mesh/mesh-networks.ts';
import type { ConfigObject } from './object.ts';

/** Oldest first, then by namespace and name. */
export type ObjectsByKind = { readonly [K in Kind]: readonly ConfigObject<K>[] };

/**
 * Everything admitted at one moment. A list that did not change is the same array, an object that did not change is the
 * same object.
 */
export type ConfigSnapshot = {
  readonly objects: ObjectsByKind;
  readonly mesh: MeshConfig;
  readonly networks: MeshNetworks;
};
