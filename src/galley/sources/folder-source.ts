import { normalize } from 'node:path';
import type { Clock } from '../../kit/clock.ts';
import { FolderSession, type FolderTimes } from './folder/folder-session.ts';
import type { Source, SourceSink } from './source.ts';

const defaultTimes: FolderTimes = {
  pauseMs: 10,
  settleQuietMs: 25,
  settleMaxMs: 1_000,
  rescanMs: 10_000,
  unwatchedRescanMs: 2_000,
};

/**
 * The objects of a folder of `.yaml`, `.yml` and `.json` files (or of one file), read as kubectl reads them and followed live.
 * A gain is told within milliseconds; a loss waits until it is sure not to be the middle of an edit. A document that cannot
 * be read keeps what was last read from its file. Before the folder exists the source is not synced.
 */
export class FolderSource implements Source {
  readonly name: string;
  readonly #root: string;
  readonly #clock: Clock;
  readonly #times: FolderTimes;

  constructor(inputs: { readonly path: string; readonly clock: Clock; readonly times?: Partial<FolderTimes> }) {
    this.#root = inputs.path === '/' ? '/' : normalize(inputs.path).replace(/\/+$/, '');
    this.name = `folder ${this.#root}`;
    this.#clock = inputs.clock;
    this.#times = { ...defaultTimes, ...inputs.times };
  }

  async run(sink: SourceSink, signal: AbortSignal): Promise<void> {
    await new FolderSession({ root: this.#root, sink, clock: this.#clock, times: this.#times }).run(signal);
  }
}
