import { z } from 'zod';
import { policyTargetReferenceSchema } from '../networking/envoy-filter.ts';
import { workloadSelectorSchema } from '../networking/shared.ts';
import { double, duration, flag, protoEnum, text } from '../schema/fields.ts';
import { atMostOne } from '../schema/oneof.ts';

const workloadMode = protoEnum(['CLIENT_AND_SERVER', 'CLIENT', 'SERVER']);
const modeSchema = z.strictObject({ mode: workloadMode.optional() });

const providerRefSchema = z.strictObject({ name: text.optional() });

export const customTagSchema = atMostOne(
  z.strictObject({
    literal: z.strictObject({ value: text.optional() }).optional(),
    environment: z.strictObject({ name: text.optional(), defaultValue: text.optional() }).optional(),
    header: z.strictObject({ name: text.optional(), defaultValue: text.optional() }).optional(),
    formatter: z.strictObject({ value: text.optional() }).optional(),
  }),
  ['literal', 'environment', 'header', 'formatter'],
);

export const tracingSchema = z.strictObject({
  match: modeSchema.optional(),
  providers: z.array(providerRefSchema).optional(),
  randomSamplingPercentage: double.optional(),
  disableSpanReporting: flag.optional(),
  customTags: z.record(z.string(), customTagSchema).optional(),
  useRequestIdForTraceSampling: flag.optional(),
  enableIstioTags: flag.optional(),
  disableContextPropagation: flag.optional(),
});

export const metricsOverrideSchema = z.strictObject({
  match: atMostOne(
    z.strictObject({
      metric: protoEnum([
        'ALL_METRICS',
        'REQUEST_COUNT',
        'REQUEST_DURATION',
        'REQUEST_SIZE',
        'RESPONSE_SIZE',
        'TCP_OPENED_CONNECTIONS',
        'TCP_CLOSED_CONNECTIONS',
        'TCP_SENT_BYTES',
        'TCP_RECEIVED_BYTES',
        'GRPC_REQUEST_MESSAGES',
        'GRPC_RESPONSE_MESSAGES',
      ]).optional(),
      customMetric: text.optional(),
      mode: workloadMode.optional(),
    }),
    ['metric', 'customMetric'],
  ).optional(),
  disabled: flag.optional(),
  tagOverrides: z
    .record(
      z.string(),
      z.strictObject({ operation: protoEnum(['UPSERT', 'REMOVE']).optional(), value: text.optional() }),
    )
    .optional(),
});

export const metricsSchema = z.strictObject({
  providers: z.array(providerRefSchema).optional(),
  overrides: z.array(metricsOverrideSchema).optional(),
  reportingInterval: duration.optional(),
});

export const accessLoggingSchema = z.strictObject({
  match: modeSchema.optional(),
  providers: z.array(providerRefSchema).optional(),
  disabled: flag.optional(),
  filter: z.strictObject({ expression: text.optional() }).optional(),
});

export const telemetrySchema = z.strictObject({
  selector: workloadSelectorSchema.optional(),
  targetRef: policyTargetReferenceSchema.optional(),
  targetRefs: z.array(policyTargetReferenceSchema).optional(),
  tracing: z.array(tracingSchema).optional(),
  metrics: z.array(metricsSchema).optional(),
  accessLogging: z.array(accessLoggingSchema).optional(),
});
