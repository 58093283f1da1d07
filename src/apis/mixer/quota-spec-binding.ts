import { z } from 'zod';
import { serviceReferenceSchema, specReferenceSchema } from './service-reference.ts';

export const quotaSpecBindingSchema = z.strictObject({
  services: z.array(serviceReferenceSchema).optional(),
  quotaSpecs: z.array(specReferenceSchema).optional(),
});
