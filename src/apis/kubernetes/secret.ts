import { z } from 'zod';
import type { Spec } from '../schema/spec.ts';
import { optionalText, textMapOrEmpty } from './schema.ts';

/** Base64 as the API server writes it, decoded; a binary value does not survive, and none that xebec reads is one. */
function decode(value: string): string {
  return Buffer.from(value, 'base64').toString('utf8');
}

export const secretSchema = z
  .object({ type: optionalText, data: textMapOrEmpty, stringData: textMapOrEmpty })
  .transform(({ type, data, stringData }) => ({
    type: type ?? 'Opaque',
    /** Decoded; `stringData` over `data`. */
    data: Object.fromEntries([
      ...Object.entries(data).map(([key, value]) => [key, decode(value)] as const),
      ...Object.entries(stringData),
    ]),
  }));

export type SecretSpec = Spec<typeof secretSchema>;
