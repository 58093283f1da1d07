import type { z } from 'zod';
import { isPlain } from './normalise.ts';

type Step = string | number;

/**
 * The value with what stands at `path` taken out, or replaced by something empty where the schema demands something: so
 * that the rest of an object can be judged although one place of it cannot be read.
 */
export function repair(schema: z.core.$ZodType, value: unknown, path: readonly Step[]): unknown {
  const [step, ...rest] = path;
  if (step === undefined) return emptyOf(schema);
  const { def } = (unwrap(schema) as z.core.$ZodTypes)._zod;
  if (def.type === 'array' && Array.isArray(value) && typeof step === 'number') {
    return value.map((item: unknown, index) => (index === step ? repair(def.element, item, rest) : item));
  }
  if (!isPlain(value)) return emptyOf(schema);
  const key = String(step);
  const kept = Object.entries(value).filter(([name]) => name !== key);
  const member = memberOf(def, key);
  if (member === undefined || (rest.length === 0 && member.optional)) return Object.fromEntries(kept);
  return Object.fromEntries([...kept, [key, repair(member.schema, value[key], rest)]]);
}

type Member = { readonly schema: z.core.$ZodType; readonly optional: boolean };

function memberOf(def: z.core.$ZodTypes['_zod']['def'], key: string): Member | undefined {
  if (def.type === 'record') return { schema: def.valueType, optional: true };
  const schema = def.type === 'object' ? def.shape[key] : undefined;
  return schema === undefined ? undefined : { schema, optional: schema._zod.def.type === 'optional' };
}

function emptyOf(schema: z.core.$ZodType): unknown {
  const { def } = (unwrap(schema) as z.core.$ZodTypes)._zod;
  switch (def.type) {
    case 'string':
      return '';
    case 'number':
      return 0;
    case 'boolean':
      return false;
    case 'array':
      return [];
    case 'enum':
      return Object.values(def.entries)[0];
    case 'object': {
      const demanded = Object.entries(def.shape).filter(([, member]) => member._zod.def.type !== 'optional');
      return Object.fromEntries(demanded.map(([name, member]) => [name, emptyOf(member)]));
    }
    default:
      return {};
  }
}

function unwrap(schema: z.core.$ZodType): z.core.$ZodType {
  const { def } = (schema as z.core.$ZodTypes)._zod;
  return def.type === 'optional' ? unwrap(def.innerType) : schema;
}
