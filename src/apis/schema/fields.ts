import { z } from 'zod';
import { isDuration } from '../duration.ts';

/** The numbers an enum's members have on the wire: `{ DISABLE: 0, SIMPLE: 1 }`. Kept beside the schema, for the pre-pass. */
export const enumNumbers = z.registry<{ readonly names: ReadonlyMap<number, string> }>();

/** A protobuf enum: its names in the order of their numbers from 0, and the numbers that break the order. */
export function protoEnum<const Name extends string>(
  names: readonly Name[],
  exceptions?: Readonly<Partial<Record<Name, number>>>,
): z.ZodEnum<{ [Member in Name]: Member }> {
  const schema = z.enum(names);
  enumNumbers.add(schema, { names: new Map(names.map((name, index) => [exceptions?.[name] ?? index, name])) });
  return schema;
}

export const text = z.string();
export const textList = z.array(z.string());
export const textMap = z.record(z.string(), z.string());
export const flag = z.boolean();
export const uint32 = z.int().min(0).max(4_294_967_295);
export const int32 = z.int().min(-2_147_483_648).max(2_147_483_647);
/** Exact up to 2^53: larger numbers cannot be told apart once JSON is read. */
export const uint64 = z.int().min(0);
export const int64 = z.int();
export const double = z.number();
export const durationForm = 'a number with a unit, such as 100ms, 1.5s or 1m30s';

/** `1.5s`, or Go's `1m30s`; kept as written. */
export const duration = z
  .string({ error: ({ input }) => (input === undefined ? undefined : durationForm) })
  .refine(isDuration, { error: 'is not a duration', params: { code: 'XEB0004', allowed: durationForm } });

/** google.protobuf.Struct: any JSON object. */
export const struct = z.record(z.string(), z.unknown());
