import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, statfsSync } from 'node:fs';
import { mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { mustRun, runCommand } from '../../src/local/run-command.ts';
import { cacheFolder } from '../../tools/paths.mjs';
import { type ContextFile, copyFiles, digestFiles } from './image-files.ts';

/** An image as a docker-archive; equal digests come from equal inputs. */
export type Image = { readonly tag: string; readonly digest: string; readonly archive: string };

export type Recipe = {
  readonly tag: string;
  /** The text of the Dockerfile. */
  readonly dockerfile: string;
  readonly files: readonly ContextFile[];
  readonly buildArgs: Readonly<Record<string, string>>;
  /** The images that the Dockerfile builds on, which buildah has already. */
  readonly bases: readonly Image[];
};

const digestLabel = 'xebec.dev/test-digest';

export function imageFolder(): string {
  const folder = join(cacheFolder(), 'images');
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** The archive of an image, built only if nothing with the same inputs was built before. */
export async function buildArchive(recipe: Recipe): Promise<Image> {
  const image = await describeImage(recipe);
  if (!existsSync(image.archive)) {
    await buildStored(recipe, image);
    await writeArchive(image);
    await buildah(['rmi', '--force', recipe.tag]);
  }
  return image;
}

/** An image that others build on: buildah keeps it. `archiveImage` makes its archive for those who want that too. */
export async function buildBase(recipe: Recipe): Promise<Image> {
  const image = await describeImage(recipe);
  if ((await storedDigest(image.tag)) !== image.digest) {
    // Else the one that loses its tag would stay for ever.
    await runCommand([...buildahCommand(), 'rmi', '--force', image.tag]);
    await buildStored(recipe, image);
  }
  return image;
}

export async function archiveImage(image: Image): Promise<Image> {
  if (!existsSync(image.archive)) await writeArchive(image);
  return image;
}

async function describeImage({ tag, dockerfile, files, buildArgs, bases }: Recipe): Promise<Image> {
  const inputs = [
    tag,
    dockerfile,
    await digestFiles(files),
    Object.entries(buildArgs),
    bases.map(({ digest }) => digest),
  ];
  const digest = createHash('sha256').update(JSON.stringify(inputs)).digest('hex').slice(0, 16);
  return { tag, digest, archive: join(imageFolder(), 'archives', `${fileName(tag)}-${digest}.tar`) };
}

/** buildah sees a copy of the context, so that nothing beside the recorded inputs can get into an image. */
async function buildStored({ tag, dockerfile, files, buildArgs }: Recipe, { digest }: Image): Promise<void> {
  const scratch = await mkdtemp(join(imageFolder(), 'build-'));
  try {
    const context = join(scratch, 'context');
    await mkdir(context);
    await copyFiles(files, context);
    await writeFile(join(scratch, 'Dockerfile'), dockerfile);
    const args = Object.entries(buildArgs).flatMap(([name, value]) => ['--build-arg', `${name}=${value}`]);
    const flags = [
      '--pull-never',
      '--format=docker',
      '--no-cache',
      '--timestamp=0',
      `--label=${digestLabel}=${digest}`,
    ];
    await buildah(['bud', ...flags, ...args, `--file=${join(scratch, 'Dockerfile')}`, `--tag=${tag}`, context]);
  } finally {
    await rm(scratch, { recursive: true, force: true });
  }
}

/** An archive takes the place of those its tag had before: the cache holds one per tag. */
async function writeArchive({ tag, archive }: Image): Promise<void> {
  const folder = join(imageFolder(), 'archives');
  await mkdir(folder, { recursive: true });
  const unfinished = `${archive}.${process.pid}`;
  await rm(unfinished, { force: true });
  await buildah(['push', '--quiet', tag, `docker-archive:${unfinished}:${tag}`]);
  const older = (await readdir(folder)).filter((name) => name.replace(/-[0-9a-f]{16}\.tar$/, '') === fileName(tag));
  await rename(unfinished, archive);
  for (const name of older) if (join(folder, name) !== archive) await rm(join(folder, name), { force: true });
}

async function storedDigest(tag: string): Promise<string | undefined> {
  const format = `{{index .Docker.Config.Labels "${digestLabel}"}}`;
  const { code, stdout } = await runCommand([...buildahCommand(), 'inspect', '--type=image', '--format', format, tag]);
  return code === 0 ? stdout.trim() : undefined;
}

async function buildah(args: readonly string[]): Promise<string> {
  return mustRun([...buildahCommand(), ...args]);
}

/** Layers as overlays, which takes a tenth of the time of copies; an overlay cannot lie on an overlay, as the disk of a container is. */
function buildahCommand(): readonly string[] {
  const driver = statfsSync(imageFolder()).type === OVERLAYFS ? 'vfs' : 'overlay';
  const storage = [`--root=${join(imageFolder(), driver)}`, `--runroot=${join(imageFolder(), 'run', driver)}`];
  return ['env', 'BUILDAH_ISOLATION=chroot', 'buildah', ...storage, `--storage-driver=${driver}`];
}

const OVERLAYFS = 0x794c7630;

function fileName(tag: string): string {
  return tag.replaceAll(/[^A-Za-z0-9._-]/g, '_');
}
