import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { mustRun } from '../../src/local/run-command.ts';
import { checkout, nodeBinary } from '../../tools/paths.mjs';
import { buildImage } from './image-build.ts';
import type { Image } from './image-store.ts';

/** The image that `npm run image` makes, by the name that the chart has for it. */
export async function xebecImage(): Promise<Image> {
  if (!isPrepared()) await mustRun([nodeBinary, join(checkout, 'tools', 'image.mjs'), '--prepare']);
  const { version } = JSON.parse(readFileSync(join(checkout, 'package.json'), 'utf8')) as { readonly version: string };
  const dockerfile = join(checkout, 'Dockerfile');
  return buildImage({ dockerfile, context: checkout, tag: `docker.io/xebec/xebec:${version}` });
}

/** What an image is made of. */
const sources = ['src', 'tools/image.mjs', 'tools/build.mjs', 'package-lock.json', 'tsconfig.build.json'];

/** As make would know it: nothing is younger than what was made of it. */
function isPrepared(): boolean {
  const made = statSync(join(checkout, 'build', 'image', 'package.json'), { throwIfNoEntry: false });
  return made !== undefined && sources.every((path) => youngest(join(checkout, path)) < made.mtimeMs);
}

function youngest(path: string): number {
  const stat = statSync(path);
  if (!stat.isDirectory()) return stat.mtimeMs;
  const inside = readdirSync(path).map((name) => youngest(join(path, name)));
  return Math.max(stat.mtimeMs, ...inside);
}
