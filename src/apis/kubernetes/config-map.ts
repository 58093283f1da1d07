import { z } from 'zod';
import type { Spec } from '../schema/spec.ts';
import { textMapOrEmpty } from './schema.ts';

export const configMapSchema = z.object({ data: textMapOrEmpty });

export type ConfigMapSpec = Spec<typeof configMapSchema>;
