import type { KubeObject, ResourceType } from '../../../kube/api.ts';
import { asRecord, recordsIn, textIn } from '../../../kube/json.ts';

export const definitionType: ResourceType = {
  group: 'apiextensions.k8s.io',
  version: 'v1',
  plural: 'customresourcedefinitions',
};

/** What is read of a CustomResourceDefinition. */
export type Definition = {
  /** `virtualservices.networking.istio.io`. */
  readonly name: string;
  readonly uid: string;
  /** Versions that are served, in the definition's order. */
  readonly served: readonly string[];
  readonly isEstablished: boolean;
  /** Its objects are being deleted because it is. */
  readonly isTerminating: boolean;
};

/** Narrows a definition; nothing for those of groups that are not `wanted`. */
export function narrowDefinition(object: KubeObject, wanted: ReadonlySet<string>): Definition | undefined {
  const metadata = asRecord(object['metadata']);
  const name = textIn(metadata, 'name');
  if (!wanted.has(name)) return undefined;
  const served = recordsIn(asRecord(object['spec']), 'versions').flatMap((version) =>
    version['served'] === true && typeof version['name'] === 'string' ? [version['name']] : [],
  );
  const conditions = recordsIn(asRecord(object['status']), 'conditions');
  const isTrue = (type: string): boolean =>
    conditions.some((condition) => condition['type'] === type && condition['status'] === 'True');
  return {
    name,
    uid: textIn(metadata, 'uid'),
    served,
    isEstablished: isTrue('Established'),
    isTerminating: metadata['deletionTimestamp'] !== undefined || isTrue('Terminating'),
  };
}
