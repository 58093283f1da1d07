import { readdir, realpath } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import type { DirectoryWatches } from './directory-watches.ts';
import { directoryIdOf, type FileStat, identityOf, reasonOf, statOf } from './file-stat.ts';

/** What is below one path. */
export type Found = {
  /** Files to read, with their identity. */
  readonly files: Map<string, string>;
  readonly directories: Set<string>;
  /** What cannot be looked at, and why; whatever was known below stays as it was. */
  readonly failed: Map<string, string>;
};

const EXTENSIONS = /\.(?:yaml|yml|json)$/i;
const MAX_DIRECTORIES = 10_000;
const AT_ONCE = 32;

/** Walks a folder, follows its symbolic links, and watches every directory it enters. */
export class FolderTree {
  readonly #root: string;
  readonly #watches: DirectoryWatches;
  /** Entered directories and their ids, by the path they were entered by. */
  readonly #directories = new Map<string, string>();
  /** Where a link leads, and back. A link's target may be written or replaced without its own folder noticing. */
  readonly #targets = new Map<string, string>();
  readonly #links = new Map<string, Set<string>>();

  constructor(root: string, watches: DirectoryWatches) {
    this.#root = root;
    this.#watches = watches;
  }

  isDirectory(path: string): boolean {
    return this.#directories.has(path);
  }

  isWanted(path: string): boolean {
    return path === this.#root || EXTENSIONS.test(path);
  }

  /** The links that lead to a path. */
  linksTo(path: string): Iterable<string> {
    return this.#links.get(path) ?? [];
  }

  /** Looks at a path and everything below it. */
  async visit(path: string): Promise<Found> {
    const found: Found = { files: new Map(), directories: new Set(), failed: new Map() };
    const parents = this.#parentsOf(path);
    if (parents !== undefined) await this.#visit(path, parents, found);
    for (const directory of [...this.#directories.keys()]) {
      if (!isBelow(directory, path) || found.directories.has(directory) || isBelowAny(directory, found.failed))
        continue;
      this.#directories.delete(directory);
      this.#watches.drop(directory);
    }
    return found;
  }

  /** Forgets the watches of link targets that no link leads to any more. */
  retainWatches(alsoWanted: { has(directory: string): boolean }): void {
    const targets = new Set([...this.#targets.values()].map((target) => dirname(target)));
    const wanted = (directory: string): boolean =>
      this.#directories.has(directory) || targets.has(directory) || alsoWanted.has(directory);
    this.#watches.retain({ has: wanted });
  }

  async #visit(path: string, parents: readonly string[], found: Found): Promise<void> {
    const result = await statOf(path);
    if (result.kind !== 'found' || !result.isLink) this.#unlink(path);
    if (result.kind === 'gone') return;
    if (result.kind === 'failed') {
      if (this.isWanted(path) || this.isDirectory(path)) found.failed.set(path, result.message);
      return;
    }
    if (result.isLink) await this.#link(path);
    if (result.stat.isDirectory()) await this.#enter({ path, stat: result.stat, parents, found });
    else if (this.isWanted(path)) found.files.set(path, identityOf(result.stat));
  }

  async #enter({ path, stat, parents, found }: Entering): Promise<void> {
    const id = directoryIdOf(stat);
    if (parents.includes(id)) return;
    if (this.#directories.size >= MAX_DIRECTORIES && !this.#directories.has(path)) {
      found.failed.set(path, `is left out: at most ${MAX_DIRECTORIES} folders are read`);
      return;
    }
    this.#directories.set(path, id);
    found.directories.add(path);
    this.#watches.ensure(path, id);
    const names = await this.#list(path, found);
    for (let start = 0; start < names.length; start += AT_ONCE) {
      const some = names.slice(start, start + AT_ONCE);
      await Promise.all(some.map((name) => this.#visit(join(path, name), [...parents, id], found)));
    }
  }

  async #list(path: string, found: Found): Promise<readonly string[]> {
    try {
      const entries = await readdir(path, { withFileTypes: true });
      return entries
        .filter((entry) => !entry.name.startsWith('.') && (!entry.isFile() || EXTENSIONS.test(entry.name)))
        .map((entry) => entry.name);
    } catch (cause) {
      const { kind, message } = reasonOf(cause);
      if (kind !== 'gone') found.failed.set(path, `cannot be listed: ${message}`);
      return [];
    }
  }

  /** The ids of the directories around a path; undefined when it is not in an entered directory. */
  #parentsOf(path: string): readonly string[] | undefined {
    const ids: string[] = [];
    for (let at = path; at !== this.#root; at = dirname(at)) {
      const id = this.#directories.get(dirname(at));
      if (id === undefined || dirname(at) === at) return undefined;
      ids.unshift(id);
    }
    return ids;
  }

  async #link(path: string): Promise<void> {
    this.#unlink(path);
    const target = await realpath(path).catch(() => undefined);
    const holder = target === undefined ? undefined : await statOf(dirname(target));
    // A target that goes away in this moment is found by the next visit.
    if (target === undefined || holder?.kind !== 'found') return;
    this.#watches.ensure(dirname(target), directoryIdOf(holder.stat));
    this.#targets.set(path, target);
    this.#links.set(target, (this.#links.get(target) ?? new Set()).add(path));
  }

  #unlink(path: string): void {
    const target = this.#targets.get(path);
    if (target === undefined) return;
    this.#targets.delete(path);
    this.#links.get(target)?.delete(path);
    if (this.#links.get(target)?.size === 0) this.#links.delete(target);
  }
}

type Entering = {
  readonly path: string;
  readonly stat: FileStat;
  readonly parents: readonly string[];
  readonly found: Found;
};

/** Whether a path is `above` or inside it. */
export function isBelow(path: string, above: string): boolean {
  return path === above || path.startsWith(above.endsWith('/') ? above : `${above}/`);
}

export function isBelowAny(path: string, above: ReadonlyMap<string, unknown>): boolean {
  for (const place of above.keys()) if (isBelow(path, place)) return true;
  return false;
}
