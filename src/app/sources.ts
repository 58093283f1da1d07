import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { ConfigSourceAddress } from '../apis/mesh/config-source.ts';
import { type ChooseSources, ChosenSource } from '../galley/sources/chosen-source.ts';
import { FolderSource } from '../galley/sources/folder-source.ts';
import { KubernetesSource } from '../galley/sources/kubernetes/kubernetes-source.ts';
import { type RemoteAddress, RemoteSource } from '../galley/sources/remote/remote-source.ts';
import type { Source } from '../galley/sources/source.ts';
import { RpcClient } from '../rpc/rpc-client.ts';
import type { AssembleInputs } from './assemble.ts';
import type { Cluster } from './cluster.ts';
import type { ProcessConfig } from './config.ts';
import { findConfigSources } from './config-sources.ts';

/** Where the configuration says that objects come from; the earlier has the say where two have the same object. */
export function makeSources(inputs: AssembleInputs, cluster: Cluster | undefined): readonly Source[] {
  const { config, clock } = inputs;
  const sources: Source[] = [];
  if (config.source !== undefined) sources.push(new FolderSource({ path: config.source, clock }));
  const secretNamespaces = secretNamespacesOf(config);
  const fromCluster = (kinds: 'kubernetes' | 'istio'): readonly Source[] =>
    cluster === undefined
      ? []
      : [new KubernetesSource({ ...cluster, rootNamespace: config.namespace, kinds, secretNamespaces })];
  sources.push(...fromCluster('kubernetes'));
  const choose: ChooseSources = async (wait, signal) => {
    const addresses = await findConfigSources(inputs, wait, signal);
    if (addresses.length === 0) return fromCluster('istio');
    return addresses.flatMap((address) =>
      address.kind === 'cluster' ? fromCluster('istio') : sourceAt(address, inputs),
    );
  };
  if (cluster !== undefined || config.configSources.length > 0 || config.meshConfig !== undefined)
    sources.push(new ChosenSource('configuration', choose));
  return sources;
}

/** Where Secrets are read. Only Pilot has a use for them. */
export function secretNamespacesOf({
  controllers,
  namespace,
  secretNamespaces,
}: Pick<ProcessConfig, 'controllers' | 'namespace' | 'secretNamespaces'>): readonly string[] {
  if (!controllers.includes('pilot')) return [];
  return secretNamespaces.length === 0 ? [namespace] : secretNamespaces;
}

/** Who has an identity shows it to sources of xDS, and believes only those that the same roots have issued. Throws when its files cannot be read. */
function connectTo({ kind, host, port }: RemoteAddress, identity: string | undefined): RpcClient {
  const address = host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
  if (kind !== 'xds' || identity === undefined) return new RpcClient(address);
  // Read each time: they are replaced while we run.
  const read = (file: string): string => readFileSync(join(identity, file), 'utf8');
  const pair = { certificate: read('cert-chain.pem'), key: read('key.pem') };
  return new RpcClient(address, { tls: { roots: read('root-cert.pem'), pair } });
}

type Elsewhere = Exclude<ConfigSourceAddress, { readonly kind: 'cluster' }>;

function sourceAt(address: Elsewhere, { config, clock, random, log, metrics }: AssembleInputs): Source {
  switch (address.kind) {
    case 'folder':
      return new FolderSource({ path: address.path, clock });
    case 'xds':
    case 'mcp':
      return new RemoteSource({
        address,
        connect: (remote) => connectTo(remote, config.configSourceIdentity),
        isWholeMesh: address.kind === 'xds' && config.source === undefined && !config.kubernetes,
        rootNamespace: config.namespace,
        clock,
        random,
        log: log.child({ component: 'mcp' }),
        metrics,
      });
  }
}
