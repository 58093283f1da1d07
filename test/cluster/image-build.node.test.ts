import { mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildImage } from './image-build.ts';
import { images } from './image-catalog.ts';
import { sharedNode } from './node-shared.ts';

const node = sharedNode();
const tag = 'docker.io/xebec-test/greeter:1';
let folder = '';

const dockerfile = `FROM node:24-bookworm-slim AS build
ARG NAME=nobody
RUN node --eval "fs.writeFileSync('/name', process.argv[1])" "$NAME"
FROM ${images.debian}
COPY --from=build /name /name
COPY greeting /greeting
USER 65532:65532
ENTRYPOINT ["cat", "/greeting", "/name"]
`;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'image-'));
});
afterAll(() => rm(folder, { recursive: true }));

async function build(greeting: string) {
  await writeFile(join(folder, 'Dockerfile'), dockerfile);
  await writeFile(join(folder, 'greeting'), greeting);
  return buildImage({ dockerfile: join(folder, 'Dockerfile'), context: folder, tag, buildArgs: { NAME: 'world' } });
}

test('a Dockerfile becomes an image that the node runs, built again only for other inputs', async () => {
  const first = await build('hello ');
  const { mtimeMs } = await stat(first.archive);
  expect(await build('hello ')).toEqual(first);
  expect((await stat(first.archive)).mtimeMs).toBe(mtimeMs);

  const changed = await build('good day, ');
  expect(changed.archive).not.toBe(first.archive);
  await node.client().loadImage(changed);
  const run = ['run', 'greeter', `--namespace=${node.namespace}`, `--image=${tag}`, '--restart=Never'];
  await node.client().kubectl(run);
  const greeter = { pod: 'greeter', namespace: node.namespace };
  const said = await node.client().waitFor('it said something', async () => {
    return (await node.client().podLogs(greeter)) || undefined;
  });
  expect(said).toBe('good day, world');
});
