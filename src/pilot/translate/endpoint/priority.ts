import type { LocalityLbSetting } from '../../../apis/networking/networking.ts';
import type { Endpoint } from '../../../model/service.ts';
import { type ClientPlace, localityOf, placeLabel } from './place.ts';

/** How far an endpoint is from the client: 0 is nearest. Only the order counts. */
export type Distance = (endpoint: Endpoint) => number;

/**
 * By the labels of `failoverPriority`, as many of the first ones as both have in common; by locality where there are none.
 * With both, locality decides among endpoints that share equally many labels.
 */
export function distanceFrom(client: ClientPlace, setting: LocalityLbSetting): Distance {
  const labels = setting.failoverPriority ?? [];
  if (labels.length === 0) return localityDistance(client, setting);
  const byLabels = labelDistance(client, labels);
  if ((setting.failover?.length ?? 0) === 0) return byLabels;
  const byLocality = localityDistance(client, setting);
  return (endpoint) => byLabels(endpoint) * 5 + byLocality(endpoint);
}

function labelDistance(client: ClientPlace, labels: readonly string[]): Distance {
  const wanted = labels.map((label) => {
    const equals = label.indexOf('=');
    return equals < 0
      ? { key: label, value: placeLabel(client, label) }
      : { key: label.slice(0, equals), value: label.slice(equals + 1) };
  });
  return (endpoint) => {
    const differs = wanted.findIndex(({ key, value }) => placeLabel(endpoint, key) !== value);
    return differs < 0 ? 0 : wanted.length - differs;
  };
}

/** 0 same sub-zone, 1 same zone, 2 same region, 3 the region to fail over to (or any, where none is named), 4 elsewhere. */
function localityDistance(client: ClientPlace, setting: LocalityLbSetting): Distance {
  if (client.locality === undefined) return () => 0;
  const own = client.locality;
  const next = setting.failover?.find(({ from }) => from === own.region)?.to;
  return (endpoint) => {
    const { region, zone, subzone } = localityOf(endpoint);
    if (region !== own.region) return next === undefined || region === next ? 3 : 4;
    if (zone !== own.zone) return 2;
    return subzone === own.subzone ? 0 : 1;
  };
}
