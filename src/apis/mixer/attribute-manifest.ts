import { z } from 'zod';
import { protoEnum, text } from '../schema/fields.ts';

export const attributeInfoSchema = z.strictObject({
  description: text.optional(),
  valueType: protoEnum([
    'VALUE_TYPE_UNSPECIFIED',
    'STRING',
    'INT64',
    'DOUBLE',
    'BOOL',
    'TIMESTAMP',
    'IP_ADDRESS',
    'EMAIL_ADDRESS',
    'URI',
    'DNS_NAME',
    'DURATION',
    'STRING_MAP',
  ]).optional(),
});

export const attributeManifestSchema = z.strictObject({
  revision: text.optional(),
  name: text.optional(),
  attributes: z.record(z.string(), attributeInfoSchema).optional(),
});
