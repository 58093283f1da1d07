import { readFile, realpath, stat } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../kit/clock.ts';
import { type AuthorityFiles, fileNames, isEmpty } from './files.ts';
import { type AuthoritySource, noRequests, type Reading, type Stored } from './store.ts';

/** A folder of a mounted Secret changes by a symbolic link in it, which no watch of a file sees. */
const POLL_MS = 1_000;
/** A certificate has a few kilobytes; what has more is something else. */
const MOST_BYTES = 1 << 20;

/** Files that somebody else keeps: those of the Secret `cacerts`, as a pod has it mounted. */
export class FolderSource implements AuthoritySource {
  readonly name: string;
  readonly #folder: string;
  readonly #clock: Clock;
  #last: Stored | undefined;

  constructor(folder: string, clock: Clock) {
    this.name = `folder ${folder}`;
    this.#folder = folder;
    this.#clock = clock;
  }

  async read(): Promise<Reading> {
    try {
      const files = await this.#readFiles();
      if (isEmpty(files)) return { kind: 'absent' };
      // The same object for the same texts, so that they are judged once.
      if (this.#last === undefined || JSON.stringify(files) !== JSON.stringify(this.#last.files))
        this.#last = { files, requests: noRequests, token: undefined };
      return { kind: 'found', stored: this.#last };
    } catch (cause) {
      const reason = cause instanceof Error ? cause.message : String(cause);
      return {
        kind: 'unreadable',
        reason: `cannot read the ${this.name}: ${reason}`,
        remedy: 'let its files be readable',
      };
    }
  }

  async watch(onChange: () => void, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      onChange();
      await this.#clock.sleep(POLL_MS, signal);
    }
  }

  /** All of one moment: a mounted Secret is swapped as a whole, and while it is, one half would not fit the other. */
  async #readFiles(): Promise<AuthorityFiles> {
    const folder = await realpath(join(this.#folder, '..data')).catch(() => this.#folder);
    const names = Object.values(fileNames).flat();
    const read = await Promise.all(names.map(async (name) => [name, await readText(join(folder, name))] as const));
    return Object.fromEntries(read.flatMap(([name, text]) => (text === undefined ? [] : [[name, text]])));
  }
}

async function readText(path: string): Promise<string | undefined> {
  try {
    const { size } = await stat(path);
    if (size > MOST_BYTES) throw new Error(`${path} has more than ${MOST_BYTES} bytes`);
    return await readFile(path, 'utf8');
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}
