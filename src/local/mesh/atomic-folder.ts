import { chmod, chown, mkdtemp, readlink, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';

export type Owner = { readonly uid: number; readonly gid: number };

const CURRENT = '..data';
const NEXT = '..data_tmp';

/**
 * Replaces all files of a folder at once, as the kubelet does with those of a Secret: they lie in a folder of their own, to which
 * the link `..data` leads, and what readers open are links through it. One rename moves all of them. That rename is also what
 * Envoy's `watched_directory` waits for: it hears of names that are moved into the folder, and of no write to a file.
 *
 * Nobody but the owner may read. The same names have to come every time; a failure leaves what there was.
 */
export async function replaceFiles(
  folder: string,
  files: Readonly<Record<string, string>>,
  owner: Owner,
): Promise<void> {
  const before = await readLink(join(folder, CURRENT));
  const fresh = await mkdtemp(`${folder}/..`);
  try {
    for (const [name, text] of Object.entries(files)) {
      await writeFile(join(fresh, name), text, { mode: 0o400 });
      await chown(join(fresh, name), owner.uid, owner.gid);
    }
    await chmod(fresh, 0o500);
    await chown(fresh, owner.uid, owner.gid);
    await rm(join(folder, NEXT), { force: true });
    await symlink(basename(fresh), join(folder, NEXT));
    await rename(join(folder, NEXT), join(folder, CURRENT));
  } catch (error) {
    await rm(fresh, { recursive: true, force: true });
    throw error;
  }
  for (const name of Object.keys(files)) {
    if ((await readLink(join(folder, name))) === undefined) await symlink(join(CURRENT, name), join(folder, name));
  }
  if (before !== undefined) await rm(join(folder, before), { recursive: true, force: true });
}

async function readLink(path: string): Promise<string | undefined> {
  return readlink(path).catch((error: unknown) => {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  });
}
