import type { ConfigObject } from '../../model/object.ts';

type Pods = readonly ConfigObject<'Pod'>[];

/** Pods by `name.namespace`, as proxies name themselves; made again only when there are others. */
export class PodsByName {
  #pods: Pods | undefined;
  #byName: ReadonlyMap<string, ConfigObject<'Pod'>> = new Map();

  find(pods: Pods, name: string): ConfigObject<'Pod'> | undefined {
    if (this.#pods !== pods) {
      this.#pods = pods;
      this.#byName = new Map(pods.map((pod) => [`${pod.meta.name}.${pod.meta.namespace}`, pod]));
    }
    return this.#byName.get(name);
  }
}
