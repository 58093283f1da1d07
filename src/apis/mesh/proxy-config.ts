import { z } from 'zod';
import { proxyImageSchema } from '../networking/proxy-config.ts';
import { clientTlsSchema, tcpKeepaliveSchema } from '../networking/traffic-policy.ts';
import { readinessProbeSchema } from '../networking/workload-group.ts';
import { double, duration, flag, int32, int64, protoEnum, text, textList, textMap, uint32 } from '../schema/fields.ts';
import { atMostOne, exactlyOne } from '../schema/oneof.ts';
import type { Completed, Spec } from '../schema/spec.ts';

const traceContext = protoEnum(['UNSPECIFIED', 'W3C_TRACE_CONTEXT', 'GRPC_BIN', 'CLOUD_TRACE_CONTEXT', 'B3']);

export const remoteServiceSchema = z.strictObject({
  address: text.optional(),
  tlsSettings: clientTlsSchema.optional(),
  tcpKeepalive: tcpKeepaliveSchema.optional(),
});

const customTagSchema = exactlyOne(
  z.strictObject({
    literal: z.strictObject({ value: text.optional() }).optional(),
    environment: z.strictObject({ name: text.optional(), defaultValue: text.optional() }).optional(),
    header: z.strictObject({ name: text.optional(), defaultValue: text.optional() }).optional(),
    formatter: z.strictObject({ value: text.optional() }).optional(),
  }),
  ['literal', 'environment', 'header', 'formatter'],
);

export const tracingSchema = atMostOne(
  z.strictObject({
    zipkin: z.strictObject({ address: text.optional() }).optional(),
    lightstep: z
      .strictObject({
        address: text.optional(),
        accessToken: text.optional(),
        secure: flag.optional(),
        cacertPath: text.optional(),
      })
      .optional(),
    datadog: z.strictObject({ address: text.optional() }).optional(),
    stackdriver: z
      .strictObject({
        debug: flag.optional(),
        maxNumberOfAttributes: int64.optional(),
        maxNumberOfAnnotations: int64.optional(),
        maxNumberOfMessageEvents: int64.optional(),
      })
      .optional(),
    openCensusAgent: z.strictObject({ address: text.optional(), context: z.array(traceContext).optional() }).optional(),
    customTags: z.record(z.string(), customTagSchema).optional(),
    maxPathTagLength: uint32.optional(),
    sampling: double.optional(),
    tlsSettings: clientTlsSchema.optional(),
    enableIstioTags: flag.optional(),
  }),
  ['zipkin', 'lightstep', 'datadog', 'stackdriver', 'openCensusAgent'],
);

const forwardClientCert = protoEnum([
  'UNDEFINED',
  'SANITIZE',
  'FORWARD_ONLY',
  'APPEND_FORWARD',
  'SANITIZE_SET',
  'ALWAYS_FORWARD_ONLY',
]);

const disabledSchema = z.strictObject({ disabled: flag.optional() });

export const proxyHeadersSchema = z.strictObject({
  forwardedClientCert: forwardClientCert.optional(),
  setCurrentClientCertDetails: z
    .strictObject({
      subject: flag.optional(),
      cert: flag.optional(),
      chain: flag.optional(),
      dns: flag.optional(),
      uri: flag.optional(),
    })
    .optional(),
  requestId: disabledSchema.optional(),
  server: z.strictObject({ disabled: flag.optional(), value: text.optional() }).optional(),
  attemptCount: disabledSchema.optional(),
  envoyDebugHeaders: disabledSchema.optional(),
  metadataExchangeHeaders: z.strictObject({ mode: protoEnum(['UNDEFINED', 'IN_MESH']).optional() }).optional(),
  preserveHttp1HeaderCase: flag.optional(),
  xForwardedHost: z.strictObject({ enabled: flag.optional() }).optional(),
  xForwardedPort: z.strictObject({ enabled: flag.optional() }).optional(),
});

const pollDelay = { pollDelay: duration.optional(), fallback: flag.optional() };

/** The `defaultConfig` of the mesh, and the `proxy.istio.io/config` annotation of a pod. */
export const meshProxyConfigSchema = atMostOne(
  z.strictObject({
    configPath: text.optional(),
    binaryPath: text.optional(),
    serviceCluster: text.optional(),
    tracingServiceName: protoEnum([
      'APP_LABEL_AND_NAMESPACE',
      'CANONICAL_NAME_ONLY',
      'CANONICAL_NAME_AND_NAMESPACE',
    ]).optional(),
    drainDuration: duration.optional(),
    parentShutdownDuration: duration.optional(),
    terminationDrainDuration: duration.optional(),
    discoveryAddress: text.optional(),
    connectTimeout: duration.optional(),
    statsdUdpAddress: text.optional(),
    proxyAdminPort: int32.optional(),
    statusPort: int32.optional(),
    controlPlaneAuthPolicy: protoEnum(['NONE', 'MUTUAL_TLS', 'INHERIT'], { INHERIT: 1000 }).optional(),
    customConfigFile: text.optional(),
    statNameLength: int32.optional(),
    concurrency: int32.optional(),
    proxyBootstrapTemplatePath: text.optional(),
    interceptionMode: protoEnum(['REDIRECT', 'TPROXY', 'NONE']).optional(),
    tracing: tracingSchema.optional(),
    envoyAccessLogService: remoteServiceSchema.optional(),
    envoyMetricsService: remoteServiceSchema.optional(),
    proxyMetadata: textMap.optional(),
    runtimeValues: textMap.optional(),
    extraStatTags: textList.optional(),
    gatewayTopology: z
      .strictObject({
        numTrustedProxies: uint32.optional(),
        forwardClientCertDetails: forwardClientCert.optional(),
        proxyProtocol: z.strictObject({}).optional(),
      })
      .optional(),
    meshId: text.optional(),
    readinessProbe: readinessProbeSchema.optional(),
    proxyStatsMatcher: z
      .strictObject({
        inclusionPrefixes: textList.optional(),
        inclusionSuffixes: textList.optional(),
        inclusionRegexps: textList.optional(),
      })
      .optional(),
    holdApplicationUntilProxyStarts: flag.optional(),
    caCertificatesPem: textList.optional(),
    image: proxyImageSchema.optional(),
    privateKeyProvider: atMostOne(
      z.strictObject({
        cryptomb: z.strictObject(pollDelay).optional(),
        qat: z.strictObject(pollDelay).optional(),
      }),
      ['cryptomb', 'qat'],
    ).optional(),
    proxyHeaders: proxyHeadersSchema.optional(),
    fileFlushInterval: duration.optional(),
    fileFlushMinSizeKb: uint32.optional(),
    statsCompression: flag.optional(),
    statsEvictionInterval: duration.optional(),
    sds: z.strictObject({ enabled: flag.optional(), k8sSaJwtPath: text.optional() }).optional(),
    zipkinAddress: text.optional(),
    discoveryRefreshDelay: duration.optional(),
    availabilityZone: text.optional(),
    envoyMetricsServiceAddress: text.optional(),
  }),
  ['serviceCluster', 'tracingServiceName'],
);

export type MeshProxyConfigSpec = Spec<typeof meshProxyConfigSchema>;
export type Tracing = Spec<typeof tracingSchema>;
export type ProxyHeaders = Spec<typeof proxyHeadersSchema>;
export type RemoteService = Spec<typeof remoteServiceSchema>;

/** `defaultConfig` once the defaults are in. */
export type MeshProxyConfig = Completed<
  MeshProxyConfigSpec,
  | 'binaryPath'
  | 'concurrency'
  | 'configPath'
  | 'controlPlaneAuthPolicy'
  | 'discoveryAddress'
  | 'drainDuration'
  | 'interceptionMode'
  | 'parentShutdownDuration'
  | 'proxyAdminPort'
  | 'statNameLength'
  | 'statusPort'
  | 'terminationDrainDuration'
>;
