import type { MeshConfig } from './mesh-config.ts';

/**
 * The mesh when nobody configures it. Istio 1.4's binary defaults, and today's Istio's where the two differ in what is
 * safe: connect timeout 10s (not 1s), protocol detection without a timeout (not 100ms), automatic mTLS on, DNS refresh 60s
 * (not 5s), locality failover where outlier detection is on, xDS over mTLS, and no access log unless one is named.
 */
export const defaultMeshConfig: MeshConfig = {
  accessLogEncoding: 'TEXT',
  accessLogFile: '',
  accessLogFormat: '',
  connectTimeout: '10s',
  defaultConfig: {
    binaryPath: '/usr/local/bin/envoy',
    concurrency: 0,
    configPath: '/etc/istio/proxy',
    controlPlaneAuthPolicy: 'MUTUAL_TLS',
    discoveryAddress: 'istiod.istio-system.svc:15012',
    drainDuration: '45s',
    interceptionMode: 'REDIRECT',
    parentShutdownDuration: '60s',
    proxyAdminPort: 15_000,
    serviceCluster: 'istio-proxy',
    statNameLength: 189,
    statusPort: 15_020,
    terminationDrainDuration: '5s',
  },
  defaultDestinationRuleExportTo: ['*'],
  defaultServiceExportTo: ['*'],
  defaultVirtualServiceExportTo: ['*'],
  disablePolicyChecks: true,
  dnsRefreshRate: '60s',
  enableAutoMtls: true,
  enableEnvoyAccessLogService: false,
  enableTracing: true,
  h2UpgradePolicy: 'DO_NOT_UPGRADE',
  ingressControllerMode: 'OFF',
  ingressService: 'istio-ingressgateway',
  localityLbSetting: { enabled: true },
  mixerCheckServer: '',
  mixerReportServer: '',
  outboundTrafficPolicy: { mode: 'ALLOW_ANY' },
  policyCheckFailOpen: false,
  protocolDetectionTimeout: '0s',
  proxyHttpPort: 0,
  proxyInboundListenPort: 15_006,
  proxyListenPort: 15_001,
  rootNamespace: 'istio-system',
  trustDomain: 'cluster.local',
  trustDomainAliases: [],
};
