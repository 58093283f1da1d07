import { copyFile, readdir, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../kit/clock.ts';
import type { Runnable } from '../../kit/run-group.ts';

const LONGEST_BYTES = 8 * 1024 * 1024;
const EVERY_MS = 10_000;

/**
 * Keeps the logs of a mesh that runs for days from filling the machine's memory (the state folder is in /run). Whoever writes
 * appends, so a file can be emptied under them; what was in it is kept once, as `.1`.
 */
export class LogTrimmer implements Runnable {
  readonly name = 'log trimmer';
  readonly #folder: string;
  readonly #clock: Clock;

  constructor(inputs: { readonly folder: string; readonly clock: Clock }) {
    this.#folder = inputs.folder;
    this.#clock = inputs.clock;
  }

  async run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#clock.sleep(EVERY_MS, signal);
      await this.trim();
    }
  }

  async trim(): Promise<void> {
    const names = await readdir(this.#folder);
    for (const name of names.filter((entry) => entry.endsWith('.log'))) {
      const file = join(this.#folder, name);
      if ((await stat(file)).size <= LONGEST_BYTES) continue;
      await copyFile(file, `${file}.1`);
      await truncate(file);
    }
  }
}
