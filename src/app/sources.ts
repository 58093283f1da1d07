import { FolderSource } from '../galley/sources/folder-source.ts';
import { KubernetesSource } from '../galley/sources/kubernetes/kubernetes-source.ts';
import type { Reflect } from '../galley/sources/kubernetes/reflect.ts';
import type { Source } from '../galley/sources/source.ts';
import { Reflector } from '../kube/reflector.ts';
import type { AssembleInputs } from './assemble.ts';

/** Where the configuration says that objects come from; the earlier has the say where two have the same object. */
export function makeSources(inputs: AssembleInputs): readonly Source[] {
  const { config, kube, clock } = inputs;
  const sources: Source[] = [];
  if (config.source !== undefined) sources.push(new FolderSource({ path: config.source, clock }));
  if (kube !== undefined) {
    sources.push(
      new KubernetesSource({
        api: kube,
        reflect: makeReflect(inputs),
        rootNamespace: config.namespace,
        readsIstio: config.configSources.length === 0,
      }),
    );
  }
  return sources;
}

function makeReflect({ kube: api, clock, random, log, metrics }: AssembleInputs): Reflect {
  if (api === undefined) throw new Error('nothing to reflect without a Kubernetes API');
  return (reflection) => new Reflector({ api, clock, random, log, metrics }, reflection);
}
