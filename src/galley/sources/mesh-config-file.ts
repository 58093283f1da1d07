import { realpath } from 'node:fs/promises';
import { basename, dirname, join, normalize } from 'node:path';
import { ChangeSignal } from '../../kit/change-signal.ts';
import type { Clock } from '../../kit/clock.ts';
import { DirectoryWatches } from './folder/directory-watches.ts';
import { directoryIdOf, statOf } from './folder/file-stat.ts';
import { readText, type TextReading } from './folder/read-text.ts';
import { RootChain } from './folder/root-chain.ts';

/** What the file says now. */
export type MeshFileReading =
  | { readonly kind: 'text'; readonly file: string; readonly text: string }
  | { readonly kind: 'unreadable'; readonly file: string; readonly message: string };

/** Who follows the file. The first reading comes when the file was looked at, whether it is there or not. */
export type OnMeshFile = (reading: MeshFileReading) => void;

export type MeshFileTimes = {
  /** A loss (a file that is gone, empty or cut off) is believed when it still looks the same after this long. */
  readonly settleMs: number;
  readonly rescanMs: number;
};

const defaultTimes: MeshFileTimes = { settleMs: 25, rescanMs: 10_000 };

/** The file of `--mesh-config`, followed live: written in place, replaced, or swapped as in a mounted ConfigMap. */
export class MeshConfigFile {
  readonly name: string;
  readonly #path: string;
  readonly #clock: Clock;
  readonly #times: MeshFileTimes;

  constructor(inputs: { readonly path: string; readonly clock: Clock; readonly times?: Partial<MeshFileTimes> }) {
    this.#path = normalize(inputs.path);
    this.name = `mesh config file ${this.#path}`;
    this.#clock = inputs.clock;
    this.#times = { ...defaultTimes, ...inputs.times };
  }

  async run(onReading: OnMeshFile, signal: AbortSignal): Promise<void> {
    const changes = new ChangeSignal();
    let target: string | undefined;
    const watches = new DirectoryWatches((directory, name) => {
      const isTarget = target !== undefined && name !== undefined && join(directory, name) === target;
      if (isTarget || chain.concerns(directory, name)) changes.raise();
    });
    const chain = new RootChain(this.#path, watches);
    const rescans = this.#rescan(changes, signal);
    let told: MeshFileReading | undefined;
    try {
      changes.raise();
      while (await changes.next(signal)) {
        await chain.isThere();
        target = await watchTarget(this.#path, watches);
        const reading = await this.#read(told, signal);
        if (signal.aborted) break;
        if (told !== undefined && isSame(told, reading)) continue;
        told = reading;
        onReading(reading);
      }
    } finally {
      watches.close();
      await rescans;
    }
  }

  async #rescan(changes: ChangeSignal, signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      await this.#clock.sleep(this.#times.rescanMs, signal);
      changes.raise();
    }
  }

  async #read(told: MeshFileReading | undefined, signal: AbortSignal): Promise<MeshFileReading> {
    let text = await readText(this.#path);
    while (told?.kind === 'text' && isUnfinished(text) && !signal.aborted) {
      await this.#clock.sleep(this.#times.settleMs, signal);
      const again = await readText(this.#path);
      const isSettled = JSON.stringify(again) === JSON.stringify(text);
      text = again;
      if (isSettled) break;
    }
    return this.#readingOf(text);
  }

  #readingOf(text: TextReading): MeshFileReading {
    const file = this.#path;
    switch (text.kind) {
      case 'text':
        return { kind: 'text', file, text: text.text };
      case 'gone':
        return { kind: 'unreadable', file, message: `${file} does not exist` };
      case 'refused':
        return { kind: 'unreadable', file, message: `${basename(file)} ${text.message}` };
    }
  }
}

function isUnfinished(text: TextReading): boolean {
  return text.kind !== 'text' || text.torn || !text.text.endsWith('\n');
}

function isSame(a: MeshFileReading, b: MeshFileReading): boolean {
  if (a.kind === 'text') return b.kind === 'text' && a.text === b.text;
  return b.kind === 'unreadable' && a.message === b.message;
}

/** Watches where the file really is; its own folder would not tell of a write through a symbolic link. */
async function watchTarget(path: string, watches: DirectoryWatches): Promise<string | undefined> {
  const target = await realpath(path).catch(() => undefined);
  if (target === undefined) return undefined;
  const holder = await statOf(dirname(target));
  if (holder.kind === 'found') watches.ensure(dirname(target), directoryIdOf(holder.stat));
  return target;
}
