import { renderPath } from '../../src/apis/issue.ts';
import { Galley } from '../../src/galley/galley.ts';
import { MemorySource } from '../../src/galley/sources/memory-source.ts';
import { systemClock } from '../../src/kit/system-clock.ts';
import type { ConfigSnapshot } from '../../src/model/config-snapshot.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';

/** What galley admits of a YAML text. A test that means to have good objects hears of bad ones, but for codes it expects. */
export async function loadYaml(yaml: string, expected: readonly string[] = []): Promise<ConfigSnapshot> {
  const source = new MemorySource('text');
  source.applyYaml(yaml);
  const galley = new Galley({
    sources: [source],
    meshConfigFile: undefined,
    rootNamespace: 'istio-system',
    domain: 'cluster.local',
    clock: systemClock,
    log: silentLogger,
  });
  const enough = new AbortController();
  galley.onChange(() => enough.abort());
  await galley.run(enough.signal);
  const errors = galley.diagnostics().filter(({ level, code }) => level === 'error' && !expected.includes(code));
  if (errors.length > 0)
    throw new Error(errors.map(({ path, message }) => `${renderPath(path)}: ${message}`).join('\n'));
  const snapshot = galley.snapshot();
  if (snapshot === undefined) throw new Error('galley published nothing');
  return snapshot;
}
