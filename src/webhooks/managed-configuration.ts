import type { JsonPatchStep, KubeObject, ResourceType } from '../kube/api.ts';
import { asRecord, nameOf, recordsIn, textIn } from '../kube/json.ts';

/** A webhook configuration, as far as its authorities go. */
export type ManagedConfiguration = {
  readonly name: string;
  readonly resourceVersion: string;
  /** Of each webhook, in the order of the object; base64 as it stands there. */
  readonly bundles: readonly string[];
};

export type ConfigurationKind = 'validating' | 'mutating';

/** Objects that belong to no namespace. */
export const configurationTypes: Readonly<Record<ConfigurationKind, ResourceType>> = {
  validating: { group: 'admissionregistration.k8s.io', version: 'v1', plural: 'validatingwebhookconfigurations' },
  mutating: { group: 'admissionregistration.k8s.io', version: 'v1', plural: 'mutatingwebhookconfigurations' },
};

/** On a webhook configuration: the namespace of the xebec whose authorities it is to carry. */
export const CA_BUNDLE_LABEL = 'xebec.dev/ca-bundle';

export function readConfiguration(object: KubeObject): ManagedConfiguration {
  return {
    name: nameOf(object).name,
    resourceVersion: textIn(asRecord(object['metadata']), 'resourceVersion'),
    bundles: recordsIn(object, 'webhooks').map((webhook) => textIn(asRecord(webhook['clientConfig']), 'caBundle')),
  };
}

export function carries({ bundles }: ManagedConfiguration, bundle: string): boolean {
  return bundles.every((one) => one === bundle);
}

/** Sets what differs and nothing else, unless somebody changed the object meanwhile. */
export function bundlePatch(
  { resourceVersion, bundles }: ManagedConfiguration,
  bundle: string,
): readonly JsonPatchStep[] {
  const steps = bundles.flatMap((one, index): readonly JsonPatchStep[] =>
    one === bundle ? [] : [{ op: 'add', path: `/webhooks/${index}/clientConfig/caBundle`, value: bundle }],
  );
  return [{ op: 'test', path: '/metadata/resourceVersion', value: resourceVersion }, ...steps];
}
