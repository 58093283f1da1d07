// Encodes and decodes every message of the bundle. Owns the protobufjs root; promises equal bytes for equal content; must never
// know what a message means. The bundle is loaded, and each codec built, on first use.
import { readFileSync } from 'node:fs';
import protobuf from 'protobufjs/light.js';
import type { Any, Messages } from '../../../src/gen/types.ts';

/** A message's full name. */
export type MessageName = keyof Messages & string;
export type TypeUrl<Name extends MessageName = MessageName> = `type.googleapis.com/${Name}`;

export function encodeMessage<Name extends MessageName>(name: Name, message: Messages[Name]): Uint8Array {
  const { type, mapFields } = codecOf(name);
  return type.encode(sortMaps(mapFields, message)).finish();
}

/** Absent fields are absent, 64-bit integers numbers where a number is exact, else decimal strings. Unknown fields are dropped. */
export function decodeMessage<Name extends MessageName>(name: Name, bytes: Uint8Array): Messages[Name] {
  return toPlain(codecOf(name).type.decode(bytes)) as Messages[Name];
}

export function typeUrlOf<Name extends MessageName>(name: Name): TypeUrl<Name> {
  return `type.googleapis.com/${name}`;
}

export function anyOf<Name extends MessageName>(name: Name, message: Messages[Name]): Any {
  return { type_url: typeUrlOf(name), value: encodeMessage(name, message) };
}

/** Whether a full name, from a type URL say, is one that the bundle can decode. */
export function isMessageName(name: string): name is MessageName {
  return root().lookup(name, [protobuf.Type]) !== null;
}

type Codec = { readonly type: protobuf.Type; readonly mapFields: readonly MapField[] };
/** A field that is a map, or holds messages in which a map can be. */
type MapField = {
  readonly name: string;
  readonly isMap: boolean;
  readonly isList: boolean;
  readonly child: protobuf.Type | undefined;
};
type Fields = Readonly<Record<string, unknown>>;

let loaded: protobuf.Root | undefined;
const codecs = new Map<string, Codec>();
const mapFieldsByType = new Map<protobuf.Type, readonly MapField[]>();

function root(): protobuf.Root {
  loaded ??= protobuf.Root.fromJSON(readBundle());
  return loaded;
}

function readBundle(): protobuf.INamespace {
  return JSON.parse(readFileSync(new URL('./root.json', import.meta.url), 'utf8')) as protobuf.INamespace;
}

function codecOf(name: string): Codec {
  const known = codecs.get(name);
  if (known !== undefined) return known;
  const type = root().lookupType(name);
  const codec = { type, mapFields: mapFieldsOf(type) };
  codecs.set(name, codec);
  return codec;
}

function mapFieldsOf(type: protobuf.Type): readonly MapField[] {
  const known = mapFieldsByType.get(type);
  if (known !== undefined) return known;
  const fields = type.fieldsArray.map((field) => field.resolve());
  const relevant = fields.filter((field) => field.map || reachesMap(field, new Set()));
  const result = relevant.map((field) => ({
    name: field.name,
    isMap: field.map,
    isList: field.repeated,
    child: field.resolvedType instanceof protobuf.Type ? field.resolvedType : undefined,
  }));
  mapFieldsByType.set(type, result);
  return result;
}

function reachesMap(field: protobuf.Field, seen: Set<protobuf.Type>): boolean {
  const type = field.resolve().resolvedType;
  if (field.map) return true;
  if (!(type instanceof protobuf.Type) || seen.has(type)) return false;
  seen.add(type);
  return type.fieldsArray.some((inner) => reachesMap(inner, seen));
}

/** protobufjs writes maps in insertion order, so the keys are sorted first. What holds no unsorted map stays the same object. */
function sortMaps(fields: readonly MapField[], message: Fields): Fields {
  let result = message;
  for (const field of fields) {
    const value = message[field.name];
    if (value === undefined || value === null) continue;
    const sorted = sortField(field, value);
    if (sorted === value) continue;
    if (result === message) result = { ...message };
    (result as Record<string, unknown>)[field.name] = sorted;
  }
  return result;
}

function sortField({ isMap, isList, child }: MapField, value: unknown): unknown {
  const inner = child === undefined ? [] : mapFieldsOf(child);
  const sortChild = (item: unknown): unknown => (inner.length === 0 ? item : sortMaps(inner, item as Fields));
  if (isMap) return sortEntries(value as Fields, sortChild);
  if (!isList) return sortChild(value);
  const items = value as readonly unknown[];
  const sorted = items.map(sortChild);
  return sorted.some((item, at) => item !== items[at]) ? sorted : items;
}

function sortEntries(map: Fields, sortChild: (value: unknown) => unknown): Fields {
  const keys = Object.keys(map);
  let isSame = true;
  let last = '';
  const entries = keys.map((key) => {
    const value = sortChild(map[key]);
    isSame &&= last <= key && value === map[key];
    last = key;
    return [key, value] as const;
  });
  if (isSame) return map;
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)));
}

/** What came on the wire only: a decoded message answers for absent fields with defaults of its class, null among them. */
function toPlain(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || value instanceof Uint8Array) return value;
  if (Array.isArray(value)) return value.map(toPlain);
  if (isLong(value)) return toInteger(value);
  const present = Object.entries(value).filter(([, inner]) => !isEmptyDefault(inner));
  return Object.fromEntries(present.map(([key, inner]) => [key, toPlain(inner)]));
}

/** An empty list or map, which the wire cannot tell from none. Maps are plain objects, messages are instances of their class. */
function isEmptyDefault(value: unknown): boolean {
  if (Array.isArray(value)) return value.length === 0;
  const isMap = typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
  return isMap && Object.keys(value).length === 0;
}

type Long = { toNumber(): number; toString(): string };

function isLong(value: object): value is Long {
  return (protobuf.util.Long as unknown as { isLong(value: unknown): boolean }).isLong(value);
}

function toInteger(value: Long): number | string {
  const number = value.toNumber();
  return Number.isSafeInteger(number) ? number : value.toString();
}
