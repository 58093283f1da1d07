// `npm run generate`: writes src/gen/ from the Envoy API, the Istio API and proto/, unless it is already what it would write.
// With --check it only says whether src/gen/ is fresh.
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { checkout } from '../paths.mjs';
import { buildBundle } from './bundle.ts';
import { hashFiles, loadDescriptorSet, ownProtos } from './descriptor-set.ts';
import { buildIstioBundle } from './istio-bundle.ts';
import { loadIstioSets } from './istio-set.ts';
import { isRootPackage, rootMessages } from './roots.ts';
import { readSchema } from './schema.ts';
import { buildTypes } from './types.ts';

const folder = join(checkout, 'src', 'gen');
const stampFile = join(folder, '.stamp');
const runtimes = ['codec.ts', 'json.ts', 'istio.ts'] as const;
const outputs = ['root.json', 'descriptors.bin.gz', 'istio.bin.gz', 'types.ts', ...runtimes] as const;

function main(args: readonly string[]): number {
  const inputs = hashFiles([...ownProgram(), ...ownProtos()]);
  const isFresh = existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp(inputs);
  if (args.includes('--check')) {
    if (!isFresh) console.error('src/gen is not what `npm run generate` would write: run it');
    return isFresh ? 0 : 1;
  }
  if (isFresh) {
    console.log('src/gen is up to date');
    return 0;
  }
  writeOutputs();
  write('.stamp', stamp(inputs));
  console.log('src/gen written');
  return 0;
}

function writeOutputs(): void {
  const descriptorSet = loadDescriptorSet();
  const own = new Set(ownProtos().map(packageOf));
  const schema = readSchema(descriptorSet, ({ typeName, file }) => {
    const name = file.proto.package;
    return isRootPackage(name) || own.has(name) || rootMessages.includes(typeName);
  });
  mkdirSync(folder, { recursive: true });
  write('root.json', JSON.stringify(buildBundle(schema)));
  write('descriptors.bin.gz', gzipSync(descriptorSet, { level: 9 }));
  write('istio.bin.gz', gzipSync(buildIstioBundle(loadIstioSets()), { level: 9 }));
  write('types.ts', buildTypes(schema));
  for (const name of runtimes) write(name, runtimeFile(name));
}

/** The hand-written half lives in runtime/, where it is checked and linted; in src/gen its imports are shorter. */
function runtimeFile(name: string): string {
  const text = readFileSync(join(checkout, 'tools', 'generate', 'runtime', name), 'utf8');
  return `// Copied by npm run generate from tools/generate/runtime/${name}. Do not edit.\n${text.replaceAll('../../../src/gen/', './')}`;
}

function packageOf(proto: string): string {
  const name = /^package\s+([\w.]+)\s*;/m.exec(readFileSync(proto, 'utf8'))?.[1];
  if (name === undefined) throw new Error(`${proto} names no package`);
  return name;
}

function ownProgram(): readonly string[] {
  const program = join(checkout, 'tools', 'generate');
  const names = readdirSync(program, { recursive: true, encoding: 'utf8' }).filter(
    (name) => /\.(ts|go|mod|sum)$/.test(name) && !name.endsWith('.test.ts') && !name.endsWith('imports.go'),
  );
  return names.sort().map((name) => join(program, name));
}

/** Inputs and outputs, so that an edited or missing output is noticed too. */
function stamp(inputs: string): string {
  const hash = createHash('sha256').update(inputs);
  for (const name of outputs) {
    const file = join(folder, name);
    hash.update('\0').update(existsSync(file) ? readFileSync(file) : 'missing');
  }
  return hash.digest('hex');
}

/** By rename: whoever reads meanwhile sees the old file or the new one. */
function write(name: string, content: string | Uint8Array): void {
  const file = join(folder, name);
  writeFileSync(`${file}.${process.pid}`, content);
  renameSync(`${file}.${process.pid}`, file);
}

process.exitCode = main(process.argv.slice(2));
