import type { ServiceSpec } from '../../apis/kubernetes/service.ts';
import { type ObjectRef, refOf } from '../../model/object.ts';
import type { Alias, Resolution, Service, ServicePort } from '../../model/service.ts';
import { buildVisibility, commaList, exportToAnnotation } from './export-to.ts';
import { createdAt } from './order.ts';
import { protocolOfPort } from './protocol.ts';
import type { KubernetesSource } from './service-source.ts';
import { buildTrafficDistribution, TRAFFIC_DISTRIBUTION } from './traffic-distribution.ts';

export type ServiceContext = {
  readonly trustDomain: string;
  readonly defaultExportTo: readonly string[];
  /** The namespace's annotation, if it has one. */
  readonly namespaceDistribution: string | undefined;
  readonly autoAddress: string | undefined;
  readonly aliases: readonly KubernetesSource[];
};

/** External and load balancer addresses are not what clients of the mesh dial, so they are no VIPs. */
export function buildKubernetesService({ object, key, hostname }: KubernetesSource, context: ServiceContext): Service {
  const { spec, meta } = object;
  const headless = isHeadless(spec);
  return {
    key,
    hostname,
    aliases: buildAliases(context),
    namespace: meta.namespace,
    name: meta.name,
    registry: 'Kubernetes',
    ports: buildPorts(spec, refOf(object)),
    addresses: virtualAddresses(spec),
    autoAddresses: context.autoAddress === undefined ? [] : [context.autoAddress],
    resolution: buildResolution(spec, headless),
    headless,
    meshExternal: spec.type === 'ExternalName',
    visibility: buildVisibility(exportToAnnotation(meta.annotations), meta.namespace, context.defaultExportTo),
    labels: meta.labels,
    subjectAltNames: accountNames(object, context.trustDomain),
    trafficDistribution: buildTrafficDistribution([
      spec.trafficDistribution,
      meta.annotations[TRAFFIC_DISTRIBUTION],
      context.namespaceDistribution,
    ]),
    createdAt: createdAt(object),
    origin: refOf(object),
  };
}

export function buildAliases({ aliases, defaultExportTo }: ServiceContext): readonly Alias[] {
  return aliases.map(({ object, hostname, namespace }) => ({
    hostname,
    visibility: buildVisibility(exportToAnnotation(object.meta.annotations), namespace, defaultExportTo),
    origin: refOf(object),
  }));
}

/**
 * A file may leave the address to whoever applies it. Such a Service is no headless one (that says `None`): its endpoints are
 * known, and DNS capture has an address for it.
 */
export function lacksAddress(spec: ServiceSpec): boolean {
  return spec.type !== 'ExternalName' && spec.clusterIPs.length === 0;
}

function isHeadless(spec: ServiceSpec): boolean {
  return spec.type !== 'ExternalName' && spec.clusterIPs.includes('None');
}

function virtualAddresses(spec: ServiceSpec): readonly string[] {
  return spec.type === 'ExternalName' || isHeadless(spec) ? [] : spec.clusterIPs;
}

function buildResolution(spec: ServiceSpec, headless: boolean): Resolution {
  if (spec.type === 'ExternalName') return { kind: 'dns', logical: false };
  return headless ? { kind: 'passthrough' } : { kind: 'endpoints' };
}

/** One port per number: where DNS has both, the one that can be proxied counts. */
function buildPorts(spec: ServiceSpec, object: ObjectRef): readonly ServicePort[] {
  const ports = spec.ports.map(({ name, port, protocol, appProtocol }, index) => ({
    name,
    port,
    protocol: protocolOfPort({ name, port, transport: protocol, appProtocol }),
    object,
    index,
  }));
  const proxied = new Set(ports.filter(({ protocol }) => protocol !== 'UDP').map(({ port }) => port));
  return ports.filter(({ port, protocol }) => protocol !== 'UDP' || !proxied.has(port));
}

const CANONICAL_ACCOUNTS = 'alpha.istio.io/canonical-serviceaccounts';
const KUBERNETES_ACCOUNTS = 'alpha.istio.io/kubernetes-serviceaccounts';

function accountNames({ meta }: KubernetesSource['object'], trustDomain: string): readonly string[] {
  const canonical = commaList(meta.annotations[CANONICAL_ACCOUNTS]);
  const local = commaList(meta.annotations[KUBERNETES_ACCOUNTS]);
  return [...canonical, ...local.map((account) => `spiffe://${trustDomain}/ns/${meta.namespace}/sa/${account}`)];
}
