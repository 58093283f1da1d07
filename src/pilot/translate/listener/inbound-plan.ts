import type { IngressListener } from '../../../apis/networking/networking.ts';
import { parseProtocol } from '../../../apis/protocol.ts';
import type { Diagnostic } from '../../../model/diagnostic.ts';
import { type ClusterName, inboundClusterName } from '../../../model/ids.ts';
import type { Traced } from '../../../model/mesh-snapshot.ts';
import type { Protocol, ServiceTarget } from '../../../model/service.ts';
import type { Origin } from '../../../xds/resource.ts';
import { originOf } from '../built.ts';
import type { ProxyTraits, ServiceAtPort } from '../plan.ts';
import { diagnoseListener } from './codes.ts';
import { portOrigin } from './origins.ts';
import { listenProtocol, ownPorts } from './ports.ts';

export type InboundPlanInputs = {
  /** What the workload serves; services oldest first. */
  readonly targets: readonly ServiceTarget[];
  /** A Sidecar's ingress listeners: where there are any, services decide nothing. */
  readonly ingress: readonly Traced<IngressListener>[];
  readonly interception: ProxyTraits['interception'];
};

export type InboundPlan = {
  /** Ports that are captured and so reach the proxy by `virtualInbound`. */
  readonly captured: readonly InboundPort[];
  /** Ports with a socket of their own. */
  readonly sockets: readonly InboundSocket[];
  readonly diagnostics: readonly Diagnostic[];
};

/** A port of the workload. It holds nothing of the workload itself, so equal replicas share what is built from it. */
export type InboundPort = {
  readonly port: number;
  readonly protocol: Protocol;
  readonly cluster: ClusterName;
  /** The service that decides how the port is served; none for a Sidecar's ingress listener. */
  readonly member: ServiceAtPort | undefined;
  readonly origins: readonly Origin[];
};

export type InboundSocket = InboundPort & { readonly address: string };

export function planInbound({ targets, ingress, interception }: InboundPlanInputs): InboundPlan {
  if (ingress.length > 0) return planIngress(ingress, interception);
  if (interception === 'NONE') return { captured: [], sockets: [], diagnostics: [] };
  return planTargets(targets);
}

/** Several services may lead to one port: they share its chain, and the oldest decides how it is served. */
function planTargets(targets: readonly ServiceTarget[]): InboundPlan {
  const byPort = new Map<number, readonly ServiceTarget[]>();
  for (const target of targets) {
    if (target.port.protocol === 'UDP' || target.targetPort <= 0) continue;
    byPort.set(target.targetPort, [...(byPort.get(target.targetPort) ?? []), target]);
  }
  const groups = [...byPort].sort(([a], [b]) => a - b);
  return {
    captured: groups.flatMap(([port, group]) => planGroup(port, group)),
    sockets: [],
    diagnostics: [],
  };
}

function planGroup(port: number, group: readonly ServiceTarget[]): readonly InboundPort[] {
  const [first, ...others] = group.map(memberOf);
  if (first === undefined) return [];
  return [
    {
      port,
      protocol: listenProtocol(first.port),
      cluster: inboundClusterName(port),
      member: first,
      origins: [first, ...others].map(portOrigin),
    },
  ];
}

/** The rules for a service are for its clients. */
function memberOf({ service, port }: ServiceTarget): ServiceAtPort {
  return { service, port, rule: undefined };
}

function planIngress(
  ingress: readonly Traced<IngressListener>[],
  interception: ProxyTraits['interception'],
): InboundPlan {
  const captured: InboundPort[] = [];
  const sockets: InboundSocket[] = [];
  const diagnostics: Diagnostic[] = [];
  for (const listener of ingress) {
    const port = readIngress(listener);
    const isSocket = interception === 'NONE' || listener.spec.captureMode === 'NONE';
    const problem = ingressProblem(listener, isSocket);
    if (problem !== undefined) diagnostics.push(diagnoseListener('warning', 'XEB2305', listener, problem));
    else if (isSocket) sockets.push({ ...port, address: bindOf(listener) });
    else captured.push(port);
  }
  return { captured, sockets, diagnostics };
}

function readIngress({ spec, object, path }: Traced<IngressListener>): InboundPort {
  const port = spec.port.number ?? 0;
  return {
    port,
    protocol: parseProtocol(spec.port.protocol) ?? 'auto',
    cluster: inboundClusterName(port),
    member: undefined,
    origins: [originOf(object, path)],
  };
}

function ingressProblem({ spec }: Traced<IngressListener>, isSocket: boolean): string | undefined {
  const port = spec.port.number ?? 0;
  if (spec.tls !== undefined) return `TLS at the Sidecar's port ${port} is not served yet`;
  if (parseProtocol(spec.port.protocol) === 'UDP') return `port ${port} is UDP, which a sidecar does not serve`;
  if (!isSocket) return undefined;
  if (ownPorts.includes(port)) return `port ${port} belongs to the proxy itself`;
  // Without capture the connection's destination is the proxy, so only a place of its own can be passed on to.
  const isElsewhere = /^(?::|127\.|\[::1\]|unix:)/.test(spec.defaultEndpoint ?? '');
  return isElsewhere ? undefined : `port ${port} is not captured, so it needs a defaultEndpoint such as 127.0.0.1:8080`;
}

function bindOf({ spec }: Traced<IngressListener>): string {
  return spec.bind === undefined || spec.bind === '' ? '0.0.0.0' : spec.bind;
}
