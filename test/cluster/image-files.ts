import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { chmod, copyFile, lstat, mkdir, readdir, readFile, readlink, symlink } from 'node:fs/promises';
import { dirname, join } from 'node:path';

/** One file of a build context: where it comes from, and the path it has in the context. */
export type ContextFile = { readonly source: string; readonly path: string };

/** What a Dockerfile can COPY of a folder: everything its .dockerignore leaves, in a stable order. */
export async function readContext(folder: string): Promise<readonly ContextFile[]> {
  const ignore = parseIgnore(await readFile(join(folder, '.dockerignore'), 'utf8').catch(() => ''));
  const files: ContextFile[] = [];
  const visit = async (under: string): Promise<void> => {
    for (const entry of await readdir(join(folder, under), { withFileTypes: true })) {
      const path = under === '' ? entry.name : `${under}/${entry.name}`;
      const isIgnored = ignore.isIgnored(path);
      // A later pattern may bring back a part of an ignored folder.
      if (entry.isDirectory() && (!isIgnored || ignore.mayReturn(path))) await visit(path);
      else if (!entry.isDirectory() && !isIgnored) files.push({ source: join(folder, path), path });
    }
  };
  await visit('');
  return files.sort((a, b) => (a.path < b.path ? -1 : 1));
}

type Ignore = { isIgnored(path: string): boolean; mayReturn(path: string): boolean };

/** The last pattern that matches a path or a folder above it decides. */
function parseIgnore(text: string): Ignore {
  const lines = text.split('\n').map((line) => line.trim());
  const patterns = lines
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const glob = line
        .replace(/^!/, '')
        .replace(/^\.?\//, '')
        .replace(/\/$/, '');
      return { isReturn: line.startsWith('!'), glob, matcher: buildMatcher(glob) };
    });
  const isIgnored = (path: string): boolean => {
    const matching = patterns.findLast(({ matcher }) => prefixesOf(path).some((prefix) => matcher.test(prefix)));
    return matching !== undefined && !matching.isReturn;
  };
  const mayReturn = (path: string): boolean =>
    patterns.some(({ isReturn, glob }) => isReturn && (glob.startsWith(`${path}/`) || glob.startsWith('**')));
  return { isIgnored, mayReturn };
}

/** Unlike Node's own globs, these match names that begin with a dot. */
function buildMatcher(glob: string): RegExp {
  const source = glob.replaceAll(/\*\*\/|\*\*|\*|\?|[\\^$.|+()[\]{}]/g, (part) => wildcards[part] ?? `\\${part}`);
  return new RegExp(`^${source}$`);
}

const wildcards: Readonly<Record<string, string>> = { '**/': '(?:.*/)?', '**': '.*', '*': '[^/]*', '?': '[^/]' };

function prefixesOf(path: string): readonly string[] {
  const parts = path.split('/');
  return parts.map((_, index) => parts.slice(0, index + 1).join('/'));
}

/** Paths, modes and contents: equal digests build equal images. */
export async function digestFiles(files: readonly ContextFile[]): Promise<string> {
  const hash = createHash('sha256');
  for (const { source, path } of files) {
    const stat = await lstat(source);
    if (stat.isSymbolicLink()) hash.update(`link\0${path}\0${await readlink(source)}\0`);
    else hash.update(`file\0${path}\0${stat.mode & 0o777}\0${await digestFile(source)}\0`);
  }
  return hash.digest('hex');
}

async function digestFile(file: string): Promise<string> {
  const hash = createHash('sha256');
  for await (const chunk of createReadStream(file)) hash.update(chunk as Buffer);
  return hash.digest('hex');
}

export async function copyFiles(files: readonly ContextFile[], folder: string): Promise<void> {
  for (const { source, path } of files) {
    const target = join(folder, path);
    await mkdir(dirname(target), { recursive: true });
    const stat = await lstat(source);
    if (stat.isSymbolicLink()) await symlink(await readlink(source), target);
    else {
      await copyFile(source, target);
      await chmod(target, stat.mode & 0o777);
    }
  }
}
