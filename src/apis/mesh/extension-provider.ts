import { z } from 'zod';
import { duration, flag, int64, protoEnum, struct, text, textList, textMap, uint32 } from '../schema/fields.ts';
import { atMostOne } from '../schema/oneof.ts';
import type { Spec } from '../schema/spec.ts';

/** Where a provider listens: `service` is `[namespace/]hostname`. */
const target = { service: text.optional(), port: uint32.optional() };
const tag = { maxTagLength: uint32.optional() };

const requestBodySchema = z.strictObject({
  maxRequestBytes: uint32.optional(),
  allowPartialMessage: flag.optional(),
  packAsBytes: flag.optional(),
});

const extAuthz = {
  ...target,
  timeout: duration.optional(),
  failOpen: flag.optional(),
  clearRouteCache: flag.optional(),
  statusOnError: text.optional(),
  includeRequestBodyInCheck: requestBodySchema.optional(),
};

const extAuthzHttpSchema = z.strictObject({
  ...extAuthz,
  pathPrefix: text.optional(),
  includeHeadersInCheck: textList.optional(),
  includeRequestHeadersInCheck: textList.optional(),
  includeAdditionalHeadersInCheck: textMap.optional(),
  headersToUpstreamOnAllow: textList.optional(),
  headersToDownstreamOnDeny: textList.optional(),
  headersToDownstreamOnAllow: textList.optional(),
});

const headerSchema = z.strictObject({
  name: text.optional(),
  value: text.optional(),
  envName: text.optional(),
});

const httpServiceSchema = z.strictObject({
  path: text.optional(),
  timeout: duration.optional(),
  headers: z.array(headerSchema).optional(),
});

const grpcServiceSchema = z.strictObject({
  timeout: duration.optional(),
  initialMetadata: z.array(headerSchema).optional(),
});

const fileLogFormatSchema = atMostOne(z.strictObject({ text: text.optional(), labels: struct.optional() }), [
  'text',
  'labels',
]);

const alsBase = { ...target, logName: text.optional(), filterStateObjectsToLog: textList.optional() };

const empty = z.strictObject({});

const openTelemetrySchema = atMostOne(
  z.strictObject({
    ...target,
    ...tag,
    http: httpServiceSchema.optional(),
    grpc: grpcServiceSchema.optional(),
    serviceAttributeEnrichment: protoEnum(['ISTIO_CANONICAL', 'OTEL_SEMANTIC_CONVENTIONS']).optional(),
    resourceDetectors: z.strictObject({ environment: empty.optional(), dynatrace: empty.optional() }).optional(),
    dynatraceSampler: z
      .strictObject({
        tenant: text.optional(),
        clusterId: z.int().optional(),
        rootSpansPerMinute: uint32.optional(),
        httpService: z.strictObject({ ...target, http: httpServiceSchema.optional() }).optional(),
      })
      .optional(),
  }),
  ['http', 'grpc'],
);

const providers = {
  envoyExtAuthzHttp: extAuthzHttpSchema.optional(),
  envoyExtAuthzGrpc: z.strictObject(extAuthz).optional(),
  zipkin: z
    .strictObject({
      ...target,
      ...tag,
      enable64bitTraceId: flag.optional(),
      path: text.optional(),
      traceContextOption: protoEnum(['USE_B3', 'USE_B3_WITH_W3C_PROPAGATION']).optional(),
      timeout: duration.optional(),
      headers: z.array(headerSchema).optional(),
    })
    .optional(),
  lightstep: z.strictObject({ ...target, ...tag, accessToken: text.optional() }).optional(),
  datadog: z.strictObject({ ...target, ...tag }).optional(),
  stackdriver: z
    .strictObject({
      ...tag,
      debug: flag.optional(),
      maxNumberOfAttributes: int64.optional(),
      maxNumberOfAnnotations: int64.optional(),
      maxNumberOfMessageEvents: int64.optional(),
      logging: z.strictObject({ labels: textMap.optional() }).optional(),
    })
    .optional(),
  opencensus: z
    .strictObject({
      ...target,
      ...tag,
      context: z
        .array(protoEnum(['UNSPECIFIED', 'W3C_TRACE_CONTEXT', 'GRPC_BIN', 'CLOUD_TRACE_CONTEXT', 'B3']))
        .optional(),
    })
    .optional(),
  skywalking: z.strictObject({ ...target, accessToken: text.optional() }).optional(),
  opentelemetry: openTelemetrySchema.optional(),
  prometheus: empty.optional(),
  envoyFileAccessLog: z
    .strictObject({
      path: text.optional(),
      logFormat: fileLogFormatSchema.optional(),
      omitEmptyValues: flag.optional(),
    })
    .optional(),
  envoyHttpAls: z
    .strictObject({
      ...alsBase,
      additionalRequestHeadersToLog: textList.optional(),
      additionalResponseHeadersToLog: textList.optional(),
      additionalResponseTrailersToLog: textList.optional(),
    })
    .optional(),
  envoyTcpAls: z.strictObject(alsBase).optional(),
  envoyOtelAls: z
    .strictObject({
      ...alsBase,
      logFormat: z.strictObject({ text: text.optional(), labels: struct.optional() }).optional(),
    })
    .optional(),
  sds: z.strictObject({ ...target, name: text.optional() }).optional(),
};

/** The members of the oneof: `name` beside exactly one of these. */
export const providerKinds = [
  'envoyExtAuthzHttp',
  'envoyExtAuthzGrpc',
  'zipkin',
  'lightstep',
  'datadog',
  'stackdriver',
  'opencensus',
  'skywalking',
  'opentelemetry',
  'prometheus',
  'envoyFileAccessLog',
  'envoyHttpAls',
  'envoyTcpAls',
  'envoyOtelAls',
  'sds',
] as const satisfies readonly (keyof typeof providers)[];

export const extensionProviderSchema = atMostOne(
  z.strictObject({ name: text.optional(), ...providers }),
  providerKinds,
);

export type ExtensionProvider = Spec<typeof extensionProviderSchema>;
