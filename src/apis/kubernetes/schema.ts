import { z } from 'zod';

// Kubernetes objects come from an API server that has checked them: unknown fields are not read, and null means absent.

export const optionalText = z
  .string()
  .nullish()
  .transform((value) => value ?? undefined);

export const optionalNumber = z
  .number()
  .nullish()
  .transform((value) => value ?? undefined);

export const optionalFlag = z
  .boolean()
  .nullish()
  .transform((value) => value ?? undefined);

export const textOrEmpty = z
  .string()
  .nullish()
  .transform((value) => value ?? '');

export const textMapOrEmpty = z
  .record(z.string(), z.string())
  .nullish()
  .transform((value): Readonly<Record<string, string>> => value ?? {});

/** A list that may be absent or null. */
export function listOf<Item extends z.ZodType>(
  item: Item,
): z.ZodPipe<z.ZodOptional<z.ZodNullable<z.ZodArray<Item>>>, z.ZodTransform<readonly z.output<Item>[]>> {
  return z
    .array(item)
    .nullish()
    .transform((value): readonly z.output<Item>[] => value ?? []);
}

/** A number, or the name of a container port. */
export const intOrText = z.union([z.number(), z.string()]);
