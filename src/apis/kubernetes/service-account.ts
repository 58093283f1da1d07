import { z } from 'zod';
import type { Spec } from '../schema/spec.ts';
import { listOf, textOrEmpty } from './schema.ts';

const nameSchema = z.object({ name: textOrEmpty }).transform(({ name }) => name);

/** The names of the secrets and pull secrets; everything else of a service account is its metadata. */
export const serviceAccountSchema = z.object({ secrets: listOf(nameSchema), imagePullSecrets: listOf(nameSchema) });

export type ServiceAccountSpec = Spec<typeof serviceAccountSchema>;
