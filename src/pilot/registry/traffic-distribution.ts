import type { TrafficDistribution } from '../../model/service.ts';

export const TRAFFIC_DISTRIBUTION = 'networking.istio.io/traffic-distribution';

const byName: ReadonlyMap<string, TrafficDistribution> = new Map([
  ['preferclose', 'same-zone'],
  ['prefersamezone', 'same-zone'],
  ['prefersamenode', 'same-node'],
]);

/** The first that is set decides: the Service's field, its annotation, its namespace's annotation. */
export function buildTrafficDistribution(settings: readonly (string | undefined)[]): TrafficDistribution {
  const set = settings.find((setting) => setting !== undefined && setting !== '');
  return byName.get((set ?? '').toLowerCase()) ?? 'any';
}
