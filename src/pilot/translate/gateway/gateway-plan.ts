import type { Diagnostic } from '../../../model/diagnostic.ts';
import type { ConfigObject } from '../../../model/object.ts';
import type { Protocol, ServiceTarget } from '../../../model/service.ts';
import type { GatewayRoutePlan, GatewayServerPlan } from '../plan.ts';
import type { ServerCertificates } from './read-tls.ts';

export type GatewayPlanInputs = {
  /** Those that select the workload, oldest first. */
  readonly gateways: readonly ConfigObject<'Gateway'>[];
  /** Where Services lead on the workload: a Gateway's port is a Service's, the proxy listens on its target. */
  readonly targets: readonly ServiceTarget[];
};

export type GatewayPlan = {
  readonly ports: readonly GatewayPortPlan[];
  readonly routes: readonly GatewayRoutePlan[];
  readonly diagnostics: readonly Diagnostic[];
};

/** One real socket of a gateway. */
export type GatewayPortPlan = {
  /** `0.0.0.0_8080`. */
  readonly name: string;
  readonly address: string;
  readonly port: number;
  /** Servers in the clear share one connection manager; the RDS name of it. */
  readonly http: { readonly route: string; readonly servers: readonly GatewayServerPlan[] } | undefined;
  /** Servers that take connections, each its own; earlier ones win. */
  readonly connections: readonly GatewayConnectionPlan[];
};

export type GatewayConnectionPlan = {
  readonly server: GatewayServerPlan;
  readonly protocol: Protocol;
  /** Which TLS server names it takes; empty = all. For TCP there are none. */
  readonly serverNames: readonly string[];
  readonly serves: GatewayService;
};

export type GatewayService =
  /** TLS ends here, HTTP inside. */
  | { readonly kind: 'https'; readonly route: string; readonly certificates: ServerCertificates }
  /** TLS ends here, anything inside. */
  | { readonly kind: 'tls'; readonly certificates: ServerCertificates }
  /** TLS goes on, by its server name: where VirtualServices lead it, or (`auto`) to the service that the name itself says. */
  | { readonly kind: 'passthrough' | 'auto-passthrough' }
  | { readonly kind: 'tcp' };
