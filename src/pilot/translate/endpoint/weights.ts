import { MAX_UINT32 } from '../protobuf.ts';

/** Envoy refuses weights that together exceed 32 bits; shares are kept, and nobody falls to 0. */
export function fitWeights(weights: readonly number[]): readonly number[] {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  if (total <= MAX_UINT32) return weights;
  const scale = (MAX_UINT32 - weights.length) / total;
  return weights.map((weight) => Math.max(1, Math.floor(weight * scale)));
}
