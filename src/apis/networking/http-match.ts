import { z } from 'zod';
import { flag, text, textList, textMap, uint32 } from '../schema/fields.ts';
import { atMostOne } from '../schema/oneof.ts';

/** `{}` is allowed: it asks for presence. */
export const stringMatchSchema = atMostOne(
  z.strictObject({ exact: text.optional(), prefix: text.optional(), regex: text.optional() }),
  ['exact', 'prefix', 'regex'],
);

const stringMatchMap = z.record(z.string(), stringMatchSchema);

export const httpMatchRequestSchema = z.strictObject({
  name: text.optional(),
  uri: stringMatchSchema.optional(),
  scheme: stringMatchSchema.optional(),
  method: stringMatchSchema.optional(),
  authority: stringMatchSchema.optional(),
  headers: stringMatchMap.optional(),
  withoutHeaders: stringMatchMap.optional(),
  queryParams: stringMatchMap.optional(),
  ignoreUriCase: flag.optional(),
  port: uint32.optional(),
  sourceLabels: textMap.optional(),
  sourceNamespace: text.optional(),
  gateways: textList.optional(),
  statPrefix: text.optional(),
});
