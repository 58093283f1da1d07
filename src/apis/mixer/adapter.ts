import { z } from 'zod';
import { flag, text, textList } from '../schema/fields.ts';

/** `config` is the descriptor of the adapter's parameters, in base64. */
export const adapterSchema = z.strictObject({
  name: text.optional(),
  description: text.optional(),
  templates: textList.optional(),
  config: text.optional(),
  sessionBased: flag.optional(),
});
