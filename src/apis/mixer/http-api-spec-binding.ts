import { z } from 'zod';
import { serviceReferenceSchema, specReferenceSchema } from './service-reference.ts';

export const httpApiSpecBindingSchema = z.strictObject({
  services: z.array(serviceReferenceSchema).optional(),
  apiSpecs: z.array(specReferenceSchema).optional(),
});
