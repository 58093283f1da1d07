import { z } from 'zod';
import { protoEnum, textList } from '../schema/fields.ts';
import { portSchema, workloadLabelSelectorSchema } from './shared.ts';
import { workloadEntrySchema } from './workload-entry.ts';

export const serviceEntrySchema = z.strictObject({
  hosts: textList,
  addresses: textList.optional(),
  ports: z.array(portSchema).optional(),
  location: protoEnum({ MESH_EXTERNAL: 0, MESH_INTERNAL: 1 }).optional(),
  resolution: protoEnum({ NONE: 0, STATIC: 1, DNS: 2, DNS_ROUND_ROBIN: 3, DYNAMIC_DNS: 4 }).optional(),
  endpoints: z.array(workloadEntrySchema).optional(),
  workloadSelector: workloadLabelSelectorSchema.optional(),
  exportTo: textList.optional(),
  subjectAltNames: textList.optional(),
});
