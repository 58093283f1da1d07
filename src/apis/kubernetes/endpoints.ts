import { z } from 'zod';
import type { Spec } from '../schema/spec.ts';
import { listOf, optionalFlag, optionalNumber, optionalText, textOrEmpty } from './schema.ts';

const targetRefSchema = z.object({ kind: textOrEmpty, name: textOrEmpty, namespace: textOrEmpty });

const optionalTargetRef = targetRefSchema.nullish().transform((value) => value ?? undefined);

const slicePortSchema = z.object({
  name: textOrEmpty,
  /** Absent: every port. */
  port: optionalNumber,
  protocol: optionalText.transform((value) => value ?? 'TCP'),
  appProtocol: optionalText,
});

const conditionsSchema = z.object({ ready: optionalFlag, serving: optionalFlag, terminating: optionalFlag });

const sliceEndpointSchema = z
  .object({
    addresses: listOf(z.string()),
    conditions: conditionsSchema.nullish(),
    hostname: optionalText,
    nodeName: optionalText,
    zone: optionalText,
    targetRef: optionalTargetRef,
  })
  .transform(({ conditions, ...endpoint }) => ({
    ...endpoint,
    // The API says that an unknown readiness is to be taken as ready, and that serving follows ready.
    ready: conditions?.ready ?? true,
    serving: conditions?.serving ?? conditions?.ready ?? true,
    terminating: conditions?.terminating ?? false,
  }));

const SERVICE_NAME_LABEL = 'kubernetes.io/service-name';

export const endpointSliceSchema = z
  .object({
    metadata: z.object({ labels: z.record(z.string(), z.string()).nullish() }).nullish(),
    addressType: z.string(),
    endpoints: listOf(sliceEndpointSchema),
    ports: listOf(slicePortSchema),
  })
  .transform(({ metadata, ...slice }) => ({
    ...slice,
    /** Empty for a slice that belongs to no Service. */
    serviceName: metadata?.labels?.[SERVICE_NAME_LABEL] ?? '',
  }));

const addressSchema = z.object({
  ip: z.string(),
  hostname: optionalText,
  nodeName: optionalText,
  targetRef: optionalTargetRef,
});

export const endpointsSchema = z.object({
  subsets: listOf(
    z.object({
      addresses: listOf(addressSchema),
      notReadyAddresses: listOf(addressSchema),
      ports: listOf(slicePortSchema),
    }),
  ),
});

export type EndpointSliceSpec = Spec<typeof endpointSliceSchema>;
export type SliceEndpoint = EndpointSliceSpec['endpoints'][number];
export type EndpointsSpec = Spec<typeof endpointsSchema>;
