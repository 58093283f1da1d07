import { spawnSync } from 'node:child_process';
import { copyFileSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { checkout, nodeBinary } from '../../tools/paths.mjs';

/** Looks like a checkout after `npm run build`; packages are found further up. */
const ROOT = join(checkout, '.cache', 'bench');
const OUT = join(ROOT, 'dist');

/** The program that is measured: compiled, as the package and the image carry it. Taking types away at start costs memory and time. */
export const serverProgram: string = join(ROOT, 'bin', 'xebec');

/** Compiles what `npm run build` compiles; whether its types are right is asked elsewhere. */
export function buildServer(): void {
  rmSync(ROOT, { recursive: true, force: true });
  const compiler = join(checkout, 'node_modules', 'ts7', 'bin', 'tsc');
  const args = [compiler, '-p', 'tsconfig.build.json', '--outDir', OUT, '--noCheck'];
  const { status } = spawnSync(nodeBinary, args, { cwd: checkout, stdio: 'inherit' });
  if (status !== 0) throw new Error('the server does not compile');
  mkdirSync(join(ROOT, 'bin'));
  for (const file of ['package.json', 'bin/xebec']) copyFileSync(join(checkout, file), join(ROOT, file));
  for (const name of ['root.json', 'descriptors.bin.gz', 'istio.bin.gz'])
    copyFileSync(join(checkout, 'src', 'gen', name), join(OUT, 'gen', name));
}
