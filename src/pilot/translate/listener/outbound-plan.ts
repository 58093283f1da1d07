import type { EgressListener } from '../../../apis/networking/networking.ts';
import type { Diagnostic } from '../../../model/diagnostic.ts';
import type { ServiceKey } from '../../../model/ids.ts';
import type { MeshVirtualService, Traced } from '../../../model/mesh-snapshot.ts';
import type { ProxyTraits, RoutePlan, ServiceAtPort } from '../plan.ts';

/** One egress listener of a Sidecar with what it imports, or the default scope. */
export type OutboundEgress = {
  readonly listener: Traced<EgressListener> | undefined;
  /** Every port of every imported service, services oldest first. */
  readonly members: readonly ServiceAtPort[];
  /** Those bound to `mesh`, oldest first. */
  readonly virtualServices: readonly MeshVirtualService[];
};

/** The pods behind one port of a headless service. */
export type HeadlessPort = {
  readonly service: ServiceKey;
  readonly port: number;
  readonly addresses: readonly string[];
};

export type OutboundPlanInputs = {
  readonly egress: readonly OutboundEgress[];
  /** In a fixed order. */
  readonly headless: readonly HeadlessPort[];
  readonly traits: ProxyTraits;
  /** `ListenerSettings.httpProxyPort`. */
  readonly httpProxyPort: number;
};

export type OutboundPlan = {
  readonly listeners: readonly OutboundListenerPlan[];
  readonly routes: readonly RoutePlan[];
  readonly diagnostics: readonly Diagnostic[];
};

export type OutboundListenerPlan = {
  readonly name: string;
  /** An IP, or `unix:///path`. */
  readonly address: string;
  /** 0 for a unix socket. */
  readonly port: number;
  /** A real socket, for clients that are not captured. */
  readonly bindToPort: boolean;
  /** The RDS name, if some of what arrives is HTTP. */
  readonly route: string | undefined;
  /** The services whose HTTP the listener is there for. */
  readonly http: readonly ServiceAtPort[];
  /** What is told apart by address, server name or protocol; earlier members win. */
  readonly l4: readonly L4Member[];
  readonly egress: Traced<EgressListener> | undefined;
};

/** One port of a service on a listener that looks at connections, not requests. */
export type L4Member = {
  readonly at: ServiceAtPort;
  /** Blocks of addresses it is dialled at; empty where the listener's own address says enough. */
  readonly subnets: readonly string[];
  /** Others share its address, so only the server name of TLS tells it from them. */
  readonly bySni: boolean;
  /** Nobody said what it speaks: the RDS name for its HTTP. */
  readonly sniffed: string | undefined;
  /** Those with TLS or TCP routes for its host. */
  readonly virtualServices: readonly MeshVirtualService[];
  /** What these may lead to, as far as it is in scope. */
  readonly destinations: readonly ServiceAtPort[];
};

export const WILDCARD_ADDRESS = '0.0.0.0';
