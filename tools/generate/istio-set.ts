// Istio's own messages as descriptor sets, today's and those of 1.4: compiled from the .proto files of two versions of one Go
// module, kept in the cache by the hash of what went in.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder, checkout, goBinary } from '../paths.mjs';

type ApiVersion = {
  readonly name: string;
  readonly version: string;
  /** What Go says of the module's content. */
  readonly sum: string;
  readonly folders: readonly string[];
  readonly files: readonly string[];
};

const module = 'istio.io/api';
const program = join(checkout, 'tools', 'generate', 'istio-descriptors');

const today: ApiVersion = {
  name: 'today',
  version: 'v1.30.8',
  sum: 'h1:/weRNO9YbJsKqFibiGCjXG1i+UwNhJb3vts6ChGR554=',
  folders: ['extensions', 'mesh', 'networking', 'security', 'telemetry', 'type'],
  files: [],
};

const classic: ApiVersion = {
  name: 'classic',
  // The commit that Istio 1.4.0 was built with; the module has no tag of that time.
  version: 'v0.0.0-20191115173247-e1a1952e5b81',
  sum: 'h1:as/kRtJ2kVIvlAxVnFpsBK/axRYRsUdu/MhmnLVHHVM=',
  folders: ['authentication', 'mesh', 'mixer', 'networking', 'policy', 'rbac', 'security', 'type'],
  files: ['k8s.io/api/core/v1/generated.proto'],
};

/** Serialised FileDescriptorSets. */
export type IstioSets = { readonly today: Uint8Array; readonly classic: Uint8Array };

export function loadIstioSets(): IstioSets {
  return { today: loadSet(today), classic: loadSet(classic) };
}

function loadSet(api: ApiVersion): Uint8Array {
  const hash = createHash('sha256').update(JSON.stringify(api));
  for (const name of ['go.mod', 'go.sum', 'main.go']) hash.update(readFileSync(join(program, name)));
  const cached = join(cacheFolder(), `istio-${api.name}-${hash.digest('hex').slice(0, 16)}.bin`);
  if (!existsSync(cached)) buildSet(api, cached);
  return readFileSync(cached);
}

function buildSet({ version, sum, folders, files }: ApiVersion, target: string): void {
  const go = goBinary();
  if (go === undefined) throw new Error('Go is needed to read the Istio API: run `npm run setup`');
  const run = (...args: string[]): string =>
    execFileSync(go, args, {
      cwd: program,
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'inherit'],
      env: { ...process.env, GOFLAGS: '-mod=readonly' },
    });
  const { Dir: folder, Sum: found } = JSON.parse(run('mod', 'download', '-json', `${module}@${version}`)) as {
    readonly Dir: string;
    readonly Sum: string;
  };
  if (found !== sum) throw new Error(`${module}@${version} is not what it was: ${found}, expected ${sum}`);
  const protos = folders.flatMap((name) => protosIn(folder, name));
  const scratch = mkdtempSync(join(cacheFolder(), 'istio-'));
  try {
    const output = join(scratch, 'set.bin');
    run('run', '.', output, folder, ...protos, ...files);
    renameSync(output, target);
  } finally {
    rmSync(scratch, { recursive: true, force: true });
  }
}

function protosIn(folder: string, name: string): readonly string[] {
  const files = readdirSync(join(folder, name), { recursive: true, encoding: 'utf8' });
  return files
    .filter((file) => file.endsWith('.proto'))
    .sort()
    .map((file) => `${name}/${file}`);
}
