import type { Locality } from '../../model/service.ts';

type Labels = Readonly<Record<string, string>>;

const WORKLOAD_LABELS = ['topology.istio.io/locality', 'istio-locality'];
const REGION_LABELS = [
  'topology.kubernetes.io/region',
  'failure-domain.beta.kubernetes.io/region',
  'failure-domain.kubernetes.io/region',
];
const ZONE_LABELS = [
  'topology.kubernetes.io/zone',
  'failure-domain.beta.kubernetes.io/zone',
  'failure-domain.kubernetes.io/zone',
];
const SUBZONE_LABELS = ['topology.istio.io/subzone'];

/** `region/zone/subzone`, later parts optional. */
export function parseLocality(text: string | undefined): Locality | undefined {
  const [region = '', zone = '', subzone = ''] = (text ?? '').split('/');
  return region === '' && zone === '' ? undefined : { region, zone, subzone };
}

/** What a pod or WorkloadEntry says of itself; a label may not hold slashes, so dots stand for them. */
export function localityOfLabels(labels: Labels): Locality | undefined {
  const label = first(labels, WORKLOAD_LABELS);
  return parseLocality(label.includes('/') ? label : label.replaceAll('.', '/'));
}

/** Where a Kubernetes node stands, by the labels its cloud gave it. */
export function localityOfNode(labels: Labels): Locality | undefined {
  const region = first(labels, REGION_LABELS);
  const zone = first(labels, ZONE_LABELS);
  return region === '' && zone === '' ? undefined : { region, zone, subzone: first(labels, SUBZONE_LABELS) };
}

function first(labels: Labels, keys: readonly string[]): string {
  for (const key of keys) {
    const value = labels[key];
    if (value !== undefined && value !== '') return value;
  }
  return '';
}
