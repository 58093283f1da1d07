import { z } from 'zod';
import { double, duration, flag, int64, text, textMap } from '../schema/fields.ts';
import { atMostOne } from '../schema/oneof.ts';

export const attributeValueKinds = [
  'stringValue',
  'int64Value',
  'doubleValue',
  'boolValue',
  'bytesValue',
  'timestampValue',
  'durationValue',
  'stringMapValue',
] as const;

export const attributeValueSchema = atMostOne(
  z.strictObject({
    stringValue: text.optional(),
    int64Value: int64.optional(),
    doubleValue: double.optional(),
    boolValue: flag.optional(),
    bytesValue: text.optional(),
    timestampValue: text.optional(),
    durationValue: duration.optional(),
    stringMapValue: z.strictObject({ entries: textMap.optional() }).optional(),
  }),
  attributeValueKinds,
);

/** What Mixer is told about the requests of an API. */
export const attributesSchema = z.strictObject({
  attributes: z.record(z.string(), attributeValueSchema).optional(),
});

export const apiPatternSchema = atMostOne(
  z.strictObject({
    attributes: attributesSchema.optional(),
    httpMethod: text.optional(),
    uriTemplate: text.optional(),
    regex: text.optional(),
  }),
  ['uriTemplate', 'regex'],
);

export const apiKeySchema = atMostOne(
  z.strictObject({ query: text.optional(), header: text.optional(), cookie: text.optional() }),
  ['query', 'header', 'cookie'],
);

export const httpApiSpecSchema = z.strictObject({
  attributes: attributesSchema.optional(),
  patterns: z.array(apiPatternSchema).optional(),
  apiKeys: z.array(apiKeySchema).optional(),
});
