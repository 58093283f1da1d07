import type { X509Certificate } from 'node:crypto';
import { readFile } from 'node:fs/promises';
import { certificatesIn } from './pem.ts';
import type { Trouble } from './store.ts';

/** Roots of other meshes, in a file. A file that turned bad changes nothing. */
export class RootFile {
  readonly #path: string;
  #roots: readonly X509Certificate[] = [];

  constructor(path: string) {
    this.#path = path;
  }

  get roots(): readonly X509Certificate[] {
    return this.#roots;
  }

  /** Reads it again, and says what is wrong with it. */
  async load(): Promise<Trouble | undefined> {
    const remedy = `let ${this.#path} be a file of PEM certificates`;
    try {
      const roots = certificatesIn(await readFile(this.#path, 'utf8'));
      if (roots === undefined || roots.length === 0)
        return { reason: `${this.#path} holds what is no certificate`, remedy };
      this.#roots = roots;
      return undefined;
    } catch (cause) {
      return { reason: cause instanceof Error ? cause.message : String(cause), remedy };
    }
  }
}
