import { type ServiceKey, serviceKey } from '../../model/ids.ts';
import type { ConfigObject } from '../../model/object.ts';
import type { Labels } from './label-index.ts';
import { compareAge } from './order.ts';

type Claim = {
  readonly key: ServiceKey;
  readonly namespace: string;
  readonly hostname: string;
  /** Which workloads of the namespace are its endpoints; undefined if it does not choose by labels. */
  readonly selector: Labels | undefined;
};

export type KubernetesSource = Claim & { readonly kind: 'kubernetes'; readonly object: ConfigObject<'Service'> };
export type EntrySource = Claim & { readonly kind: 'entry'; readonly object: ConfigObject<'ServiceEntry'> };

/** An object's claim to one hostname. Several ServiceEntries may claim the same one, and a Service beside them. */
export type ServiceSource = KubernetesSource | EntrySource;

export function kubernetesHostname(name: string, namespace: string, domainSuffix: string): string {
  return `${name}.${namespace}.svc.${domainSuffix}`;
}

export function sourceOfService(object: ConfigObject<'Service'>, domainSuffix: string): KubernetesSource {
  const { namespace, name } = object.meta;
  const hostname = kubernetesHostname(name, namespace, domainSuffix);
  const { type, selector } = object.spec;
  const chooses = type !== 'ExternalName' && Object.keys(selector).length > 0;
  return {
    kind: 'kubernetes',
    object,
    namespace,
    hostname,
    key: serviceKey(namespace, hostname),
    selector: chooses ? selector : undefined,
  };
}

export function sourcesOfEntry(object: ConfigObject<'ServiceEntry'>): readonly EntrySource[] {
  const { namespace } = object.meta;
  const { hosts, endpoints = [], workloadSelector } = object.spec;
  const selector = endpoints.length > 0 || workloadSelector === undefined ? undefined : (workloadSelector.labels ?? {});
  return [...new Set(hosts.map((host) => host.toLowerCase()))].map((hostname) => ({
    kind: 'entry',
    object,
    namespace,
    hostname,
    key: serviceKey(namespace, hostname),
    selector,
  }));
}

/** Kubernetes' own Service first, then the oldest. */
export function compareSources(a: ServiceSource, b: ServiceSource): number {
  const byKind = Number(a.kind === 'entry') - Number(b.kind === 'entry');
  return byKind || compareAge(a.object, b.object);
}

export function hasSelector<S extends ServiceSource>(source: S): source is S & { readonly selector: Labels } {
  return source.selector !== undefined;
}
