import { z } from 'zod';
import { struct, text, textMap } from '../schema/fields.ts';

export const instanceSchema = z.strictObject({
  name: text.optional(),
  compiledTemplate: text.optional(),
  template: text.optional(),
  params: struct.optional(),
  attributeBindings: textMap.optional(),
});
