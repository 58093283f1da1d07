import { readFile } from 'node:fs/promises';
import { type ConfigSourceAddress, parseConfigSource } from '../apis/mesh/config-source.ts';
import type { MeshConfig } from '../apis/mesh/mesh-config.ts';
import type { Galley } from '../galley/galley.ts';
import { aborted } from '../galley/sources/text-source.ts';
import { parseDocument } from '../galley/yaml/parse-document.ts';
import { err, ok, type Result } from '../kit/result.ts';
import type { Runnable } from '../kit/run-group.ts';
import { asRecord, recordsIn, textIn } from '../kube/json.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { AssembleInputs } from './assemble.ts';

const configMaps = { group: '', version: 'v1', plural: 'configmaps' };
const RETRY_MS = 1_000;

/**
 * Where the mesh configuration says that Istio's configuration comes from (`configSources`), unless the process was told. It is
 * looked at once, at the start: before that nothing can be read, and afterwards another source would be another mesh. What cannot
 * be looked at, or is wrong, is waited for, for the same reason.
 */
export async function findConfigSources(
  inputs: AssembleInputs,
  wait: (reason: string) => void,
  signal: AbortSignal,
): Promise<readonly ConfigSourceAddress[]> {
  const { config, clock, log } = inputs;
  let told = '';
  while (!signal.aborted) {
    const texts = config.configSources.length > 0 ? ok(config.configSources) : await saidByMesh(inputs, signal);
    const found = texts.ok ? readAll(texts.value) : texts;
    if (found.ok) return found.value;
    if (signal.aborted) break;
    if (found.error !== told)
      log.warn({ reason: found.error }, 'where configuration comes from is not known yet; it is looked at again');
    told = found.error;
    wait(told);
    await clock.sleep(RETRY_MS, signal);
  }
  return [];
}

/** Says when the mesh configuration names other sources than it did at the start: nobody reads them. */
export class ConfigSourcesWatch implements Runnable {
  readonly name = 'watch of config sources';
  readonly #feed: Pick<Galley, 'onChange'>;
  readonly #log: Logger;
  #first: string | undefined;
  #last: string | undefined;

  constructor(feed: Pick<Galley, 'onChange'>, log: Logger) {
    this.#feed = feed;
    this.#log = log;
  }

  async run(signal: AbortSignal): Promise<void> {
    const stop = this.#feed.onChange(({ mesh }) => this.#look(mesh));
    await aborted(signal);
    stop();
  }

  #look({ configSources = [] }: MeshConfig): void {
    const now = configSources.map(({ address = '' }) => address).join(', ');
    this.#first ??= now;
    if (now !== (this.#last ?? now) && now !== this.#first)
      this.#log.warn(
        { configSources: now, inForce: this.#first },
        'configSources of the mesh configuration changed: they are read at the start only; restart to take them',
      );
    this.#last = now;
  }
}

function readAll(texts: readonly string[]): Result<readonly ConfigSourceAddress[], string> {
  const addresses: ConfigSourceAddress[] = [];
  for (const text of texts) {
    const address = parseConfigSource(text);
    if (!address.ok) return err(`configSources of the mesh configuration: ${address.error}`);
    addresses.push(address.value);
  }
  return ok(addresses);
}

async function saidByMesh(inputs: AssembleInputs, signal: AbortSignal): Promise<Result<readonly string[], string>> {
  const { meshConfig } = inputs.config;
  const text = meshConfig === undefined ? await textOfCluster(inputs, signal) : await textOfFile(meshConfig);
  return text.ok ? ok(sourcesIn(text.value)) : text;
}

/** A file that cannot be read is galley's to complain of. */
async function textOfFile(path: string): Promise<Result<string, string>> {
  return ok(await readFile(path, 'utf8').catch(() => ''));
}

async function textOfCluster({ config, kube }: AssembleInputs, signal: AbortSignal): Promise<Result<string, string>> {
  if (kube === undefined) return ok('');
  const found = await kube.get(configMaps, { namespace: config.namespace, name: 'istio' }, signal);
  if (found.ok) return ok(textIn(asRecord(found.value['data']), 'mesh'));
  if (found.error.reason === 'not-found') return ok('');
  return err(`the ConfigMap ${config.namespace}/istio cannot be read: ${found.error.message}`);
}

/** Whatever else may be wrong with the mesh configuration. */
function sourcesIn(text: string): readonly string[] {
  const parsed = parseDocument(text);
  if (!parsed.ok) return [];
  return recordsIn(asRecord(parsed.value.value), 'configSources')
    .map((source) => textIn(source, 'address'))
    .filter((address) => address !== '');
}
