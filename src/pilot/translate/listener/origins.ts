import type { Origin } from '../../../xds/resource.ts';
import { originOf } from '../built.ts';
import type { ServiceAtPort } from '../plan.ts';
import type { Place } from '../policy/diagnose.ts';

/** Where a service says that it has the port. */
export function portPlace({ port: { object, index } }: ServiceAtPort): Place {
  return { object, path: `spec.ports[${index}]` };
}

export function portOrigin(at: ServiceAtPort): Origin {
  const { object, path } = portPlace(at);
  return originOf(object, path);
}

/** Each object and place once, in the order they came. */
export function distinctOrigins(origins: readonly Origin[]): readonly Origin[] {
  const byKey = new Map(origins.map((origin) => [Object.values(origin).join('\0'), origin]));
  return [...byKey.values()];
}
