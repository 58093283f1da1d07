import type { EgressListener, SidecarSpec } from '../../apis/networking/networking.ts';
import type { ServiceKey } from '../../model/ids.ts';
import type { MeshDestinationRule, MeshVirtualService, Traced } from '../../model/mesh-snapshot.ts';
import type { ConfigObject } from '../../model/object.ts';
import type { Service } from '../../model/service.ts';

/** What one egress listener of a Sidecar imports; in the default scope, everything that is visible. */
export type EgressScope = {
  /** Undefined in the default scope. */
  readonly listener: Traced<EgressListener> | undefined;
  readonly port: EgressListener['port'];
  readonly bind: string | undefined;
  readonly captureMode: NonNullable<EgressListener['captureMode']>;
  /** Oldest first, each host name once. With a port, only services that have it. */
  readonly services: readonly Service[];
  /** Those bound to `mesh`, in the order of the snapshot. */
  readonly virtualServices: readonly MeshVirtualService[];
};

export type OutboundPolicy = {
  readonly mode: 'ALLOW_ANY' | 'REGISTRY_ONLY';
  readonly egressProxy: NonNullable<SidecarSpec['outboundTrafficPolicy']>['egressProxy'];
};

/**
 * What the workloads of one namespace see, all of them or those that a Sidecar selects. Proxies share it, and it is the same
 * object for as long as nothing in it changes, whatever else does.
 */
export type SidecarScope = {
  readonly namespace: string;
  /** Undefined in the default scope. */
  readonly sidecar: ConfigObject<'Sidecar'> | undefined;
  readonly egress: readonly EgressScope[];
  readonly ingress: SidecarSpec['ingress'];
  readonly outboundTrafficPolicy: OutboundPolicy;
  /**
   * What any listener imports, and what its routes lead to; oldest first, each host name once. A service of which only some
   * ports are imported is here with these ports.
   */
  readonly services: readonly Service[];
  /** The rule for each service that has one. */
  readonly destinationRules: ReadonlyMap<ServiceKey, MeshDestinationRule>;
  /** Rules for chosen workloads, which go before the rule above; the first whose selector fits decides. Rarely any. */
  readonly workloadRules: ReadonlyMap<ServiceKey, readonly MeshDestinationRule[]>;
};

/** A host of a Gateway's server and the namespace whose VirtualServices may use it; undefined is any. */
export type GatewayHost = { readonly namespace: string | undefined; readonly host: string };

export type ScopedGateway = {
  readonly object: ConfigObject<'Gateway'>;
  /** For each server its hosts, in order. */
  readonly hosts: readonly (readonly GatewayHost[])[];
  /** Those bound to this gateway and visible to the proxy, in the order of the snapshot. */
  readonly virtualServices: readonly MeshVirtualService[];
};

/** What the gateway pods of one namespace with equal labels see. */
export type GatewayScope = {
  /** The default scope: a Sidecar says nothing about gateways. */
  readonly scope: SidecarScope;
  /** The Gateways that select the pods, oldest first. */
  readonly gateways: readonly ScopedGateway[];
};
