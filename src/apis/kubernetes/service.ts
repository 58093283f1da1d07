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

export const serviceSchema = z
  .object({
    spec: z
      .object({
        type: optionalText,
        clusterIP: optionalText,
        clusterIPs: listOf(z.string()),
        ports: listOf(portSchema),
        selector: textMapOrEmpty,
        externalName: optionalText,
        externalIPs: listOf(z.string()),
        publishNotReadyAddresses: optionalFlag,
        trafficDistribution: optionalText,
        internalTrafficPolicy: optionalText,
        sessionAffinity: optionalText,
      })
      .nullish(),
    status: z.object({ loadBalancer: z.object({ ingress: listOf(ingressSchema) }).nullish() }).nullish(),
  })
  .transform(({ spec, status }) => ({
    type: spec?.type ?? 'ClusterIP',
    /** All of them; `['None']` for a headless service, empty when there is none (yet). */
    clusterIPs: clusterIPs(spec?.clusterIPs ?? [], spec?.clusterIP),
    ports: spec?.ports ?? [],
    selector: spec?.selector ?? {},
    externalName: spec?.externalName,
    externalIPs: spec?.externalIPs ?? [],
    loadBalancerIngress: status?.loadBalancer?.ingress ?? [],
    publishNotReadyAddresses: spec?.publishNotReadyAddresses ?? false,
    trafficDistribution: spec?.trafficDistribution,
    internalTrafficPolicy: spec?.internalTrafficPolicy,
    sessionAffinity: spec?.sessionAffinity,
  }));

export type ServiceSpec = Spec<typeof serviceSchema>;
export type ServiceSpecPort = ServiceSpec['ports'][number];

function clusterIPs(all: readonly string[], first: string | undefined): readonly string[] {
  if (all.length > 0) return all;
  return first === undefined || first === '' ? [] : [first];
}
