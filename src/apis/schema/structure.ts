import { z } from 'zod';

/** The part of a schema that reading an object looks at: what it holds, without its rules. */
export type Structure =
  | { readonly kind: 'object'; readonly members: Readonly<Record<string, z.core.$ZodType>> }
  | { readonly kind: 'list'; readonly element: z.core.$ZodType }
  | { readonly kind: 'map'; readonly element: z.core.$ZodType }
  | { readonly kind: 'enum'; readonly names: readonly string[] }
  | { readonly kind: 'number' | 'text' | 'flag' | 'anything' };

export function structureOf(schema: z.core.$ZodType): Structure {
  const inner = required(schema);
  if (inner instanceof z.ZodObject) return { kind: 'object', members: inner.shape };
  if (inner instanceof z.ZodArray) return { kind: 'list', element: inner.element };
  if (inner instanceof z.ZodRecord) return { kind: 'map', element: inner.valueType };
  if (inner instanceof z.ZodEnum) return { kind: 'enum', names: inner.options.map(String) };
  if (inner instanceof z.ZodNumber) return { kind: 'number' };
  if (inner instanceof z.ZodString) return { kind: 'text' };
  return { kind: inner instanceof z.ZodBoolean ? 'flag' : 'anything' };
}

export function isOptional(schema: z.core.$ZodType): boolean {
  return schema instanceof z.ZodOptional;
}

/** Whether a member that is null is something else than one that is not there. */
export function takesNull(schema: z.core.$ZodType): boolean {
  return schema instanceof z.ZodOptional && schema.unwrap() instanceof z.ZodNullable;
}

/** A schema of a value that is there: an enum's own one, which its numbers are kept under. */
export function required(schema: z.core.$ZodType): z.core.$ZodType {
  const present = schema instanceof z.ZodOptional ? schema.unwrap() : schema;
  return present instanceof z.ZodNullable ? present.unwrap() : present;
}
