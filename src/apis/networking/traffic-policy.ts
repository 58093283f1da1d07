import { z } from 'zod';
import { double, duration, flag, int32, protoEnum, text, textList, uint32, uint64 } from '../schema/fields.ts';
import { atMostOne } from '../schema/oneof.ts';
import { portSelectorSchema } from './shared.ts';

export const localityLbSettingSchema = z.strictObject({
  distribute: z
    .array(z.strictObject({ from: text.optional(), to: z.record(z.string(), uint32).optional() }))
    .optional(),
  failover: z.array(z.strictObject({ from: text.optional(), to: text.optional() })).optional(),
  failoverPriority: textList.optional(),
  enabled: flag.optional(),
});

export const consistentHashSchema = atMostOne(
  atMostOne(
    z.strictObject({
      httpHeaderName: text.optional(),
      httpCookie: z
        .strictObject({
          name: text.optional(),
          path: text.optional(),
          ttl: duration.optional(),
          attributes: z.array(z.strictObject({ name: text.optional(), value: text.optional() })).optional(),
        })
        .optional(),
      useSourceIp: flag.optional(),
      httpQueryParameterName: text.optional(),
      ringHash: z.strictObject({ minimumRingSize: uint64.optional() }).optional(),
      maglev: z.strictObject({ tableSize: uint64.optional() }).optional(),
      minimumRingSize: uint64.optional(),
    }),
    ['httpHeaderName', 'httpCookie', 'useSourceIp', 'httpQueryParameterName'],
  ),
  ['ringHash', 'maglev'],
);

export const loadBalancerSchema = atMostOne(
  z.strictObject({
    simple: protoEnum([
      'UNSPECIFIED',
      'LEAST_CONN',
      'RANDOM',
      'PASSTHROUGH',
      'ROUND_ROBIN',
      'LEAST_REQUEST',
    ]).optional(),
    consistentHash: consistentHashSchema.optional(),
    localityLbSetting: localityLbSettingSchema.optional(),
    warmupDurationSecs: duration.optional(),
    warmup: z
      .strictObject({
        duration: duration.optional(),
        minimumPercent: double.optional(),
        aggression: double.optional(),
      })
      .optional(),
  }),
  ['simple', 'consistentHash'],
);

export const tcpKeepaliveSchema = z.strictObject({
  probes: uint32.optional(),
  time: duration.optional(),
  interval: duration.optional(),
});

export const connectionPoolSchema = z.strictObject({
  tcp: z
    .strictObject({
      maxConnections: int32.optional(),
      connectTimeout: duration.optional(),
      tcpKeepalive: tcpKeepaliveSchema.optional(),
      maxConnectionDuration: duration.optional(),
      idleTimeout: duration.optional(),
    })
    .optional(),
  http: z
    .strictObject({
      http1MaxPendingRequests: int32.optional(),
      http2MaxRequests: int32.optional(),
      maxRequestsPerConnection: int32.optional(),
      maxRetries: int32.optional(),
      idleTimeout: duration.optional(),
      h2UpgradePolicy: protoEnum(['DEFAULT', 'DO_NOT_UPGRADE', 'UPGRADE']).optional(),
      useClientProtocol: flag.optional(),
      maxConcurrentStreams: int32.optional(),
    })
    .optional(),
});

export const outlierDetectionSchema = z.strictObject({
  consecutiveErrors: int32.optional(),
  splitExternalLocalOriginErrors: flag.optional(),
  consecutiveLocalOriginFailures: uint32.optional(),
  consecutiveGatewayErrors: uint32.optional(),
  consecutive5xxErrors: uint32.optional(),
  interval: duration.optional(),
  baseEjectionTime: duration.optional(),
  maxEjectionPercent: int32.optional(),
  minHealthPercent: int32.optional(),
});

export const clientTlsSchema = z.strictObject({
  mode: protoEnum(['DISABLE', 'SIMPLE', 'MUTUAL', 'ISTIO_MUTUAL']).optional(),
  clientCertificate: text.optional(),
  privateKey: text.optional(),
  caCertificates: text.optional(),
  caCrl: text.optional(),
  credentialName: text.optional(),
  subjectAltNames: textList.optional(),
  sni: text.optional(),
  insecureSkipVerify: flag.optional(),
});

const commonPolicy = {
  loadBalancer: loadBalancerSchema.optional(),
  connectionPool: connectionPoolSchema.optional(),
  outlierDetection: outlierDetectionSchema.optional(),
  tls: clientTlsSchema.optional(),
};

export const portTrafficPolicySchema = z.strictObject({ port: portSelectorSchema, ...commonPolicy });

export const trafficPolicySchema = z.strictObject({
  ...commonPolicy,
  portLevelSettings: z.array(portTrafficPolicySchema).optional(),
  tunnel: z.strictObject({ protocol: text.optional(), targetHost: text, targetPort: uint32 }).optional(),
  proxyProtocol: z.strictObject({ version: protoEnum(['V1', 'V2']).optional() }).optional(),
  retryBudget: z.strictObject({ percent: double.optional(), minRetryConcurrency: uint32.optional() }).optional(),
});
