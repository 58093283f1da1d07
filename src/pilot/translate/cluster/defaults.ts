import type { MeshConfig } from '../../../apis/mesh/mesh-config.ts';
import type { LocalityLbSetting, TcpKeepalive } from '../../../apis/networking/networking.ts';
import { memoByIdentity } from '../../../kit/memo.ts';
import { type MutualTlsSettings, mutualTlsSettings } from '../peer/settings.ts';
import { millisOf } from '../protobuf.ts';

/** What clusters and their endpoints read of the mesh configuration. */
export type ClusterDefaults = {
  readonly connectTimeoutMs: number;
  readonly tcpKeepalive: TcpKeepalive | undefined;
  readonly dnsRefreshMs: number;
  /** Whether HTTP/1.1 is sent as HTTP/2 between proxies. */
  readonly upgradeHttp: boolean;
  readonly localityLb: LocalityLbSetting | undefined;
  /** Whether servers are verified with the machine's roots when a policy names no CA. */
  readonly verifyServers: boolean;
  /** Whether mutual TLS is used with all endpoints that take it, where no policy says otherwise. */
  readonly autoMutualTls: boolean;
  readonly mutualTls: MutualTlsSettings;
  /** Patterns of the names clusters have in statistics; empty for the cluster's own name. */
  readonly outboundStatName: string;
  readonly inboundStatName: string;
  /** Whether applications are called on loopback, as before Istio 1.10, rather than at the address that was dialled. */
  readonly inboundToLoopback: boolean;
};

export const clusterDefaults = memoByIdentity((mesh: MeshConfig): ClusterDefaults => {
  return {
    connectTimeoutMs: millisOf(mesh.connectTimeout) ?? 10_000,
    tcpKeepalive: mesh.tcpKeepalive,
    dnsRefreshMs: Math.max(1, millisOf(mesh.dnsRefreshRate) ?? 60_000),
    upgradeHttp: mesh.h2UpgradePolicy === 'UPGRADE',
    localityLb: mesh.localityLbSetting,
    verifyServers: mesh.verifyCertificateAtClient !== false,
    autoMutualTls: mesh.enableAutoMtls !== false,
    mutualTls: mutualTlsSettings(mesh),
    outboundStatName: mesh.outboundClusterStatName ?? '',
    inboundStatName: mesh.inboundClusterStatName ?? '',
    inboundToLoopback: mesh.inboundTrafficPolicy?.mode === 'LOCALHOST',
  };
});
