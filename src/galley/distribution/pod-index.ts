import { objectKey } from '../../model/ids.ts';
import type { ConfigObject } from '../../model/object.ts';

type Pod = ConfigObject<'Pod'>;
type Reference = { readonly kind: string; readonly namespace: string; readonly name: string };

/** Pods by name and by address. */
export class PodIndex {
  readonly #byKey: ReadonlyMap<string, Pod>;
  readonly #byAddress = new Map<string, Pod>();

  constructor(pods: readonly Pod[]) {
    this.#byKey = new Map(pods.map((pod) => [pod.key, pod]));
    for (const pod of pods) {
      // Pods on their host's network share its address, which then says nothing of them.
      if (!pod.spec.hostNetwork) for (const address of pod.spec.podIPs) this.#byAddress.set(address, pod);
    }
  }

  /** The pod behind an address, named or not. */
  find(address: string, target: Reference | undefined, namespace: string): Pod | undefined {
    if (target?.kind !== 'Pod') return this.#byAddress.get(address);
    return this.#byKey.get(objectKey('Pod', target.namespace || namespace, target.name));
  }
}
