import { type Collection, collections } from '../../apis/collections.ts';
import { enumerate } from '../../apis/schema/words.ts';
import { type Definition, definitionType, narrowDefinition } from '../../galley/sources/kubernetes/definitions.ts';
import type { KubeApi, KubeResult } from '../../kube/api.ts';
import type { Check, Finding } from './check.ts';
import { failed, ok, unanswered, warning } from './findings.ts';
import { listAll } from './list-all.ts';

const istioKinds: readonly Collection[] = Object.values(collections).filter(({ source }) => source === 'istio');
/** More kinds than these are told of in one line. */
const MOST_NAMED = 5;
const remedy = 'upgrade the release (crds.enabled), or kubectl apply -f crds/';

/** The definitions of Istio's kinds: that they are there, and serve what xebec reads. */
export const checkDefinitions: Check = async ({ kube, config }, signal) => {
  if (config.configSources.length > 0) return [ok('not needed: configuration comes from elsewhere')];
  const found = await readDefinitions(kube, signal);
  if (!found.ok) return [unanswered('the CustomResourceDefinitions', found.error)];
  const undefinedKinds = istioKinds.map(nameOf).filter((name) => !found.value.has(name));
  if (undefinedKinds.length > MOST_NAMED)
    return [failed(`${enumerate(undefinedKinds, MOST_NAMED)} are not defined`, remedy)];
  const findings = istioKinds.flatMap((collection) => judge(collection, found.value.get(nameOf(collection))));
  return findings.length > 0 ? findings : [ok(`all ${istioKinds.length} of Istio’s kinds are defined, and served`)];
};

async function readDefinitions(
  kube: KubeApi,
  signal: AbortSignal,
): Promise<KubeResult<ReadonlyMap<string, Definition>>> {
  const wanted = new Set(istioKinds.map(nameOf));
  const list = await listAll(kube, { type: definitionType, namespace: '' }, signal);
  if (!list.ok) return list;
  const definitions = list.value.flatMap((object) => narrowDefinition(object, wanted) ?? []);
  return { ok: true, value: new Map(definitions.map((definition) => [definition.name, definition])) };
}

function judge(collection: Collection, definition: Definition | undefined): readonly Finding[] {
  const name = nameOf(collection);
  if (definition === undefined) return [failed(`${name} is not defined`, remedy)];
  if (definition.isTerminating) return [failed(`${name} is being deleted, with all its objects`, remedy)];
  if (!definition.isEstablished) {
    return [failed(`${name} is not established`, `look at its conditions: kubectl get crd ${name} -o yaml`)];
  }
  const missing = collection.versions.filter((version) => !definition.served.includes(version));
  if (missing.length === 0) return [];
  const read = collection.versions.find((version) => definition.served.includes(version));
  if (read === undefined) return [failed(`${name} serves no version that xebec reads (${missing.join(', ')})`, remedy)];
  return [warning(`${name} does not serve ${missing.join(', ')}; xebec reads ${read}`, remedy)];
}

function nameOf({ plural, group }: Collection): string {
  return `${plural}.${group}`;
}
