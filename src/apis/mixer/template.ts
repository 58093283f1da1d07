import { z } from 'zod';
import { text } from '../schema/fields.ts';

export const templateSchema = z.strictObject({ descriptor: text.optional() });
