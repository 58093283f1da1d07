import type { Endpoint, Locality } from '../../../model/service.ts';
import { NETWORK_LABEL, NODE_LABEL, REGION_LABEL, SUBZONE_LABEL, ZONE_LABEL } from '../policy/locality-lb.ts';

/** Where a client is: what decides which endpoints are near. Kept identical for clients of one place. */
export type ClientPlace = {
  readonly locality: Locality | undefined;
  readonly network: string;
  readonly node: string | undefined;
  readonly labels: Readonly<Record<string, string>>;
};

type Placed = Pick<Endpoint, 'locality' | 'network' | 'node' | 'labels'>;

/** What a place says by itself where it has no such label. */
const known: Readonly<Record<string, (placed: Placed) => string | undefined>> = {
  [REGION_LABEL]: ({ locality }) => locality?.region,
  [ZONE_LABEL]: ({ locality }) => locality?.zone,
  [SUBZONE_LABEL]: ({ locality }) => locality?.subzone,
  [NETWORK_LABEL]: ({ network }) => network,
  [NODE_LABEL]: ({ node }) => node,
};

/** A label of a place; empty where it has none. */
export function placeLabel(placed: Placed, key: string): string {
  return placed.labels[key] ?? known[key]?.(placed) ?? '';
}

const nowhere: Locality = { region: '', zone: '', subzone: '' };

export function localityOf(placed: Pick<Placed, 'locality'>): Locality {
  return placed.locality ?? nowhere;
}

/** Whether a locality is in `pattern`: `region/zone/subzone`, cut short or ending in `*` for all below. */
export function localityMatches({ region, zone, subzone }: Locality, pattern: string): boolean {
  const wanted = pattern.split('/');
  const parts = [region, zone, subzone];
  for (const [index, part] of parts.entries()) {
    const want = wanted[index];
    if (want === undefined || want === '*') return true;
    if (want !== part) return false;
  }
  return true;
}
