import type { MeshConfig } from '../../../apis/mesh/mesh-config.ts';
import type { ProxyHeaders } from '../../../apis/mesh/proxy-config.ts';
import type { AccessLog, Duration } from '../../../gen/types.ts';
import { type MutualTlsSettings, mutualTlsSettings } from '../peer/settings.ts';
import { duration, durationOf, millisOf } from '../protobuf.ts';
import { buildAccessLog, buildListenerAccessLog } from './access-log.ts';

export type PathNormalization = 'NONE' | 'BASE' | 'MERGE_SLASHES' | 'DECODE_AND_MERGE_SLASHES';

/** What all listeners of a proxy read of the mesh configuration. Made once per configuration and shared, so that it is one memo key. */
export type ListenerSettings = {
  readonly accessLog: readonly AccessLog[];
  readonly listenerAccessLog: readonly AccessLog[];
  /** For how long a connection may be idle. Proxies may say so themselves; Envoy's own default is an hour. */
  readonly idleTimeout: Duration | undefined;
  /** How long a listener waits for a client's first bytes where they say what protocol it speaks. */
  readonly detectionTimeout: Duration;
  readonly outboundPort: number;
  readonly inboundPort: number;
  /** 0 = no HTTP proxy listener, except where there is no interception. */
  readonly httpProxyPort: number;
  readonly pathNormalization: PathNormalization;
  readonly proxyHeaders: ProxyHeaders;
  readonly gatewayTopology: NonNullable<MeshConfig['defaultConfig']['gatewayTopology']>;
  readonly mutualTls: MutualTlsSettings;
};

/**
 * Istio's default is to wait for ever, which hangs a client whose server speaks first; 1.4's was 100 ms, which sends slow
 * clients down the wrong chain. Where the mesh says nothing (or 0), five seconds are neither.
 */
const DEFAULT_DETECTION_MILLIS = 5000;

export function readListenerSettings(mesh: MeshConfig, idleTimeout?: string): ListenerSettings {
  const accessLog = buildAccessLog(mesh);
  const detection = millisOf(mesh.protocolDetectionTimeout) ?? 0;
  const normalization = mesh.pathNormalization?.normalization ?? 'DEFAULT';
  return {
    accessLog,
    listenerAccessLog: mesh.disableEnvoyListenerLog === true ? [] : buildListenerAccessLog(accessLog),
    idleTimeout: durationOf(idleTimeout),
    detectionTimeout: duration(detection > 0 ? detection : DEFAULT_DETECTION_MILLIS),
    outboundPort: mesh.proxyListenPort,
    inboundPort: mesh.proxyInboundListenPort,
    httpProxyPort: mesh.proxyHttpPort,
    pathNormalization: normalization === 'DEFAULT' ? 'BASE' : normalization,
    proxyHeaders: mesh.defaultConfig.proxyHeaders ?? {},
    gatewayTopology: mesh.defaultConfig.gatewayTopology ?? {},
    mutualTls: mutualTlsSettings(mesh),
  };
}
