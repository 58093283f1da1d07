import { Galley } from '../galley/galley.ts';
import { FolderSource } from '../galley/sources/folder-source.ts';
import { MeshConfigFile } from '../galley/sources/mesh-config-file.ts';
import type { Clock } from '../kit/clock.ts';
import type { ConfigSnapshot } from '../model/config-snapshot.ts';
import type { Diagnostic } from '../model/diagnostic.ts';
import { silentLogger } from '../telemetry/logger.ts';

export type OfflineInputs = {
  /** A folder or one file, which exists. */
  readonly source: string;
  readonly meshConfig: string | undefined;
  readonly domain: string;
  readonly clock: Clock;
  readonly signal: AbortSignal;
};

export type OfflineConfig = { readonly config: ConfigSnapshot; readonly diagnostics: readonly Diagnostic[] };

/** Reads everything once, as `serve` would, and stops. Undefined when it was told to stop before. */
export async function loadOffline({
  source,
  meshConfig,
  domain,
  clock,
  signal,
}: OfflineInputs): Promise<OfflineConfig | undefined> {
  const galley = new Galley({
    sources: [new FolderSource({ path: source, clock })],
    meshConfigFile: meshConfig === undefined ? undefined : new MeshConfigFile({ path: meshConfig, clock }),
    rootNamespace: 'istio-system',
    domain,
    clock,
    log: silentLogger,
  });
  const enough = new AbortController();
  const stop = galley.onChange(() => enough.abort());
  await galley.run(AbortSignal.any([signal, enough.signal]));
  stop();
  const config = galley.snapshot();
  return config === undefined ? undefined : { config, diagnostics: galley.diagnostics() };
}
