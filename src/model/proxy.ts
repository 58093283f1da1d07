import type { Identity } from './identity.ts';
import type { Locality } from './service.ts';

/** An Envoy (or a proxyless gRPC client) as its node message describes it. */
export type Proxy = {
  /** `type~ip~name.namespace~domain`. */
  readonly id: string;
  readonly kind: 'sidecar' | 'router' | 'proxyless';
  readonly addresses: readonly string[];
  /** `name.namespace` as in the id; the pod's name. */
  readonly name: string;
  readonly namespace: string;
  /** Such as `default.svc.cluster.local`. */
  readonly dnsDomain: string;
  readonly labels: Readonly<Record<string, string>>;
  readonly serviceAccount: string;
  readonly locality: Locality | undefined;
  readonly network: string;
  readonly clusterId: string;
  readonly interception: 'REDIRECT' | 'TPROXY' | 'NONE';
  /** Whether its DNS queries reach Envoy's DNS filter on port 15053. */
  readonly dnsCapture: boolean;
  readonly http10: boolean;
  /** The folder with its certificates, as its own Envoy sees it; empty for a proxy that has none. */
  readonly identityFolder: string;
  /** Who it has proven to be; undefined where nobody asked (plaintext, or a proxy that is not connected). */
  readonly identity: Identity | undefined;
  readonly metadata: Readonly<Record<string, unknown>>;
};
