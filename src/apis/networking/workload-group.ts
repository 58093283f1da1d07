import { z } from 'zod';
import { int32, text, textList, textMap, uint32 } from '../schema/fields.ts';
import { atMostOne } from '../schema/oneof.ts';
import { workloadEntrySchema } from './workload-entry.ts';

const httpHeaderSchema = z.strictObject({ name: text.optional(), value: text.optional() });

/** Also the readiness probe of the mesh's ProxyConfig. */
export const readinessProbeSchema = atMostOne(
  z.strictObject({
    initialDelaySeconds: int32.optional(),
    timeoutSeconds: int32.optional(),
    periodSeconds: int32.optional(),
    successThreshold: int32.optional(),
    failureThreshold: int32.optional(),
    httpGet: z
      .strictObject({
        path: text.optional(),
        port: uint32.optional(),
        host: text.optional(),
        scheme: text.optional(),
        httpHeaders: z.array(httpHeaderSchema).optional(),
      })
      .optional(),
    tcpSocket: z.strictObject({ host: text.optional(), port: uint32.optional() }).optional(),
    exec: z.strictObject({ command: textList.optional() }).optional(),
    grpc: z.strictObject({ port: uint32.optional(), service: text.optional() }).optional(),
  }),
  ['httpGet', 'tcpSocket', 'exec', 'grpc'],
);

export const workloadGroupSchema = z.strictObject({
  metadata: z.strictObject({ labels: textMap.optional(), annotations: textMap.optional() }).optional(),
  template: workloadEntrySchema,
  probe: readinessProbeSchema.optional(),
});
