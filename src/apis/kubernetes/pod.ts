import { z } from 'zod';
import type { Spec } from '../schema/spec.ts';
import { intOrText, listOf, optionalFlag, optionalNumber, optionalText, textOrEmpty } from './schema.ts';

const httpGetSchema = z.object({
  path: optionalText,
  port: intOrText,
  host: optionalText,
  scheme: optionalText,
  httpHeaders: listOf(z.object({ name: textOrEmpty, value: textOrEmpty })),
});

const probeSchema = z.object({
  httpGet: httpGetSchema.optional(),
  tcpSocket: z.object({ port: intOrText, host: optionalText }).optional(),
  exec: z.object({ command: listOf(z.string()) }).optional(),
  grpc: z.object({ port: z.number(), service: optionalText }).optional(),
  initialDelaySeconds: optionalNumber,
  timeoutSeconds: optionalNumber,
  periodSeconds: optionalNumber,
  successThreshold: optionalNumber,
  failureThreshold: optionalNumber,
});

const optionalProbe = probeSchema.nullish().transform((value) => value ?? undefined);

const containerSchema = z.object({
  name: textOrEmpty,
  image: textOrEmpty,
  command: listOf(z.string()),
  args: listOf(z.string()),
  env: listOf(z.object({ name: textOrEmpty, value: optionalText })),
  ports: listOf(
    z.object({
      name: textOrEmpty,
      containerPort: z.number(),
      hostPort: optionalNumber,
      protocol: optionalText.transform((value) => value ?? 'TCP'),
    }),
  ),
  livenessProbe: optionalProbe,
  readinessProbe: optionalProbe,
  startupProbe: optionalProbe,
  restartPolicy: optionalText,
});

/** What a pod and the template of a workload have in common. */
export const podSpecSchema = z
  .object({
    serviceAccountName: optionalText,
    serviceAccount: optionalText,
    nodeName: optionalText,
    hostNetwork: optionalFlag,
    hostname: optionalText,
    subdomain: optionalText,
    containers: listOf(containerSchema),
    initContainers: listOf(containerSchema),
  })
  .transform(({ serviceAccountName, serviceAccount, nodeName, hostNetwork, ...spec }) => ({
    ...spec,
    serviceAccountName: serviceAccountName || serviceAccount || 'default',
    /** Empty until it is scheduled. */
    nodeName: nodeName ?? '',
    hostNetwork: hostNetwork ?? false,
  }));

const statusSchema = z.object({
  phase: optionalText,
  podIP: optionalText,
  podIPs: listOf(z.object({ ip: textOrEmpty })),
  conditions: listOf(z.object({ type: textOrEmpty, status: textOrEmpty })),
});

const ownerSchema = z.object({ kind: textOrEmpty, name: textOrEmpty, controller: optionalFlag });

export const podSchema = z
  .object({
    metadata: z.object({ ownerReferences: listOf(ownerSchema) }).nullish(),
    spec: podSpecSchema,
    status: statusSchema.nullish(),
  })
  .transform(({ metadata, spec, status }) => ({
    ...spec,
    phase: status?.phase ?? 'Pending',
    podIPs: podIPs(status?.podIPs ?? [], status?.podIP),
    ready: (status?.conditions ?? []).some(({ type, status: state }) => type === 'Ready' && state === 'True'),
    /** The ReplicaSet, StatefulSet, … that controls it. */
    owner: (metadata?.ownerReferences ?? []).find(({ controller }) => controller === true),
  }));

export type PodSpec = Spec<typeof podSchema>;
export type PodTemplateSpec = Spec<typeof podSpecSchema>;
export type Container = PodTemplateSpec['containers'][number];
export type Probe = NonNullable<Container['readinessProbe']>;

function podIPs(all: readonly { readonly ip: string }[], first: string | undefined): readonly string[] {
  const listed = all.map(({ ip }) => ip).filter((ip) => ip !== '');
  if (listed.length > 0) return listed;
  return first === undefined || first === '' ? [] : [first];
}
