import { err, ok, type Result } from '../../kit/result.ts';

/** Where configuration comes from, as `configSources` of the mesh configuration says it. */
export type ConfigSourceAddress =
  | { readonly kind: 'xds' | 'mcp'; readonly host: string; readonly port: number }
  | { readonly kind: 'folder'; readonly path: string }
  /** The Kubernetes API, as if nothing had been said. */
  | { readonly kind: 'cluster' };

const HOST_AND_PORT = /^(?:\[([0-9a-fA-F:.]+)\]|([^\s:/[\]]+)):(\d{1,5})$/;

/** What may be written, for messages. */
export const configSourceForms = 'xds://host:port, mcp://host:port, host:port (MCP), fs:///folder or k8s://';

/** Reads `xds://host:port`, `mcp://host:port`, plain `host:port` (MCP, as Istio 1.4 had it), `fs:///folder` or `k8s://`. */
export function parseConfigSource(text: string): Result<ConfigSourceAddress, string> {
  if (text === 'k8s://') return ok({ kind: 'cluster' });
  const address = folderIn(text) ?? remoteIn(text);
  return address === undefined
    ? err(`${JSON.stringify(text)} is no config source: write ${configSourceForms}`)
    : ok(address);
}

function folderIn(text: string): ConfigSourceAddress | undefined {
  return text.startsWith('fs:///') ? { kind: 'folder', path: text.slice('fs://'.length) } : undefined;
}

function remoteIn(text: string): ConfigSourceAddress | undefined {
  const [, kind = 'mcp', rest = ''] = /^(?:(xds|mcp):\/\/)?(.*)$/.exec(text) ?? [];
  const [, ipv6, name, digits] = HOST_AND_PORT.exec(rest) ?? [];
  const host = ipv6 ?? name;
  const port = Number(digits);
  if (host === undefined || port < 1 || port > 65_535) return undefined;
  return { kind: kind === 'xds' ? 'xds' : 'mcp', host, port };
}
