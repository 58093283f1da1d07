import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Clock } from '../../kit/clock.ts';

export type Applied = {
  readonly file: string;
  readonly text: string;
  /** When it was put in place, in milliseconds since the epoch. */
  readonly writtenAt: number;
};

/**
 * Puts the documents of a file into the watched folder, each in a file named after its object, as `kubectl apply` would
 * replace it. Each file appears whole.
 */
export async function applyFile(source: string, folder: string, clock: Clock): Promise<readonly Applied[]> {
  const applied: Applied[] = [];
  for (const text of splitDocuments(await readFile(source, 'utf8'))) {
    const name = fileNameOf(text);
    // Hidden while it is written: the source reads no such files.
    const next = join(folder, `.${name}.next`);
    await writeFile(next, text);
    const writtenAt = clock.now();
    await rename(next, join(folder, name));
    applied.push({ file: join(folder, name), text, writtenAt });
  }
  return applied;
}

export async function removeApplied(applied: readonly Applied[]): Promise<void> {
  for (const { file } of applied) await rm(file, { force: true });
}

export function splitDocuments(text: string): readonly string[] {
  return text
    .split(/^---$/m)
    .map((document) => `${document.trim()}\n`)
    .filter((document) => /^kind:/m.test(document));
}

/** `virtualservice-reviews.yaml`, or `deployment-sleep.legacy.yaml` where it says its namespace. The samples are written plainly enough to read names without a parser. */
export function fileNameOf(document: string): string {
  const kind = /^kind: (\w+)/m.exec(document)?.[1] ?? 'object';
  const name = /^ {2}name: ([\w.-]+)/m.exec(document)?.[1] ?? 'unnamed';
  const namespace = /^ {2}namespace: ([\w.-]+)/m.exec(document)?.[1];
  return `${kind.toLowerCase()}-${name}${namespace === undefined ? '' : `.${namespace}`}.yaml`;
}
