import { z } from 'zod';
import { stringMatchSchema } from '../networking/http-match.ts';
import { int32, text } from '../schema/fields.ts';

export const quotaSchema = z.strictObject({ quota: text.optional(), charge: int32.optional() });

export const quotaRuleSchema = z.strictObject({
  match: z.array(z.strictObject({ clause: z.record(z.string(), stringMatchSchema).optional() })).optional(),
  quotas: z.array(quotaSchema).optional(),
});

export const quotaSpecSchema = z.strictObject({ rules: z.array(quotaRuleSchema).optional() });
