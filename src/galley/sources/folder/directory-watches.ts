import { type FSWatcher, watch } from 'node:fs';
import { basename } from 'node:path';
import { reasonOf } from './file-stat.ts';

type Watched = { readonly id: string; readonly watcher: FSWatcher };

/** `name` is absent when the system does not say which entry changed. */
export type OnEvent = (directory: string, name: string | undefined) => void;

/**
 * One watch per directory, which is what the system offers and what sees files that are replaced as well as files that are
 * written. A directory that was replaced must be watched again, hence the id.
 */
export class DirectoryWatches {
  readonly #onEvent: OnEvent;
  readonly #watched = new Map<string, Watched>();
  #limited = false;

  constructor(onEvent: OnEvent) {
    this.#onEvent = onEvent;
  }

  /** Whether a directory could not be watched because the system has no more watches to give. */
  get limited(): boolean {
    return this.#limited;
  }

  /** Watches a directory. Call it before listing the directory, so that nothing is missed in between. */
  ensure(directory: string, id: string): void {
    const known = this.#watched.get(directory);
    if (known?.id === id) return;
    known?.watcher.close();
    this.#watched.delete(directory);
    try {
      const watcher = watch(directory);
      watcher.on('change', (_, name) => this.#report(directory, watcher, name?.toString()));
      watcher.on('error', () => this.#lose(directory, watcher));
      this.#watched.set(directory, { id, watcher });
    } catch (cause) {
      // A directory that vanished is reported by the one that held it.
      if (reasonOf(cause).kind === 'limit') this.#limited = true;
    }
  }

  drop(directory: string): void {
    this.#watched.get(directory)?.watcher.close();
    this.#watched.delete(directory);
  }

  /** Ends every watch whose directory is not in `wanted`. */
  retain(wanted: { has(directory: string): boolean }): void {
    for (const directory of this.#watched.keys()) if (!wanted.has(directory)) this.drop(directory);
  }

  close(): void {
    for (const { watcher } of this.#watched.values()) watcher.close();
    this.#watched.clear();
  }

  #report(directory: string, watcher: FSWatcher, name: string | undefined): void {
    // A directory that was removed or renamed reports its own name, and its watch is dead from then on.
    if (name === basename(directory)) this.#lose(directory, watcher);
    this.#onEvent(directory, name);
  }

  #lose(directory: string, watcher: FSWatcher): void {
    if (this.#watched.get(directory)?.watcher === watcher) this.drop(directory);
    this.#onEvent(directory, undefined);
  }
}
