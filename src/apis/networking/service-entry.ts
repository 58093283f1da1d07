import { z } from 'zod';
import { protoEnum, textList } from '../schema/fields.ts';
import { portSchema, workloadLabelSelectorSchema } from './shared.ts';
import { workloadEntrySchema } from './workload-entry.ts';

export const serviceEntrySchema = z.strictObject({
  hosts: textList,
  addresses: textList.optional(),
  ports: z.array(portSchema).optional(),
  location: protoEnum(['MESH_EXTERNAL', 'MESH_INTERNAL']).optional(),
  resolution: protoEnum(['NONE', 'STATIC', 'DNS', 'DNS_ROUND_ROBIN', 'DYNAMIC_DNS']).optional(),
  endpoints: z.array(workloadEntrySchema).optional(),
  workloadSelector: workloadLabelSelectorSchema.optional(),
  exportTo: textList.optional(),
  subjectAltNames: textList.optional(),
});
