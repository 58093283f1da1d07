import { join } from 'node:path';
import { checkout } from '../../../tools/paths.mjs';
import type { Manifest } from '../../feature/pilot/support/manifests.ts';
import { clusterBinaries, demandBinaries } from '../binaries.ts';
import { runCommand } from '../command.ts';
import { manifestsIn } from './objects.ts';

export type ChartInputs = {
  readonly release: string;
  /** Of `templates/`. */
  readonly files: readonly string[];
  /** As `--set` takes them. */
  readonly values?: readonly string[];
};

/** What the chart installs in istio-system, rendered by helm. */
export async function renderChart({ release, files, values = [] }: ChartInputs): Promise<readonly Manifest[]> {
  const { helm3 } = clusterBinaries();
  demandBinaries(helm3);
  const shown = files.flatMap((file) => ['--show-only', `templates/${file}`]);
  const set = values.flatMap((value) => ['--set', value]);
  const args = ['template', release, join(checkout, 'charts/xebec'), '--namespace', 'istio-system', ...shown, ...set];
  const { status, stdout, stderr } = await runCommand({ program: helm3, args });
  if (status !== 0) throw new Error(`helm ${args.join(' ')}: ${stderr}`);
  return manifestsIn(stdout);
}
