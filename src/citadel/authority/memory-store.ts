import type { AuthorityFiles } from './files.ts';
import { type AuthorityStore, noRequests, type Reading, type Stored, type Writing } from './store.ts';

/** An authority that lives as long as the process. */
export class MemoryStore implements AuthorityStore {
  readonly name = 'memory';
  readonly isLasting = false;
  #stored: Stored | undefined;
  #onChange: (() => void) | undefined;

  read(): Promise<Reading> {
    return Promise.resolve(this.#stored === undefined ? { kind: 'absent' } : { kind: 'found', stored: this.#stored });
  }

  create(files: AuthorityFiles): Promise<Writing> {
    if (this.#stored !== undefined) return Promise.resolve({ kind: 'overtaken' });
    return this.#put({ files, requests: noRequests, token: undefined });
  }

  update(stored: Stored, files: AuthorityFiles): Promise<Writing> {
    if (this.#stored !== stored) return Promise.resolve({ kind: 'overtaken' });
    return this.#put({ ...stored, files });
  }

  watch(onChange: () => void, signal: AbortSignal): Promise<void> {
    this.#onChange = onChange;
    return new Promise((resolve) => {
      const finish = (): void => {
        this.#onChange = undefined;
        resolve();
      };
      if (signal.aborted) finish();
      signal.addEventListener('abort', finish, { once: true });
    });
  }

  #put(stored: Stored): Promise<Writing> {
    this.#stored = stored;
    this.#onChange?.();
    return Promise.resolve({ kind: 'written' });
  }
}
