// `npm run build`: dist/, what the package and the image carry. Generated data is not TypeScript and is copied.
import { spawnSync } from 'node:child_process';
import { copyFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { checkout, nodeBinary } from './paths.mjs';

const setup = spawnSync(process.execPath, ['tools/setup.mjs', '--for', 'check'], { cwd: checkout, stdio: 'inherit' });
if (setup.status !== 0) process.exit(setup.status ?? 1);
rmSync(join(checkout, 'dist'), { recursive: true, force: true });
const compiler = join(checkout, 'node_modules', 'ts7', 'bin', 'tsc');
const compiled = spawnSync(nodeBinary, [compiler, '-p', 'tsconfig.build.json'], { cwd: checkout, stdio: 'inherit' });
if (compiled.status !== 0) process.exit(compiled.status ?? 1);
for (const name of ['root.json', 'descriptors.bin.gz', 'istio.bin.gz']) {
  copyFileSync(join(checkout, 'src', 'gen', name), join(checkout, 'dist', 'gen', name));
}
