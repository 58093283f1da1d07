import type { EncodedResource } from './resource.ts';
import type { TypeStream } from './type-stream.ts';
import { TypeUrls } from './type-urls.ts';

/**
 * Clusters that resources name and nobody has. People change things that belong together one after the other, so a client
 * keeps the old form of a resource for a while when the new one leads nowhere yet; and each such name is waited for only once.
 */
export class MissingClusters {
  readonly #graceMs: number;
  readonly #since = new Map<string, number>();

  constructor(graceMs: number) {
    this.#graceMs = graceMs;
  }

  /** Whether a resource that the client has in an older form has to wait for a cluster that is missing. */
  isAwaited(resource: EncodedResource, clusters: TypeStream | undefined, now: number): boolean {
    if (clusters === undefined || resource.typeUrl === TypeUrls.endpoint) return false;
    let isAwaited = false;
    for (const name of clusters.target.missingFor(resource)) {
      if (!clusters.covers(name) || clusters.held(name) !== undefined) continue;
      const since = this.#since.get(name) ?? now;
      this.#since.set(name, since);
      if (now - since < this.#graceMs) isAwaited = true;
    }
    return isAwaited;
  }

  /** Must be called when there are other clusters: what came and goes again is waited for again. */
  update({ target }: TypeStream): void {
    for (const name of this.#since.keys()) if (target.base.resources.has(name)) this.#since.delete(name);
  }
}
