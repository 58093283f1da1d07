import type { CollectionOf } from '../collection.ts';

/** What the body of each kind parses to. */
// biome-ignore lint/complexity/noBannedTypes: the kinds follow
export type MixerSpecs = {};

type Kind = keyof MixerSpecs;

/** The kinds of `config.istio.io`. */
export const mixerKinds: { readonly [K in Kind]: CollectionOf<K, MixerSpecs[K]> } = {};
