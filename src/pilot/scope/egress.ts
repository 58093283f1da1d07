import type { Destination, EgressListener } from '../../apis/networking/networking.ts';
import type { MeshVirtualService } from '../../model/mesh-snapshot.ts';
import { type ConfigObject, refOf } from '../../model/object.ts';
import { namesOf, type Service } from '../../model/service.ts';
import { compareServices } from '../registry/order.ts';
import { keepIfSameValue } from '../registry/same-value.ts';
import { compareVirtualServices } from '../snapshot/virtual-service-index.ts';
import { destinationsOf } from './destinations.ts';
import { importIndexer, importsEverything, parseImports, selectImports } from './imports.ts';
import { hasPort, joinPorts, narrowService, type WantedPorts } from './narrow-service.ts';
import { onePerHost } from './one-per-host.ts';
import type { EgressScope, SidecarScope } from './scope.ts';

export type EgressInputs = {
  readonly namespace: string;
  readonly sidecar: ConfigObject<'Sidecar'> | undefined;
  /** Everything the namespace may see, oldest first. */
  readonly services: readonly Service[];
  /** As above, bound to `mesh`. */
  readonly virtualServices: readonly MeshVirtualService[];
};

export type Egress = Pick<SidecarScope, 'egress' | 'services'>;

/**
 * What the egress listeners of a Sidecar import; without any, everything. `before` are the services of the scope as it was: a
 * service of which some ports are imported stays the same object for as long as these are the same.
 */
export function buildEgress(inputs: EgressInputs, before: readonly Service[] = []): Egress {
  const { namespace, sidecar, services, virtualServices } = inputs;
  const listeners = sidecar?.spec.egress ?? [];
  if (sidecar === undefined || listeners.length === 0) {
    const all = onePerHost(services, namespace);
    return { egress: [{ ...NO_LISTENER, services: all, virtualServices }], services: all };
  }
  const imported = listeners.map((listener) => importFor(listener, inputs));
  const union = new ServiceUnion(namespace);
  for (const { services: own, port } of imported) for (const service of own) union.add(service, wantedBy(port));
  const { egressProxy } = sidecar.spec.outboundTrafficPolicy ?? {};
  const routes = imported.flatMap((listener) => listener.virtualServices.flatMap(destinationsOf));
  addDestinations(union, egressProxy === undefined ? routes : [...routes, egressProxy], services);
  const winners = union.winners(before);
  const egress = imported.map(({ services: own, virtualServices: bound, port }, index): EgressScope => {
    const listener = listeners[index];
    return {
      listener: listener && { spec: listener, object: refOf(sidecar), path: `spec.egress[${index}]` },
      port: listener?.port,
      bind: listener?.bind,
      captureMode: listener?.captureMode ?? 'DEFAULT',
      services: own.flatMap(({ hostname }) => {
        const winner = winners.get(hostname);
        return winner === undefined || (port !== 0 && !hasPort(winner, port)) ? [] : [winner];
      }),
      virtualServices: bound,
    };
  });
  return { egress, services: [...winners.values()] };
}

const NO_LISTENER = { listener: undefined, port: undefined, bind: undefined, captureMode: 'DEFAULT' } as const;

type Imported = Pick<EgressScope, 'services' | 'virtualServices'> & {
  /** 0 for a listener without a port, and for a unix socket: these serve all ports. */
  readonly port: number;
};

function importFor({ port, hosts }: EgressListener, { namespace, services, virtualServices }: EgressInputs): Imported {
  const imports = parseImports(hosts, namespace);
  const number = port?.number ?? 0;
  const all = importsEverything(imports);
  const visible = all
    ? services
    : [...selectImports(indexServices(services), imports, describeService)].sort(compareServices);
  const ported = number === 0 ? visible : visible.filter((service) => hasPort(service, number));
  const routes = all ? undefined : selectImports(indexRoutes(virtualServices), imports, describeRoute);
  return {
    port: number,
    services: onePerHost(ported, namespace),
    virtualServices: routes === undefined ? virtualServices : [...routes].sort(compareVirtualServices),
  };
}

const describeService = (service: Service) => ({ namespace: service.namespace, hosts: namesOf(service) });
const describeRoute = ({ object, hosts }: MeshVirtualService) => ({ namespace: object.meta.namespace, hosts });
const indexServices = importIndexer(describeService);
const indexRoutes = importIndexer(describeRoute);

function wantedBy(port: number): WantedPorts {
  return port === 0 ? undefined : new Set([port]);
}

/** Routes may lead to services, or ports of them, that no listener imports. These get clusters, and nothing else. */
function addDestinations(union: ServiceUnion, destinations: readonly Destination[], visible: readonly Service[]): void {
  const imported = union.hostnames();
  for (const { host, port } of destinations) {
    if (imported.has(host) && port?.number === undefined) continue;
    for (const service of indexServices(visible).exact.get(host) ?? []) union.add(service, wantedBy(port?.number ?? 0));
  }
}

/** Services of several listeners: one per host name, with the ports that any of them wants. */
class ServiceUnion {
  readonly #namespace: string;
  readonly #services = new Set<Service>();
  readonly #ports = new Map<string, WantedPorts>();

  constructor(namespace: string) {
    this.#namespace = namespace;
  }

  add(service: Service, ports: WantedPorts): void {
    const { hostname } = service;
    const known = this.#ports.get(hostname);
    this.#services.add(service);
    this.#ports.set(hostname, this.#ports.has(hostname) ? joinPorts(known, ports) : ports);
  }

  hostnames(): ReadonlySet<string> {
    return new Set(this.#ports.keys());
  }

  winners(before: readonly Service[]): ReadonlyMap<string, Service> {
    const known = new Map(before.map((service) => [service.key, service]));
    const services = onePerHost([...this.#services].sort(compareServices), this.#namespace);
    return new Map(
      services.map((service) => {
        const narrow = narrowService(service, this.#ports.get(service.hostname));
        return [service.hostname, narrow === service ? service : keepIfSameValue(known.get(service.key), narrow)];
      }),
    );
  }
}
