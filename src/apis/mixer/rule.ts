import { z } from 'zod';
import { duration, flag, int64, protoEnum, text, textList, uint32 } from '../schema/fields.ts';

export const actionSchema = z.strictObject({
  handler: text.optional(),
  instances: textList.optional(),
  name: text.optional(),
});

export const headerOperationSchema = z.strictObject({
  name: text.optional(),
  values: textList.optional(),
  operation: protoEnum(['REPLACE', 'REMOVE', 'APPEND']).optional(),
});

const samplingSchema = z.strictObject({
  random: z
    .strictObject({
      attributeExpression: text.optional(),
      percentSampled: z
        .strictObject({
          numerator: uint32.optional(),
          denominator: protoEnum(['HUNDRED', 'TEN_THOUSAND']).optional(),
        })
        .optional(),
      useIndependentRandomness: flag.optional(),
    })
    .optional(),
  rateLimit: z
    .strictObject({
      samplingDuration: duration.optional(),
      maxUnsampledEntries: int64.optional(),
      samplingRate: int64.optional(),
    })
    .optional(),
});

export const ruleSchema = z.strictObject({
  match: text.optional(),
  actions: z.array(actionSchema).optional(),
  requestHeaderOperations: z.array(headerOperationSchema).optional(),
  responseHeaderOperations: z.array(headerOperationSchema).optional(),
  sampling: samplingSchema.optional(),
});
