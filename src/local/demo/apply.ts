import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';

export type Applied = { readonly file: string; readonly text: string };

/**
 * Puts the documents of a file into the watched folder, each in a file named after its object, as `kubectl apply` would
 * replace it. Each file appears whole.
 */
export async function applyFile(source: string, folder: string): Promise<readonly Applied[]> {
  const applied = splitDocuments(await readFile(source, 'utf8')).map((text) => ({
    file: join(folder, fileNameOf(text)),
    text,
  }));
  for (const { file, text } of applied) {
    // Hidden while it is written: the source reads no such files.
    const next = join(folder, `.${fileNameOf(text)}.next`);
    await writeFile(next, text);
    await rename(next, file);
  }
  return applied;
}

export async function removeObject(folder: string, fileName: string): Promise<void> {
  await rm(join(folder, fileName), { force: true });
}

export function splitDocuments(text: string): readonly string[] {
  return text
    .split(/^---$/m)
    .map((document) => `${document.trim()}\n`)
    .filter((document) => /^kind:/m.test(document));
}

/** `virtualservice-reviews.yaml`. The samples are written plainly enough to read names without a parser. */
export function fileNameOf(document: string): string {
  const kind = /^kind: (\w+)/m.exec(document)?.[1] ?? 'object';
  const name = /^ {2}name: ([\w.-]+)/m.exec(document)?.[1] ?? 'unnamed';
  return `${kind.toLowerCase()}-${name}.yaml`;
}
