import type { z } from 'zod';
import { assertNever } from '../../kit/assert-never.ts';
import { isPlain } from './normalise.ts';
import { isOptional, type Structure, structureOf } from './structure.ts';
import { nearest } from './words.ts';

type Step = string | number;

/**
 * The value with what stands at `path` taken out, or replaced by something empty where the schema demands something: so
 * that the rest of an object can be judged although one place of it cannot be read.
 */
export function repair(schema: z.core.$ZodType, value: unknown, path: readonly Step[]): unknown {
  const [step, ...rest] = path;
  if (step === undefined) return meantBy(schema, value) ?? emptyOf(schema);
  const structure = structureOf(schema);
  if (structure.kind === 'list' && Array.isArray(value)) {
    return value.map((item: unknown, index) => (index === step ? repair(structure.element, item, rest) : item));
  }
  if (!isPlain(value)) return emptyOf(schema);
  const key = String(step);
  const kept = Object.entries(value).filter(([name]) => name !== key);
  const member = memberOf(structure, key);
  if (member === undefined) return Object.fromEntries(kept);
  const isLast = rest.length === 0;
  if (isLast && member.optional && meantBy(member.schema, value[key]) === undefined) return Object.fromEntries(kept);
  return Object.fromEntries([...kept, [key, repair(member.schema, value[key], rest)]]);
}

/** A misspelled name of an enum decides what the rest must be, so the rest is judged by what was most likely meant. */
function meantBy(schema: z.core.$ZodType, value: unknown): string | undefined {
  const structure = structureOf(schema);
  return structure.kind === 'enum' && typeof value === 'string' ? nearest(value, structure.names) : undefined;
}

type Member = { readonly schema: z.core.$ZodType; readonly optional: boolean };

function memberOf(structure: Structure, key: string): Member | undefined {
  if (structure.kind === 'map') return { schema: structure.element, optional: true };
  const schema = structure.kind === 'object' ? structure.members[key] : undefined;
  return schema === undefined ? undefined : { schema, optional: isOptional(schema) };
}

function emptyOf(schema: z.core.$ZodType): unknown {
  const structure = structureOf(schema);
  switch (structure.kind) {
    case 'text':
      return '';
    case 'number':
      return 0;
    case 'flag':
      return false;
    case 'list':
      return [];
    case 'enum':
      return structure.names[0];
    case 'object': {
      const demanded = Object.entries(structure.members).filter(([, member]) => !isOptional(member));
      return Object.fromEntries(demanded.map(([name, member]) => [name, emptyOf(member)]));
    }
    case 'map':
    case 'anything':
      return {};
    default:
      return assertNever(structure);
  }
}
