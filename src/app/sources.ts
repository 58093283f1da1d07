import { FolderSource } from '../galley/sources/folder-source.ts';
import { KubernetesSource } from '../galley/sources/kubernetes/kubernetes-source.ts';
import type { Source } from '../galley/sources/source.ts';
import type { AssembleInputs } from './assemble.ts';
import type { Cluster } from './cluster.ts';

/** Where the configuration says that objects come from; the earlier has the say where two have the same object. */
export function makeSources({ config, clock }: AssembleInputs, cluster: Cluster | undefined): readonly Source[] {
  const sources: Source[] = [];
  if (config.source !== undefined) sources.push(new FolderSource({ path: config.source, clock }));
  if (cluster !== undefined) {
    const { api, reflect } = cluster;
    const readsIstio = config.configSources.length === 0;
    sources.push(new KubernetesSource({ api, reflect, rootNamespace: config.namespace, readsIstio }));
  }
  return sources;
}
