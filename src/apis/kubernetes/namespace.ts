import { z } from 'zod';
import type { Spec } from '../schema/spec.ts';
import { optionalText } from './schema.ts';

export const namespaceSchema = z
  .object({ status: z.object({ phase: optionalText }).nullish() })
  .transform(({ status }) => ({ phase: status?.phase ?? 'Active' }));

export type NamespaceSpec = Spec<typeof namespaceSchema>;
