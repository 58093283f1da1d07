import { z } from 'zod';
import { duration, flag, int32, protoEnum, text, textList, textMap, uint32 } from '../schema/fields.ts';
import { atMostOne } from '../schema/oneof.ts';
import { httpMatchRequestSchema, stringMatchSchema } from './http-match.ts';
import { destinationSchema, percentSchema } from './shared.ts';

const headerOperationsSchema = z.strictObject({
  set: textMap.optional(),
  add: textMap.optional(),
  remove: textList.optional(),
});

export const headersSchema = z.strictObject({
  request: headerOperationsSchema.optional(),
  response: headerOperationsSchema.optional(),
});

/** 1.0's header fields: still read where Istio 1.4 read them. */
const classicHeaders = {
  appendRequestHeaders: textMap.optional(),
  removeRequestHeaders: textList.optional(),
  appendResponseHeaders: textMap.optional(),
  removeResponseHeaders: textList.optional(),
};

export const httpRouteDestinationSchema = z.strictObject({
  destination: destinationSchema,
  weight: int32.optional(),
  headers: headersSchema.optional(),
  ...classicHeaders,
});

export const httpRedirectSchema = atMostOne(
  z.strictObject({
    uri: text.optional(),
    authority: text.optional(),
    port: uint32.optional(),
    derivePort: protoEnum(['FROM_PROTOCOL_DEFAULT', 'FROM_REQUEST_PORT']).optional(),
    scheme: text.optional(),
    redirectCode: uint32.optional(),
  }),
  ['port', 'derivePort'],
);

export const httpDirectResponseSchema = z.strictObject({
  status: uint32.optional(),
  body: atMostOne(z.strictObject({ string: text.optional(), bytes: text.optional() }), ['string', 'bytes']).optional(),
});

export const httpRewriteSchema = z.strictObject({
  uri: text.optional(),
  authority: text.optional(),
  uriRegexRewrite: z.strictObject({ match: text.optional(), rewrite: text.optional() }).optional(),
});

export const httpRetrySchema = z.strictObject({
  attempts: int32.optional(),
  perTryTimeout: duration.optional(),
  retryOn: text.optional(),
  retryRemoteLocalities: flag.optional(),
  retryIgnorePreviousHosts: flag.optional(),
  backoff: duration.optional(),
});

export const corsPolicySchema = z.strictObject({
  allowOrigin: textList.optional(),
  allowOrigins: z.array(stringMatchSchema).optional(),
  allowMethods: textList.optional(),
  allowHeaders: textList.optional(),
  exposeHeaders: textList.optional(),
  maxAge: duration.optional(),
  allowCredentials: flag.optional(),
  unmatchedPreflights: protoEnum(['UNSPECIFIED', 'FORWARD', 'IGNORE']).optional(),
});

export const httpFaultSchema = z.strictObject({
  delay: atMostOne(
    z.strictObject({
      percent: int32.optional(),
      percentage: percentSchema.optional(),
      fixedDelay: duration.optional(),
      exponentialDelay: duration.optional(),
    }),
    ['fixedDelay', 'exponentialDelay'],
  ).optional(),
  abort: atMostOne(
    z.strictObject({
      percent: int32.optional(),
      percentage: percentSchema.optional(),
      httpStatus: int32.optional(),
      grpcStatus: text.optional(),
      http2Error: text.optional(),
    }),
    ['httpStatus', 'grpcStatus', 'http2Error'],
  ).optional(),
});

export const httpMirrorSchema = z.strictObject({
  destination: destinationSchema,
  percentage: percentSchema.optional(),
});

export const httpRouteSchema = z.strictObject({
  name: text.optional(),
  match: z.array(httpMatchRequestSchema).optional(),
  route: z.array(httpRouteDestinationSchema).optional(),
  redirect: httpRedirectSchema.optional(),
  directResponse: httpDirectResponseSchema.optional(),
  delegate: z.strictObject({ name: text.optional(), namespace: text.optional() }).optional(),
  rewrite: httpRewriteSchema.optional(),
  timeout: duration.optional(),
  retries: httpRetrySchema.optional(),
  fault: httpFaultSchema.optional(),
  mirror: destinationSchema.optional(),
  mirrorPercent: uint32.optional(),
  mirrorPercentage: percentSchema.optional(),
  mirrors: z.array(httpMirrorSchema).optional(),
  corsPolicy: corsPolicySchema.optional(),
  headers: headersSchema.optional(),
  websocketUpgrade: flag.optional(),
  appendHeaders: textMap.optional(),
  ...classicHeaders,
});
