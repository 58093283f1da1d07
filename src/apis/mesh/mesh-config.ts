import { z } from 'zod';
import { httpRetrySchema } from '../networking/http-route.ts';
import { clientTlsSchema, localityLbSettingSchema, tcpKeepaliveSchema } from '../networking/traffic-policy.ts';
import { duration, flag, int32, protoEnum, text, textList, textMap, uint32 } from '../schema/fields.ts';
import { atMostOne } from '../schema/oneof.ts';
import type { Completed, Spec } from '../schema/spec.ts';
import { extensionProviderSchema } from './extension-provider.ts';
import { type MeshProxyConfig, meshProxyConfigSchema } from './proxy-config.ts';

const configSourceSchema = z.strictObject({
  address: text.optional(),
  tlsSettings: clientTlsSchema.optional(),
  subscribedResources: z.array(protoEnum(['SERVICE_REGISTRY'])).optional(),
});

const certificateDataSchema = atMostOne(
  z.strictObject({
    pem: text.optional(),
    spiffeBundleUrl: text.optional(),
    certSigners: textList.optional(),
    trustDomains: textList.optional(),
  }),
  ['pem', 'spiffeBundleUrl'],
);

export const labelSelectorSchema = z.strictObject({
  matchLabels: textMap.optional(),
  matchExpressions: z.array(z.strictObject({ key: text, operator: text, values: textList.optional() })).optional(),
});

const tlsConfigSchema = z.strictObject({
  minProtocolVersion: protoEnum(['TLS_AUTO', 'TLSV1_2', 'TLSV1_3']).optional(),
  ecdhCurves: textList.optional(),
  cipherSuites: textList.optional(),
});

/** Fields that Istio 1.4 had and today's Istio has not. */
const classic = {
  mixerCheckServer: text.optional(),
  mixerReportServer: text.optional(),
  disablePolicyChecks: flag.optional(),
  policyCheckFailOpen: flag.optional(),
  disableMixerHttpReports: flag.optional(),
  enableClientSidePolicyCheck: flag.optional(),
  sidecarToTelemetrySessionAffinity: flag.optional(),
  disableReportBatch: flag.optional(),
  reportBatchMaxEntries: uint32.optional(),
  reportBatchMaxTime: duration.optional(),
  sdsUdsPath: text.optional(),
  enableSdsTokenMount: flag.optional(),
  sdsUseK8sSaJwt: flag.optional(),
  sdsRefreshDelay: duration.optional(),
  rdsRefreshDelay: duration.optional(),
  authPolicy: protoEnum(['NONE', 'MUTUAL_TLS']).optional(),
  mixerAddress: text.optional(),
};

export const meshConfigSchema = z.strictObject({
  ...classic,
  proxyListenPort: int32.optional(),
  proxyInboundListenPort: int32.optional(),
  proxyHttpPort: int32.optional(),
  connectTimeout: duration.optional(),
  protocolDetectionTimeout: duration.optional(),
  tcpKeepalive: tcpKeepaliveSchema.optional(),
  ingressClass: text.optional(),
  ingressService: text.optional(),
  ingressControllerMode: protoEnum(['UNSPECIFIED', 'OFF', 'DEFAULT', 'STRICT']).optional(),
  ingressSelector: text.optional(),
  enableTracing: flag.optional(),
  accessLogFile: text.optional(),
  accessLogFormat: text.optional(),
  accessLogEncoding: protoEnum(['TEXT', 'JSON']).optional(),
  enableEnvoyAccessLogService: flag.optional(),
  disableEnvoyListenerLog: flag.optional(),
  defaultConfig: meshProxyConfigSchema.optional(),
  outboundTrafficPolicy: z.strictObject({ mode: protoEnum(['REGISTRY_ONLY', 'ALLOW_ANY']).optional() }).optional(),
  inboundTrafficPolicy: z.strictObject({ mode: protoEnum(['PASSTHROUGH', 'LOCALHOST']).optional() }).optional(),
  configSources: z.array(configSourceSchema).optional(),
  enableAutoMtls: flag.optional(),
  trustDomain: text.optional(),
  trustDomainAliases: textList.optional(),
  caCertificates: z.array(certificateDataSchema).optional(),
  defaultServiceExportTo: textList.optional(),
  defaultVirtualServiceExportTo: textList.optional(),
  defaultDestinationRuleExportTo: textList.optional(),
  rootNamespace: text.optional(),
  localityLbSetting: localityLbSettingSchema.optional(),
  dnsRefreshRate: duration.optional(),
  h2UpgradePolicy: protoEnum(['DO_NOT_UPGRADE', 'UPGRADE']).optional(),
  inboundClusterStatName: text.optional(),
  outboundClusterStatName: text.optional(),
  certificates: z.array(z.strictObject({ secretName: text.optional(), dnsNames: textList.optional() })).optional(),
  serviceSettings: z
    .array(
      z.strictObject({
        settings: z.strictObject({ clusterLocal: flag.optional() }).optional(),
        hosts: textList.optional(),
      }),
    )
    .optional(),
  serviceScopeConfigs: z
    .array(
      z.strictObject({
        servicesSelector: labelSelectorSchema.optional(),
        namespaceSelector: labelSelectorSchema.optional(),
        scope: protoEnum(['LOCAL', 'GLOBAL']).optional(),
      }),
    )
    .optional(),
  enablePrometheusMerge: flag.optional(),
  verifyCertificateAtClient: flag.optional(),
  ca: z
    .strictObject({
      address: text.optional(),
      tlsSettings: clientTlsSchema.optional(),
      requestTimeout: duration.optional(),
      istiodSide: flag.optional(),
    })
    .optional(),
  extensionProviders: z.array(extensionProviderSchema).optional(),
  defaultProviders: z
    .strictObject({
      tracing: textList.optional(),
      metrics: textList.optional(),
      accessLogging: textList.optional(),
    })
    .optional(),
  discoverySelectors: z.array(labelSelectorSchema).optional(),
  pathNormalization: z
    .strictObject({
      normalization: protoEnum(['DEFAULT', 'NONE', 'BASE', 'MERGE_SLASHES', 'DECODE_AND_MERGE_SLASHES']).optional(),
    })
    .optional(),
  defaultHttpRetryPolicy: httpRetrySchema.optional(),
  meshMTLS: tlsConfigSchema.optional(),
  tlsDefaults: tlsConfigSchema.optional(),
});

/** What a mesh configuration may say. `parseMeshConfig` completes it to a `MeshConfig`. */
export type MeshConfigSpec = Spec<typeof meshConfigSchema>;
export type LabelSelector = Spec<typeof labelSelectorSchema>;
export type MeshTlsConfig = Spec<typeof tlsConfigSchema>;

/** A mesh configuration once the defaults are in. */
export type MeshConfig = Completed<
  Omit<MeshConfigSpec, 'defaultConfig' | 'outboundTrafficPolicy'>,
  | 'accessLogEncoding'
  | 'accessLogFile'
  | 'accessLogFormat'
  | 'connectTimeout'
  | 'defaultDestinationRuleExportTo'
  | 'defaultServiceExportTo'
  | 'defaultVirtualServiceExportTo'
  | 'disablePolicyChecks'
  | 'dnsRefreshRate'
  | 'enableAutoMtls'
  | 'enableEnvoyAccessLogService'
  | 'enableTracing'
  | 'h2UpgradePolicy'
  | 'ingressControllerMode'
  | 'ingressService'
  | 'mixerCheckServer'
  | 'mixerReportServer'
  | 'policyCheckFailOpen'
  | 'protocolDetectionTimeout'
  | 'proxyHttpPort'
  | 'proxyInboundListenPort'
  | 'proxyListenPort'
  | 'rootNamespace'
  | 'trustDomain'
  | 'trustDomainAliases'
> & {
  readonly defaultConfig: MeshProxyConfig;
  readonly outboundTrafficPolicy: { readonly mode: OutboundMode };
};

type OutboundMode = NonNullable<NonNullable<MeshConfigSpec['outboundTrafficPolicy']>['mode']>;
