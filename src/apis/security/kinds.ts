import type { CollectionOf } from '../collection.ts';

/** What the body of each kind parses to. */
// biome-ignore lint/complexity/noBannedTypes: the kinds follow
export type SecuritySpecs = {};

type Kind = keyof SecuritySpecs;

/** The kinds of `security.istio.io`, and the classic `authentication.istio.io` and `rbac.istio.io`. */
export const securityKinds: { readonly [K in Kind]: CollectionOf<K, SecuritySpecs[K]> } = {};
