import { memoByIdentity } from '../../kit/memo.ts';
import type { Service } from '../../model/service.ts';

/** Which ports of a service are wanted; undefined is all. */
export type WantedPorts = ReadonlySet<number> | undefined;

const narrowed = memoByIdentity((_: Service) => new Map<string, Service>());

/** The service with only these of its ports: the same object for the same ports, and the service itself for all of them. */
export function narrowService(service: Service, wanted: WantedPorts): Service {
  if (wanted === undefined) return service;
  const ports = service.ports.filter(({ port }) => wanted.has(port));
  if (ports.length === service.ports.length) return service;
  const key = ports.map(({ port }) => port).join();
  const known = narrowed(service).get(key);
  if (known !== undefined) return known;
  const narrow = { ...service, ports };
  narrowed(service).set(key, narrow);
  return narrow;
}

export function hasPort(service: Service, port: number): boolean {
  return service.ports.some((candidate) => candidate.port === port);
}

/** Both wishes together. */
export function joinPorts(a: WantedPorts, b: WantedPorts): WantedPorts {
  return a === undefined || b === undefined ? undefined : new Set([...a, ...b]);
}
