import { z } from 'zod';
import { text, textMap, uint32 } from '../schema/fields.ts';

/** Also an endpoint of a ServiceEntry. */
export const workloadEntrySchema = z.strictObject({
  address: text.optional(),
  ports: z.record(z.string(), uint32).optional(),
  labels: textMap.optional(),
  network: text.optional(),
  locality: text.optional(),
  weight: uint32.optional(),
  serviceAccount: text.optional(),
});
