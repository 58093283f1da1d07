import type { GatewayServer } from '../../apis/networking/networking.ts';
import type { MeshDestinationRule, MeshVirtualService } from '../../model/mesh-snapshot.ts';
import type { ConfigObject } from '../../model/object.ts';
import type { Proxy } from '../../model/proxy.ts';
import type { Service, ServicePort } from '../../model/service.ts';

/** One port of one service, with the rule that applies to it where the client lives. Kept identical while neither moves. */
export type ServiceAtPort = {
  readonly service: Service;
  readonly port: ServicePort;
  readonly rule: MeshDestinationRule | undefined;
};

/**
 * What translation reads of a proxy, reduced so that equal proxies share one record (and so all they are sent).
 * `labels` holds only the labels that a rule in scope asks for.
 */
export type ProxyTraits = {
  readonly kind: Proxy['kind'];
  readonly namespace: string;
  readonly dnsDomain: string;
  readonly interception: Proxy['interception'];
  readonly dnsCapture: boolean;
  readonly http10: boolean;
  /** The folder with its certificates; empty where it has none, and so speaks no mutual TLS. */
  readonly identityFolder: string;
  /** Whether it has proven who it is: only then it may be sent keys. */
  readonly isProven: boolean;
  /** For how long a connection may be idle; empty where the proxy does not say. */
  readonly idleTimeout: string;
  readonly labels: Readonly<Record<string, string>>;
};

/** What an RDS name of a sidecar must hold. */
export type DialledPods = { readonly at: ServiceAtPort; readonly addresses: readonly string[] };

export type RoutePlan = {
  /** `9080`, `reviews.default.svc.cluster.local:9080` (sniffed), `http_proxy` or `unix:///path`. */
  readonly name: string;
  /** The listener's port, for `match.port`; undefined where the listener serves many (http_proxy, unix). */
  readonly port: number | undefined;
  readonly members: readonly ServiceAtPort[];
  readonly virtualServices: readonly MeshVirtualService[];
  /** The pods of its headless members, which clients name by their addresses, too. */
  readonly dialled: readonly DialledPods[];
  /** A sniffed route serves one host and has no catch-all. */
  readonly sniffed: boolean;
};

/** One `servers[]` entry of a Gateway after merging by port. */
export type GatewayServerPlan = {
  readonly gateway: ConfigObject<'Gateway'>;
  readonly index: number;
  readonly server: GatewayServer;
  /** `namespace` undefined = any namespace may bind. */
  readonly hosts: readonly { readonly namespace: string | undefined; readonly host: string }[];
};

/** What an RDS name of a gateway must hold: `http.8080`, `https.443.https.name.namespace`. */
export type GatewayRoutePlan = {
  readonly name: string;
  /** The server's port number in the Gateway object, for `match.port`. */
  readonly port: number;
  readonly servers: readonly GatewayServerPlan[];
};
