import { existsSync } from 'node:fs';
import { type DumpedResource, dumpSnapshot, type ResourceType } from '../app/config-dump.ts';
import { loadOffline } from '../app/offline.ts';
import { redactKeys } from '../app/redact-keys.ts';
import { type DataFormat, renderData } from '../app/render-data.ts';
import { translateOffline } from '../app/translate-offline.ts';
import { systemClock } from '../kit/system-clock.ts';
import { renderTable } from '../kit/table.ts';
import { type CliIo, EXIT } from './io.ts';

export type ConfigDumpOptions = {
  readonly source: string;
  readonly proxy: string;
  readonly meshConfig?: string;
  readonly domain: string;
  readonly type?: readonly ResourceType[];
  readonly name?: string;
  readonly metadata: Readonly<Record<string, unknown>>;
  readonly output: 'table' | DataFormat;
};

/** `xebec config-dump`: what a proxy would get, from files alone. */
export async function runConfigDump(options: ConfigDumpOptions, io: CliIo): Promise<number> {
  const missing = [options.source, options.meshConfig].find((path) => path !== undefined && !existsSync(path));
  if (missing !== undefined) {
    io.err(`cannot read ${missing}: it does not exist; correct the path\n`);
    return EXIT.usage;
  }
  const { source, meshConfig, domain, metadata } = options;
  const loaded = await loadOffline({ source, meshConfig, domain, clock: systemClock, signal: io.signal });
  if (loaded === undefined) return EXIT.partial;
  const errors = loaded.diagnostics.filter(({ level }) => level === 'error').length;
  if (errors > 0) {
    const count = errors === 1 ? '1 error' : `${errors} errors`;
    io.err(`${count} in ${source}; what they hit is left out (xebec validate -f ${source} lists them)\n`);
  }
  const translated = translateOffline({ config: loaded.config, proxy: options.proxy, domain, metadata });
  if (!translated.ok) {
    io.err(`--proxy: ${translated.error}\n`);
    return EXIT.usage;
  }
  const { snapshot, hasWorkload } = translated.value;
  if (!hasWorkload && options.proxy.startsWith('sidecar~')) {
    io.err(
      `no Pod or WorkloadEntry of ${source} has that address, so no service leads to this proxy: here is what leads out of it\n`,
    );
  }
  const { type: types, name: part } = options;
  const isWanted = (type: ResourceType, name: string): boolean =>
    (types?.includes(type) ?? true) && (part === undefined || name.includes(part));
  const resources = await dumpSnapshot(snapshot, isWanted);
  if (resources.length === 0) io.err('nothing matches: leave --type and --name out to see all that this proxy gets\n');
  io.out(render(resources, options));
  return EXIT.fine;
}

function render(resources: readonly DumpedResource[], { output, proxy }: ConfigDumpOptions): string {
  if (output === 'table') {
    const rows = resources.map(({ type, name, version, origins }) => [type, name, version, origins.join(', ')]);
    return renderTable(['TYPE', 'NAME', 'VERSION', 'FROM'], rows);
  }
  const dump = { apiVersion: 'xebec.dev/v1', kind: 'ConfigDump', proxy, resources };
  return renderData(JSON.parse(redactKeys(JSON.stringify(dump))), output);
}
