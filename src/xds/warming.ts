import { type Holdings, heldIn } from './client-state.ts';
import { hasEndpoints, type Types } from './order.ts';
import type { EncodedResource } from './resource.ts';
import { TypeUrls } from './type-urls.ts';

/** The clusters new to a client whose endpoints it has not confirmed yet: nothing that names them is sent before. */
export class Warming {
  readonly #names = new Set<string>();

  get names(): ReadonlySet<string> {
    return this.#names;
  }

  /** Must be told of every cluster that is sent, with what the client had before. */
  onSent(clusters: readonly EncodedResource[], before: Holdings, types: Types): void {
    const endpoints = types.get(TypeUrls.endpoint);
    for (const { name, needs } of clusters) {
      let isMissing = false;
      let isPresent = false;
      for (const need of needs) {
        if (need.typeUrl !== TypeUrls.endpoint) continue;
        if (endpoints?.held(need.name) === undefined) {
          isMissing = true;
        } else {
          isPresent = true;
          // Envoy keeps a cluster that changed warming until its endpoints arrive again, so they follow it even when unchanged.
          endpoints.owed.add(need.name);
        }
      }
      if (isMissing || (isPresent && heldIn(before, name) === undefined)) this.#names.add(name);
    }
  }

  /** Must be called when the client confirmed clusters: one that no longer needs endpoints waits for none. */
  onConfirmed(clusters: readonly EncodedResource[]): void {
    if (this.#names.size === 0) return;
    for (const { name, needs } of clusters) {
      if (!needs.some(({ typeUrl }) => typeUrl === TypeUrls.endpoint)) this.#names.delete(name);
    }
  }

  /** Must be called when the client confirmed endpoints or rejected anything. Costs the clusters that warm. */
  update(types: Types): void {
    if (this.#names.size === 0) return;
    const clusters = types.get(TypeUrls.cluster);
    const endpoints = types.get(TypeUrls.endpoint);
    for (const name of this.#names) {
      const needs = clusters?.held(name)?.needs;
      if (needs !== undefined && !hasEndpoints(needs, endpoints)) continue;
      // A cluster that is about to go may come back before it went, and is then as it was.
      const isLeaving = needs !== undefined && clusters?.wanted(name) === undefined;
      if (!isLeaving) this.#names.delete(name);
    }
  }

  /** The assignments that these clusters need. */
  endpoints(types: Types): readonly string[] {
    const clusters = types.get(TypeUrls.cluster);
    const needs = [...this.#names].flatMap((name) => clusters?.held(name)?.needs ?? []);
    return needs.filter(({ typeUrl }) => typeUrl === TypeUrls.endpoint).map(({ name }) => name);
  }

  /** The client does not confirm endpoints: do not wait for them again. */
  giveUp(name: string): void {
    this.#names.delete(name);
  }
}
