import { z } from 'zod';
import { text, textList, textMap } from '../schema/fields.ts';
import { workloadSelectorSchema } from './shared.ts';
import { trafficPolicySchema } from './traffic-policy.ts';

export const subsetSchema = z.strictObject({
  name: text,
  labels: textMap.optional(),
  trafficPolicy: trafficPolicySchema.optional(),
});

export const destinationRuleSchema = z.strictObject({
  host: text,
  trafficPolicy: trafficPolicySchema.optional(),
  subsets: z.array(subsetSchema).optional(),
  exportTo: textList.optional(),
  workloadSelector: workloadSelectorSchema.optional(),
});
