import type { CollectionOf } from '../collection.ts';

/** What the body of each kind parses to. */
// biome-ignore lint/complexity/noBannedTypes: the kinds follow
export type ObservabilitySpecs = {};

type Kind = keyof ObservabilitySpecs;

/** The kinds of `telemetry.istio.io` and `extensions.istio.io`. */
export const observabilityKinds: { readonly [K in Kind]: CollectionOf<K, ObservabilitySpecs[K]> } = {};
