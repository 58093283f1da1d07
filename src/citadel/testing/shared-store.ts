import type { AuthorityFiles } from '../authority/files.ts';
import {
  type AuthorityRequests,
  type AuthorityStore,
  noRequests,
  type Reading,
  type Stored,
  type Trouble,
  type Writing,
} from '../authority/store.ts';

/** What several replicas share, and a person may spoil. */
export class SharedStore implements AuthorityStore {
  readonly name: string;
  readonly isLasting = true;
  readonly #listeners = new Set<() => void>();
  #stored: Stored | undefined;
  /** In place of any reading. */
  unreadable: Trouble | undefined;
  /** In place of any writing. */
  unwritable: Trouble | undefined;
  writes = 0;

  constructor(name: string) {
    this.name = name;
  }

  get files(): AuthorityFiles | undefined {
    return this.#stored?.files;
  }

  /** By a person's hand. */
  put(files: AuthorityFiles, requests: Partial<AuthorityRequests> = {}): void {
    this.#set({ files, requests: { ...noRequests, ...requests }, token: undefined });
  }

  remove(): void {
    this.#set(undefined);
  }

  read(): Promise<Reading> {
    if (this.unreadable !== undefined) return Promise.resolve({ kind: 'unreadable', ...this.unreadable });
    return Promise.resolve(this.#stored === undefined ? { kind: 'absent' } : { kind: 'found', stored: this.#stored });
  }

  create(files: AuthorityFiles): Promise<Writing> {
    if (this.unwritable !== undefined) return Promise.resolve({ kind: 'failed', ...this.unwritable });
    if (this.#stored !== undefined) return Promise.resolve({ kind: 'overtaken' });
    return this.#write({ files, requests: noRequests, token: undefined });
  }

  update(stored: Stored, files: AuthorityFiles): Promise<Writing> {
    if (this.unwritable !== undefined) return Promise.resolve({ kind: 'failed', ...this.unwritable });
    if (this.#stored !== stored) return Promise.resolve({ kind: 'overtaken' });
    return this.#write({ ...stored, files });
  }

  watch(onChange: () => void, signal: AbortSignal): Promise<void> {
    this.#listeners.add(onChange);
    return new Promise((resolve) => {
      const finish = (): void => {
        this.#listeners.delete(onChange);
        resolve();
      };
      if (signal.aborted) finish();
      signal.addEventListener('abort', finish, { once: true });
    });
  }

  #write(stored: Stored): Promise<Writing> {
    this.writes += 1;
    this.#set(stored);
    return Promise.resolve({ kind: 'written' });
  }

  #set(stored: Stored | undefined): void {
    this.#stored = stored;
    for (const listener of this.#listeners) listener();
  }
}
