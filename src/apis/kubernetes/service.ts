import { z } from 'zod';
import type { Spec } from '../schema/spec.ts';
import {
  intOrText,
  listOf,
  optionalFlag,
  optionalNumber,
  optionalText,
  textMapOrEmpty,
  textOrEmpty,
} from './schema.ts';

const portSchema = z
  .object({
    name: textOrEmpty,
    port: z.number(),
    targetPort: intOrText.nullish(),
    protocol: optionalText,
    appProtocol: optionalText,
    nodePort: optionalNumber,
  })
  .transform(({ targetPort, protocol, ...port }) => ({
    ...port,
    // The API server fills both in; a file need not.
    targetPort: targetPort ?? port.port,
    protocol: protocol ?? 'TCP',
  }));

const ingressSchema = z.object({ ip: optionalText, hostname: optionalText });

const specSchema = z
  .object({
    type: optionalText.transform((value) => value ?? 'ClusterIP'),
    clusterIP: optionalText,
    clusterIPs: listOf(z.string()),
    ports: listOf(portSchema),
    selector: textMapOrEmpty,
    externalName: optionalText,
    externalIPs: listOf(z.string()),
    publishNotReadyAddresses: optionalFlag.transform((value) => value ?? false),
    trafficDistribution: optionalText,
    internalTrafficPolicy: optionalText,
    sessionAffinity: optionalText,
  })
  .transform(({ clusterIP, clusterIPs, ...spec }) => ({
    ...spec,
    /** All of them; `['None']` for a headless service, empty when there is none (yet). */
    clusterIPs: clusterIPs.length === 0 && clusterIP ? [clusterIP] : clusterIPs,
  }));

const statusSchema = z.object({ loadBalancer: z.object({ ingress: listOf(ingressSchema) }).nullish() });

export const serviceSchema = z
  .object({ spec: specSchema, status: statusSchema.nullish() })
  .transform(({ spec, status }) => ({ ...spec, loadBalancerIngress: status?.loadBalancer?.ingress ?? [] }));

export type ServiceSpec = Spec<typeof serviceSchema>;
export type ServiceSpecPort = ServiceSpec['ports'][number];
