import type { LocalityLbSetting } from '../../../apis/networking/networking.ts';
import type { Service, TrafficDistribution } from '../../../model/service.ts';
import type { EffectivePolicy } from './effective-policy.ts';

/** How traffic keeps to places. `failover`: an endpoint's place decides its priority. */
export type LocalityLb = { readonly setting: LocalityLbSetting; readonly failover: boolean };

/**
 * The rule's own setting, else what the Service says about distribution, else the mesh's. Without outlier detection Envoy
 * would never learn that near endpoints fail, so only a Service's own wish makes places matter without it.
 */
export function localityLbOf(
  policy: EffectivePolicy,
  service: Service,
  mesh: LocalityLbSetting | undefined,
): LocalityLb | undefined {
  const detects = policy.outlierDetection !== undefined;
  const own = policy.loadBalancer?.spec.localityLbSetting;
  if (own !== undefined) return own.enabled === false ? undefined : active(own, detects);
  const wished = byDistribution[service.trafficDistribution];
  if (wished !== undefined) return { setting: wished, failover: true };
  return mesh === undefined || mesh.enabled === false ? undefined : active(mesh, detects);
}

/** Whether endpoints get shares by place rather than one share each. */
export function distributes(locality: LocalityLb | undefined): boolean {
  return (locality?.setting.distribute?.length ?? 0) > 0;
}

function active(setting: LocalityLbSetting, detects: boolean): LocalityLb | undefined {
  const locality = { setting, failover: detects };
  return detects || distributes(locality) ? locality : undefined;
}

export const NETWORK_LABEL = 'topology.istio.io/network';
export const REGION_LABEL = 'topology.kubernetes.io/region';
export const ZONE_LABEL = 'topology.kubernetes.io/zone';
export const SUBZONE_LABEL = 'topology.istio.io/subzone';
export const NODE_LABEL = 'kubernetes.io/hostname';

const sameZone = [NETWORK_LABEL, REGION_LABEL, ZONE_LABEL];

const byDistribution: Readonly<Record<TrafficDistribution, LocalityLbSetting | undefined>> = {
  any: undefined,
  'same-zone': { failoverPriority: sameZone },
  'same-node': { failoverPriority: [...sameZone, SUBZONE_LABEL, NODE_LABEL] },
};
