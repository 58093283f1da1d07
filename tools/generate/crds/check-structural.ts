// Whether an API server will take a schema: the rules of structural schemas, so that a mistake ends here and not there.
import type { Json, JsonObject } from './spec-schema.ts';

const known: ReadonlySet<string> = new Set([
  'type',
  'format',
  'description',
  'nullable',
  'enum',
  'minimum',
  'maximum',
  'pattern',
  'required',
  'properties',
  'additionalProperties',
  'items',
  'oneOf',
  'allOf',
  'x-kubernetes-preserve-unknown-fields',
  'x-kubernetes-list-type',
  'x-kubernetes-list-map-keys',
]);
const types: readonly Json[] = ['object', 'array', 'string', 'integer', 'number', 'boolean'];
/** Inside these only values are judged: structure stands outside. */
const logical: readonly string[] = ['oneOf', 'allOf', 'anyOf', 'not', 'required'];
const keepsUnknown = 'x-kubernetes-preserve-unknown-fields';

/** Why a node is not structural; an ordered list, so that the first reason is the one that is said. */
const mistakes: readonly ((node: JsonObject) => string | undefined)[] = [
  (node) => {
    const unknown = Object.keys(node).find((key) => !known.has(key));
    return unknown === undefined ? undefined : `${unknown} is not allowed in a CRD`;
  },
  ({ type, ...node }) => (type === undefined && node[keepsUnknown] !== true ? 'has no type' : undefined),
  ({ type }) => (type !== undefined && !types.includes(type) ? 'has a type that is none' : undefined),
  ({ properties, additionalProperties }) =>
    properties !== undefined && additionalProperties !== undefined ? 'is an object and a map' : undefined,
  ({ additionalProperties, ...node }) =>
    additionalProperties !== undefined && node[keepsUnknown] !== undefined
      ? 'is a map and keeps unknown members'
      : undefined,
  ({ type, items }) =>
    (type === 'array') === (items !== undefined) ? undefined : 'is a list without items, or no list',
  (node) => (node['enum'] !== undefined && node['nullable'] === true ? 'is an enum that may be null' : undefined),
];

/** Throws at the first place that is not structural. */
export function demandStructural(node: JsonObject, path = 'spec'): void {
  for (const mistakeOf of mistakes) {
    const mistake = mistakeOf(node);
    if (mistake !== undefined) throw new Error(`${path} ${mistake}: ${JSON.stringify(node).slice(0, 200)}`);
  }
  const { properties, additionalProperties, items } = node;
  for (const key of ['oneOf', 'allOf']) if (node[key] !== undefined) demandLogical(node[key], `${path}.${key}`);
  if (isObject(properties)) {
    for (const [name, member] of Object.entries(properties)) demandMember(member, `${path}.${name}`);
  }
  if (items !== undefined) demandMember(items, `${path}[]`);
  if (additionalProperties !== undefined) demandMember(additionalProperties, `${path}.*`);
}

function demandMember(member: Json, path: string): void {
  if (!isObject(member)) throw new Error(`${path} is not a schema: ${JSON.stringify(member)}`);
  demandStructural(member, path);
}

function demandLogical(value: Json, path: string): void {
  if (Array.isArray(value)) {
    for (const part of value as readonly Json[]) demandLogical(part, path);
  } else if (isObject(value)) {
    for (const [key, member] of Object.entries(value)) {
      if (!logical.includes(key)) throw new Error(`${path}: ${key} must stand outside of it`);
      if (key !== 'required') demandLogical(member, path);
    }
  }
}

function isObject(value: Json | undefined): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
