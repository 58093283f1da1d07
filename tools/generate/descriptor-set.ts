// The Envoy API as one FileDescriptorSet: linked by the Go program in descriptors/, kept in the cache by the hash of what went in.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join, relative } from 'node:path';
import { cacheFolder, checkout, goBinary } from '../paths.mjs';

const program = join(checkout, 'tools', 'generate', 'descriptors');
const protoFolder = join(checkout, 'proto');
const modules = ['github.com/envoyproxy/go-control-plane/envoy', 'github.com/cncf/xds/go'];

export function loadDescriptorSet(): Uint8Array {
  const inputs = [...['go.mod', 'go.sum', 'main.go'].map((name) => join(program, name)), ...ownProtos()];
  const cached = join(cacheFolder(), `descriptors-${hashFiles(inputs).slice(0, 16)}.bin`);
  if (!existsSync(cached)) buildDescriptorSet(cached);
  return readFileSync(cached);
}

/** The project's own .proto files, sorted. */
export function ownProtos(): readonly string[] {
  if (!existsSync(protoFolder)) return [];
  const names = readdirSync(protoFolder, { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.proto'),
  );
  return names.sort().map((name) => join(protoFolder, name));
}

export function hashFiles(files: readonly string[]): string {
  const hash = createHash('sha256');
  for (const file of files)
    hash
      .update(`${relative(checkout, file)}\0`)
      .update(readFileSync(file))
      .update('\0');
  return hash.digest('hex');
}

function buildDescriptorSet(target: string): void {
  const go = goBinary();
  if (go === undefined) throw new Error('Go is needed to read the Envoy API: run `npm run setup`');
  const run = (...args: string[]): string =>
    execFileSync(go, args, {
      cwd: program,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, GOFLAGS: '-mod=readonly' },
    });
  // A module that is not in the cache yet has no folder to list.
  run('mod', 'download', ...modules);
  const packages = modules.flatMap((module) => packagesOf(module, run('list', '-m', '-f', '{{.Dir}}', module).trim()));
  writeFileSync(join(program, 'imports.go'), importsFile(packages));
  const scratch = mkdtempSync(join(cacheFolder(), 'descriptors-'));
  try {
    const output = join(scratch, 'set.bin');
    run('run', '.', output, protoFolder, ...ownProtos().map((file) => relative(protoFolder, file)));
    copyFileSync(output, `${target}.${process.pid}`);
    renameSync(`${target}.${process.pid}`, target);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function packagesOf(module: string, folder: string): readonly string[] {
  const files = readdirSync(folder, { recursive: true, encoding: 'utf8' }).filter((name) => name.endsWith('.pb.go'));
  const folders = new Set(files.map((name) => name.slice(0, name.lastIndexOf('/'))));
  return [...folders].sort().map((name) => `${module}/${name}`);
}

function importsFile(packages: readonly string[]): string {
  return `// Written by npm run generate.\npackage main\n\nimport (\n${packages.map((name) => `\t_ "${name}"\n`).join('')})\n`;
}
