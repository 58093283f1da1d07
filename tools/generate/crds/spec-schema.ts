// What a kind's zod schema is in the CRD.
import { z } from 'zod';

export type Json = null | boolean | number | string | readonly Json[] | { readonly [key: string]: Json };
export type JsonObject = { readonly [key: string]: Json };

/** The bounds that zod gives to a whole number of 64 bits, which JSON cannot hold whole. */
const safe = { minimum: Number.MIN_SAFE_INTEGER, maximum: Number.MAX_SAFE_INTEGER };

/** The structural schema of a kind's body. What a schema says beyond structure is left to the webhook, in its own words. */
export function buildSpecSchema(schema: z.ZodType): JsonObject {
  const raw: unknown = z.toJSONSchema(schema, { target: 'openapi-3.0', io: 'input', reused: 'inline' });
  return structural(asObject(raw));
}

function structural(node: JsonObject): JsonObject {
  switch (node['type']) {
    case 'object':
      return structuralObject(node);
    case 'array':
      return { ...node, items: structural(asObject(node['items'])) };
    case 'integer':
      return structuralInteger(node);
    default:
      // Any value at all.
      return Object.keys(node).length === 0 ? { 'x-kubernetes-preserve-unknown-fields': true } : node;
  }
}

/**
 * Unknown members are kept, at every level: proto names (`retry_on`) are members that the schema does not know, and a
 * misspelled one can only be told to its author if it is still there when the webhook looks. See ADR 7.
 */
const keepUnknown = { 'x-kubernetes-preserve-unknown-fields': true };

function structuralObject(node: JsonObject): JsonObject {
  const { properties, required = [], additionalProperties, oneOf, allOf, ...rest } = node;
  if (properties === undefined) return structuralMap(rest, additionalProperties);
  const demanded = asList(required).map(String);
  const members = Object.entries(asObject(properties)).map(([name, member]) => {
    const built = structural(asObject(member));
    return [name, demanded.includes(name) ? built : withNull(built)] as const;
  });
  const spelledOneWay = demanded.filter(hasOneSpelling);
  return {
    ...rest,
    ...(members.length > 0 && { properties: Object.fromEntries(members) }),
    ...(spelledOneWay.length > 0 && { required: spelledOneWay }),
    ...(oneOf !== undefined && { oneOf: alternatives(oneOf) }),
    ...(allOf !== undefined && {
      allOf: asList(allOf).map((part) => ({ oneOf: alternatives(asObject(part)['oneOf'] ?? []) })),
    }),
    ...keepUnknown,
  };
}

function structuralMap(rest: JsonObject, values: Json | undefined): JsonObject {
  const isFree = values === undefined || (typeof values === 'object' && Object.keys(asObject(values)).length === 0);
  return isFree ? { ...rest, ...keepUnknown } : { ...rest, additionalProperties: structural(asObject(values)) };
}

function structuralInteger({ minimum, maximum, ...rest }: JsonObject): JsonObject {
  const isWide = maximum === safe.maximum;
  const hasMinimum = minimum !== undefined && minimum !== safe.minimum;
  return {
    ...rest,
    ...(isWide ? { format: 'int64' } : { maximum: maximum ?? null }),
    ...(hasMinimum && { minimum }),
  };
}

/** A null is an absent number or switch, as for Istio, whose wrapper types print as null. */
function withNull(node: JsonObject): JsonObject {
  const isWrapped = node['type'] === 'boolean' || node['type'] === 'integer' || node['type'] === 'number';
  return isWrapped ? { ...node, nullable: true } : node;
}

/**
 * Of a oneof that must be set, the member may be there by its proto name, which this schema does not see: then it is left to
 * the webhook whether one is there.
 */
function alternatives(oneOf: Json): Json {
  const list = asList(oneOf);
  const names = list.flatMap((one) => asList(asObject(one)['required'] ?? []).map(String));
  const allowsNone = list.some((one) => asObject(one)['not'] !== undefined);
  if (allowsNone || names.every(hasOneSpelling)) return list;
  return [{ not: { anyOf: list } }, ...list];
}

/** Whether the JSON name of a field is its proto name too. */
function hasOneSpelling(name: string): boolean {
  return name === name.toLowerCase();
}

function asObject(value: unknown): JsonObject {
  if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as JsonObject;
  throw new Error(`not a schema: ${JSON.stringify(value)}`);
}

function asList(value: unknown): readonly Json[] {
  if (Array.isArray(value)) return value as readonly Json[];
  throw new Error(`not a list: ${JSON.stringify(value)}`);
}
