// `npm run generate`: writes src/gen/ from the Envoy API, the Istio API and proto/, and crds/ from the schemas in src/apis, unless they
// are already what it would write. With --check it only says whether they are; with --built it leaves out what git holds, crds/.
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

async function main(args: readonly string[]): Promise<number> {
  const isCheck = args.includes('--check');
  const results = [isCheck ? checkBuilt() : generateBuilt()];
  if (!args.includes('--built')) results.push(await generateCommitted(isCheck));
  return results.every((isFine) => isFine) ? 0 : 1;
}

function checkBuilt(): boolean {
  const isFresh = isBuilt();
  if (!isFresh) console.error('src/gen is not what `npm run generate` would write: run it');
  return isFresh;
}

function generateBuilt(): boolean {
  if (isBuilt()) {
    console.log('src/gen is up to date');
    return true;
  }
  writeOutputs();
  write('.stamp', stamp(hashInputs()));
  console.log('src/gen written');
  return true;
}

/** Read late: the schemas that CRDs come from are not needed, and need not be in order, for src/gen. */
async function generateCommitted(isCheck: boolean): Promise<boolean> {
  const { staleCrdFiles, writeCrdFiles } = await import('./crds/files.ts');
  const stale = staleCrdFiles();
  if (isCheck) {
    if (stale.length > 0) console.error(`crds/ is not what \`npm run generate\` would write: ${stale.join(', ')}`);
    return stale.length === 0;
  }
  writeCrdFiles();
  console.log(stale.length === 0 ? 'crds/ is up to date' : `crds/ written: ${stale.join(', ')}`);
  return true;
}

function isBuilt(): boolean {
  return existsSync(stampFile) && readFileSync(stampFile, 'utf8') === stamp(hashInputs());
}

function hashInputs(): string {
  return hashFiles([...ownProgram(), ...ownProtos()]);
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
    (name) => /\.(ts|go|mod|sum)$/.test(name) && !/\.test\.ts$|imports\.go$|^crds\//.test(name),
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

process.exitCode = await main(process.argv.slice(2));
