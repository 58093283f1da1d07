import { basename, dirname, resolve } from 'node:path';
import type { DirectoryWatches } from './directory-watches.ts';
import { directoryIdOf, statOf } from './file-stat.ts';

/** Watches the folders above a path, so that the path is seen to appear, to vanish and to be replaced. */
export class RootChain {
  readonly #root: string;
  readonly #watches: DirectoryWatches;
  /** Each folder above the root with the entry that leads to the root. */
  readonly #next: ReadonlyMap<string, string>;

  constructor(root: string, watches: DirectoryWatches) {
    this.#root = root;
    this.#watches = watches;
    this.#next = ancestorsOf(resolve(root));
  }

  /** The folders that are watched on the root's behalf. */
  has(directory: string): boolean {
    return this.#next.has(directory);
  }

  /** Whether an event says something about the way to the root. */
  concerns(directory: string, name: string | undefined): boolean {
    const next = this.#next.get(directory);
    if (next === undefined) return false;
    // `..data` is what a mounted ConfigMap swaps.
    return name === undefined || name === next || name.startsWith('..');
  }

  /** Renews the watches and says whether the root is there. */
  async isThere(): Promise<boolean> {
    for (const directory of this.#next.keys()) {
      const found = await statOf(directory);
      if (found.kind !== 'found' || !found.stat.isDirectory()) return false;
      this.#watches.ensure(directory, directoryIdOf(found.stat));
    }
    return (await statOf(this.#root)).kind === 'found';
  }
}

/** From the top down. */
function ancestorsOf(path: string): ReadonlyMap<string, string> {
  const chain: [string, string][] = [];
  for (let at = path; dirname(at) !== at; at = dirname(at)) chain.unshift([dirname(at), basename(at)]);
  return new Map(chain);
}
