import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { dump } from 'js-yaml';
import type { Manifest } from './objects.ts';

/** One file of a generated folder: its path in the folder, and its objects. */
export type MeshFile = { readonly path: string; readonly objects: readonly Manifest[] };

/** Writes a folder. The same files give the same bytes. */
export function writeMesh(root: string, files: readonly MeshFile[]): void {
  for (const file of files) {
    mkdirSync(dirname(join(root, file.path)), { recursive: true });
    writeFileSync(join(root, file.path), render(file));
  }
}

/**
 * Makes ready to replace a file, so that what is measured from `commit` on is the server's work and not ours. Replaced as editors
 * and Kubernetes' volumes do it: whole.
 */
export function stageEdit(root: string, file: MeshFile): { readonly commit: () => void } {
  const path = join(root, file.path);
  const next = join(dirname(path), `.${file.path.replaceAll('/', '-')}.next`);
  writeFileSync(next, render(file));
  return { commit: () => renameSync(next, path) };
}

function render({ path, objects }: MeshFile): string {
  if (path.endsWith('.json')) return `${JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }, null, 1)}\n`;
  return objects.map((object) => dump(object, { lineWidth: -1, noRefs: true })).join('---\n');
}
