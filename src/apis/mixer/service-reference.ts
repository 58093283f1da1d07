import { z } from 'zod';
import { text, textMap } from '../schema/fields.ts';

/** A service of the mesh by `name`, or a host by `service`. */
export const serviceReferenceSchema = z.strictObject({
  name: text.optional(),
  namespace: text.optional(),
  domain: text.optional(),
  service: text.optional(),
  labels: textMap.optional(),
});

/** A QuotaSpec or an HTTPAPISpec; of the own namespace unless it says otherwise. */
export const specReferenceSchema = z.strictObject({ name: text.optional(), namespace: text.optional() });
