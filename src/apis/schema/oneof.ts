import type { z } from 'zod';

type Alternatives = { readonly oneOf: readonly object[] };

/** A protobuf oneof: at most one of the members may be set. The CRD says so with the `oneOf` that Istio's says it with. */
export function atMostOne<Shape extends z.ZodRawShape>(
  schema: z.ZodObject<Shape, z.core.$strict>,
  members: readonly (keyof Shape & string)[],
): z.ZodObject<Shape, z.core.$strict> {
  const alternatives = members.map(required);
  return withOneOf(refuseTwo(schema, members), { oneOf: [{ not: { anyOf: alternatives } }, ...alternatives] });
}

/** As `atMostOne`, and one must be set. */
export function exactlyOne<Shape extends z.ZodRawShape>(
  schema: z.ZodObject<Shape, z.core.$strict>,
  members: readonly (keyof Shape & string)[],
): z.ZodObject<Shape, z.core.$strict> {
  const demanding = refuseTwo(schema, members).check((context) => {
    const value: Readonly<Record<string, unknown>> = context.value;
    if (members.some((member) => value[member] !== undefined)) return;
    context.issues.push({
      code: 'custom',
      input: context.value,
      message: 'has none of its alternatives',
      params: { code: 'XEB0006', allowed: `exactly one of ${members.join(', ')}` },
    });
  });
  return withOneOf(demanding, { oneOf: members.map(required) });
}

function refuseTwo<Shape extends z.ZodRawShape>(
  schema: z.ZodObject<Shape, z.core.$strict>,
  members: readonly (keyof Shape & string)[],
): z.ZodObject<Shape, z.core.$strict> {
  return schema.check((context) => {
    const value: Readonly<Record<string, unknown>> = context.value;
    const [first, ...others] = members.filter((member) => value[member] !== undefined);
    for (const other of others) {
      context.issues.push({
        code: 'custom',
        input: value[other],
        path: [other],
        message: `cannot be set together with ${first}`,
        params: { code: 'XEB0005', allowed: `one of ${members.join(', ')}` },
      });
    }
  });
}

function withOneOf<Shape extends z.ZodRawShape>(
  schema: z.ZodObject<Shape, z.core.$strict>,
  added: Alternatives,
): z.ZodObject<Shape, z.core.$strict> {
  const { oneOf, allOf, ...meta } = schema.meta() ?? {};
  if (oneOf === undefined && allOf === undefined) return schema.meta({ ...meta, ...added });
  const earlier: readonly unknown[] = Array.isArray(allOf) ? allOf : [{ oneOf }];
  return schema.meta({ ...meta, allOf: [...earlier, added] });
}

function required(member: string): object {
  return { required: [member] };
}
