import { readFile } from 'node:fs/promises';
import { parseMeshConfig } from '../apis/mesh/parse-mesh-config.ts';
import { parseDocument } from '../galley/yaml/parse-document.ts';
import { asRecord, textIn } from '../kube/json.ts';
import type { AssembleInputs } from './assemble.ts';

const configMaps = { group: '', version: 'v1', plural: 'configmaps' };
const RETRY_MS = 1_000;

/**
 * Where the mesh configuration says that Istio's configuration comes from (`configSources`), unless the process was told. It is
 * looked at once, at the start: before that nothing can be read, and afterwards another source would be another mesh.
 */
export async function findConfigSources(
  inputs: AssembleInputs,
  wait: (reason: string) => void,
  signal: AbortSignal,
): Promise<readonly string[]> {
  const { config } = inputs;
  if (config.configSources.length > 0) return config.configSources;
  const text =
    config.meshConfig === undefined ? await textOfCluster(inputs, wait, signal) : await textOfFile(config.meshConfig);
  return text === undefined ? [] : sourcesIn(text);
}

/** A file that cannot be read is galley's to complain of. */
function textOfFile(path: string): Promise<string | undefined> {
  return readFile(path, 'utf8').catch(() => undefined);
}

async function textOfCluster(
  { config, kube, clock, log }: AssembleInputs,
  wait: (reason: string) => void,
  signal: AbortSignal,
): Promise<string | undefined> {
  if (kube === undefined) return undefined;
  let told = '';
  while (!signal.aborted) {
    const found = await kube.get(configMaps, { namespace: config.namespace, name: 'istio' }, signal);
    if (found.ok) return textIn(asRecord(found.value['data']), 'mesh');
    if (found.error.reason === 'not-found') return undefined;
    if (found.error.message !== told && !signal.aborted)
      log.warn({ error: found.error.message }, 'the ConfigMap istio cannot be read, trying again');
    told = found.error.message;
    wait(`the ConfigMap istio cannot be read: ${told}`);
    await clock.sleep(RETRY_MS, signal);
  }
  return undefined;
}

function sourcesIn(text: string): readonly string[] {
  const parsed = parseDocument(text);
  if (!parsed.ok) return [];
  const { config } = parseMeshConfig(parsed.value.value);
  return (config?.configSources ?? []).flatMap(({ address }) => (address === undefined ? [] : [address]));
}
