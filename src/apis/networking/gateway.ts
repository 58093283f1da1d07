import { z } from 'zod';
import { text, textList, textMap } from '../schema/fields.ts';
import { portSchema, serverTlsSchema } from './shared.ts';

export const gatewayServerSchema = z.strictObject({
  name: text.optional(),
  port: portSchema,
  bind: text.optional(),
  hosts: textList,
  tls: serverTlsSchema.optional(),
  defaultEndpoint: text.optional(),
});

export const gatewaySchema = z.strictObject({
  selector: textMap.optional(),
  servers: z.array(gatewayServerSchema),
});
