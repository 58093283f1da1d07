import type { z } from 'zod';
import { durationForm } from './fields.ts';
import { type Structure, structureOf } from './structure.ts';
import { enumerate } from './words.ts';

const mostListed = 8;

/** The schema of what stands at `path`; nothing where the structure ends before it. */
export function schemaAt(schema: z.core.$ZodType, path: readonly (string | number)[]): z.core.$ZodType | undefined {
  let current: z.core.$ZodType | undefined = schema;
  for (const step of path) {
    if (current === undefined) return undefined;
    const structure = structureOf(current);
    if (structure.kind === 'object') current = structure.members[step];
    else current = structure.kind === 'list' || structure.kind === 'map' ? structure.element : undefined;
  }
  return current;
}

/** An object as one says it to somebody who wrote something else: `an object with host, subset, port`. */
export function objectShape(schema: z.core.$ZodType | undefined): string {
  const structure = schema === undefined ? undefined : structureOf(schema);
  if (structure?.kind !== 'object') return 'an object';
  const members = Object.keys(structure.members);
  return members.length === 0 ? 'an empty object' : `an object with ${enumerate(members, mostListed)}`;
}

/** How to write `got` so that it is what the schema takes; nothing where nobody can guess what was meant. */
export function correctionOf(schema: z.core.$ZodType, got: unknown): string | undefined {
  const structure = structureOf(schema);
  switch (structure.kind) {
    case 'list':
      return listOf(structure.element, got);
    case 'object':
      return Array.isArray(got) ? 'write it without the -, as one object' : memberOf(structure.members, got);
    case 'number':
      return numberOf(got);
    case 'flag':
      return got === 'true' || got === 'false' ? 'write it without quotes' : undefined;
    case 'text':
      // A colon makes a key of what was meant as text: 2001:db8:: at the end of a list in brackets.
      return typeof got === 'object' && !Array.isArray(got)
        ? 'if it is text with a colon, put it in quotes'
        : undefined;
    default:
      return undefined;
  }
}

/** A duration is a text to a schema, so its number can only be told from its form. */
export function durationOf(form: string, got: unknown): string | undefined {
  return form === durationForm && typeof got === 'number' && got > 0
    ? `write ${got}s, if seconds are meant`
    : undefined;
}

function numberOf(got: unknown): string | undefined {
  return typeof got === 'string' && /^\d+ ?%$/.test(got) ? `write ${Number.parseInt(got, 10)}` : undefined;
}

function listOf(element: z.core.$ZodType, got: unknown): string | undefined {
  const structure = structureOf(element);
  if (fits(structure, got)) return `write [${written(got)}]`;
  const isObject = typeof got === 'object' && got !== null && !Array.isArray(got);
  return structure.kind === 'object' && isObject ? 'start each entry with -' : undefined;
}

/** In objects of more members nobody can tell which of them a value was meant for. */
const mostMembers = { string: 4, other: 8 };

function memberOf(members: Readonly<Record<string, z.core.$ZodType>>, got: unknown): string | undefined {
  const entries = Object.entries(members);
  if (entries.length > mostMembers[typeof got === 'string' ? 'string' : 'other']) return undefined;
  const [name] = entries.find(([, member]) => fits(structureOf(member), got)) ?? [];
  return name === undefined ? undefined : `write {${name}: ${written(got)}}`;
}

function fits(structure: Structure, got: unknown): boolean {
  switch (structure.kind) {
    case 'text':
      return typeof got === 'string';
    case 'number':
      return typeof got === 'number';
    case 'flag':
      return typeof got === 'boolean';
    case 'enum':
      return typeof got === 'string' && structure.names.includes(got);
    default:
      return false;
  }
}

function written(got: unknown): string {
  const text = typeof got === 'string' ? JSON.stringify(got) : String(got);
  return text.length > 60 ? '…' : text;
}
