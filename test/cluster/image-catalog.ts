import { existsSync } from 'node:fs';
import { realpath, rename } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { mustRun } from '../../src/local/run-command.ts';
import { checkout, envoyBinary, envoyVersion, findProgram, goBinary, nodeBinary } from '../../tools/paths.mjs';
import { type ContextFile, readContext } from './image-files.ts';
import { archiveImage, buildArchive, buildBase, type Image, imageFolder } from './image-store.ts';

/** The public images that tests name, made here of what a machine without a registry has. */
export const images = {
  debian: 'docker.io/library/debian:bookworm-slim',
  node: 'docker.io/library/node:24-bookworm-slim',
  nodeSlim: 'docker.io/library/node:24-slim',
  envoy: `docker.io/envoyproxy/envoy:v${envoyVersion}`,
  pause: 'registry.k8s.io/pause:3.10',
  /** debian with curl, ip, iptables, nc. */
  tools: 'docker.io/xebec-test/tools:1',
} as const;

/** What the public image leaves out as well, now and when a Dockerfile installs a package: documentation and apt's caches. */
const aptWithoutCaches =
  'Dir::Cache::pkgcache "";\\nDir::Cache::srcpkgcache "";\\nAPT::Keep-Downloaded-Packages "false";\\n';
const slim = [
  ...['doc', 'man', 'locale', 'info'].map((folder) => `--dpkgopt=path-exclude=/usr/share/${folder}/*`),
  `--customize-hook=printf '${aptWithoutCaches}' > "$1/etc/apt/apt.conf.d/docker-clean"; rm -f "$1"/var/cache/apt/*.bin`,
];

const catalog: Readonly<Record<string, () => Promise<Image>>> = {
  [images.debian]: async () =>
    buildBase({
      ...recipe(images.debian, ['FROM scratch', 'ADD debian.tar /', 'CMD ["bash"]']),
      files: [{ source: await debianArchive(), path: 'debian.tar' }],
    }),
  [images.node]: async () =>
    buildBase({
      ...recipe(images.node, [
        `FROM ${images.debian}`,
        'RUN groupadd --gid 1000 node && useradd --uid 1000 --gid node --shell /bin/bash --create-home node',
        'COPY . /usr/local/',
        'RUN ln -s ../lib/node_modules/npm/bin/npm-cli.js /usr/local/bin/npm \\',
        ' && ln -s ../lib/node_modules/npm/bin/npx-cli.js /usr/local/bin/npx',
        'CMD ["node"]',
      ]),
      files: [{ source: await realpath(nodeBinary), path: 'bin/node' }, ...(await npmFiles())],
      bases: [await base(images.debian)],
    }),
  [images.nodeSlim]: async () =>
    buildBase({ ...recipe(images.nodeSlim, [`FROM ${images.node}`]), bases: [await base(images.node)] }),
  [images.envoy]: async () =>
    buildArchive({
      ...recipe(images.envoy, [
        `FROM ${images.debian}`,
        'RUN groupadd --gid 101 envoy && useradd --uid 101 --gid 101 --no-create-home --shell /usr/sbin/nologin envoy \\',
        ' && mkdir -p /etc/envoy',
        'COPY envoy /usr/local/bin/envoy',
        'EXPOSE 10000',
        // The entrypoint of the public image starts as root and changes to this user.
        'USER 101:101',
        'ENTRYPOINT ["envoy"]',
        'CMD ["-c", "/etc/envoy/envoy.yaml"]',
      ]),
      files: [{ source: await realpath(envoyBinary()), path: 'envoy' }],
      bases: [await base(images.debian)],
    }),
  [images.pause]: async () =>
    buildArchive({
      ...recipe(images.pause, ['FROM scratch', 'COPY pause /pause', 'USER 65535:65535', 'ENTRYPOINT ["/pause"]']),
      files: [{ source: await buildPause(), path: 'pause' }],
    }),
  [images.tools]: async () =>
    buildArchive({
      ...recipe(images.tools, [
        `FROM ${images.debian}`,
        'RUN apt-get update -qq \\',
        ' && apt-get install -y -qq --no-install-recommends curl iproute2 iptables netcat-openbsd \\',
        ' && rm -rf /var/lib/apt/lists/*',
      ]),
      bases: [await base(images.debian)],
    }),
};

const built = new Map<string, Promise<Image>>();

/** The image of a name, for others to build on, or undefined if it is none of ours. Made once, then from the cache. */
export function findBase(tag: string): Promise<Image> | undefined {
  const make = catalog[tag] ?? catalog[`docker.io/library/${tag}`] ?? catalog[`docker.io/${tag}`];
  if (make === undefined) return undefined;
  const image = built.get(tag) ?? make();
  built.set(tag, image);
  return image;
}

async function base(tag: string): Promise<Image> {
  return (await findBase(tag)) ?? Promise.reject(new Error(`the catalog lacks its own ${tag}`));
}

/** An image of the catalog, with its archive. */
export async function catalogImage(tag: string): Promise<Image> {
  const image = await findBase(tag);
  if (image === undefined) throw new Error(`no image ${tag}: there are ${Object.keys(catalog).join(', ')}`);
  return archiveImage(image);
}

function recipe(tag: string, dockerfile: readonly string[]) {
  return { tag, dockerfile: `${dockerfile.join('\n')}\n`, files: [], buildArgs: {}, bases: [] };
}

async function debianArchive(): Promise<string> {
  const archive = join(imageFolder(), 'debian-bookworm-3.tar');
  if (existsSync(archive)) return archive;
  const unfinished = join(imageFolder(), `unfinished-${process.pid}.tar`);
  await mustRun(['mmdebstrap', '--quiet', '--variant=minbase', ...slim, 'bookworm', unfinished]);
  await rename(unfinished, archive);
  return archive;
}

/** npm lies beside the Node that came with it, which is not ours: the package `node` has only the program. */
async function npmFiles(): Promise<readonly ContextFile[]> {
  const npm = findProgram('npm');
  if (npm === undefined) return [];
  const folder = dirname(dirname(await realpath(npm)));
  return (await readContext(folder)).map(({ source, path }) => ({ source, path: `lib/node_modules/npm/${path}` }));
}

async function buildPause(): Promise<string> {
  const source = join(checkout, 'test', 'cluster', 'image-pause');
  const program = join(imageFolder(), 'pause-1');
  if (existsSync(program)) return program;
  const go = goBinary();
  if (go === undefined) throw new Error('run `npm run setup -- --for node`: there is no Go');
  const env = ['env', '-C', source, 'CGO_ENABLED=0', 'GOFLAGS=-mod=mod'];
  await mustRun([...env, go, 'build', '-trimpath', '-ldflags=-s -w', '-o', `${program}.${process.pid}`, '.']);
  await rename(`${program}.${process.pid}`, program);
  return program;
}
