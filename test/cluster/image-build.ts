import { readFile } from 'node:fs/promises';
import { findBase } from './image-catalog.ts';
import { readContext } from './image-files.ts';
import { buildArchive, type Image } from './image-store.ts';

export type BuildInputs = {
  /** The path of the Dockerfile. Every image it names must be in the catalog. */
  readonly dockerfile: string;
  /** The folder it copies from, without what .dockerignore leaves out. */
  readonly context: string;
  readonly tag: string;
  readonly buildArgs?: Readonly<Record<string, string>>;
};

/** Builds a Dockerfile without Docker and without a registry. The same inputs are built once. */
export async function buildImage({ dockerfile, context, tag, buildArgs = {} }: BuildInputs): Promise<Image> {
  const text = await readFile(dockerfile, 'utf8');
  const bases = await Promise.all(namedImages(text).flatMap((name) => findBase(name) ?? []));
  return buildArchive({ tag, dockerfile: text, files: await readContext(context), buildArgs, bases });
}

/** Whatever stands after FROM and --from=: images, and also stages of the file itself, which nobody finds in a catalog. */
function namedImages(dockerfile: string): readonly string[] {
  const named = dockerfile.matchAll(/^FROM\s+(?:--\S+\s+)*(\S+)|--from=(\S+)/gim);
  return [...new Set([...named].map(([, from, copyFrom]) => from ?? copyFrom ?? ''))];
}
