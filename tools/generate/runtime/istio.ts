// Istio's own messages between YAML's JSON and protobuf: today's, with the fields and messages that only 1.4 had. Owns their
// registry, which is loaded on first use: nobody pays for it who distributes no configuration. Must never know what they mean.
import type { DescField, DescMessage, FileRegistry } from '@bufbuild/protobuf';

export type IstioCodec = {
  /** Whether there is a message of this full name. */
  has(typeName: string): boolean;
  /** Equal JSON gives equal bytes. Throws, with the field, on what the message does not have. */
  encode(typeName: string, json: unknown): Uint8Array;
  /** Canonical protobuf JSON. Throws on bytes that are no such message. Fields that are not known are dropped. */
  decode(typeName: string, bytes: Uint8Array, options?: DecodeOptions): unknown;
};

export type DecodeOptions = {
  /** Write fields that are zero because they are absent, which the wire cannot tell apart. */
  readonly zeros: boolean;
};

/** Writes a duration as protobuf JSON does: `90s` for `1m30s`. */
export type CanonicalDuration = (text: string) => string;

export async function loadIstioCodec(duration: CanonicalDuration): Promise<IstioCodec> {
  const { protobuf, registry } = await library();
  const find = (typeName: string): DescMessage => {
    const type = registry.getMessage(typeName);
    if (type === undefined) throw new Error(`${typeName} is no message of the Istio API`);
    return type;
  };
  return {
    has: (typeName) => registry.getMessage(typeName) !== undefined,
    encode(typeName, json) {
      const type = find(typeName);
      const canonical = canonicalMessage(type, json, duration) as Parameters<typeof protobuf.fromJson>[1];
      return protobuf.toBinary(type, protobuf.fromJson(type, canonical, { registry }));
    },
    decode(typeName, bytes, { zeros } = { zeros: false }) {
      const type = find(typeName);
      const message = protobuf.fromBinary(type, bytes, { readUnknownFields: false });
      return protobuf.toJson(type, message, { registry, alwaysEmitImplicit: zeros });
    },
  };
}

type Library = { readonly protobuf: typeof import('@bufbuild/protobuf'); readonly registry: FileRegistry };

let loading: Promise<Library> | undefined;

function library(): Promise<Library> {
  loading ??= loadLibrary();
  return loading;
}

async function loadLibrary(): Promise<Library> {
  const [protobuf, { FileDescriptorSetSchema }, { readFile }, { gunzipSync }] = await Promise.all([
    import('@bufbuild/protobuf'),
    import('@bufbuild/protobuf/wkt'),
    import('node:fs/promises'),
    import('node:zlib'),
  ]);
  const bytes = gunzipSync(await readFile(new URL('./istio.bin.gz', import.meta.url)));
  const registry = protobuf.createFileRegistry(protobuf.fromBinary(FileDescriptorSetSchema, bytes));
  return { protobuf, registry };
}

type Fields = Readonly<Record<string, unknown>>;

const fieldsByName = new WeakMap<DescMessage, ReadonlyMap<string, DescField>>();

/** The same JSON with durations in protobuf's form and the keys of maps sorted, since maps are encoded in the order they have. */
function canonicalMessage(type: DescMessage, json: unknown, duration: CanonicalDuration): unknown {
  if (type.typeName === 'google.protobuf.Duration') return typeof json === 'string' ? duration(json) : json;
  if (type.typeName.startsWith('google.protobuf.')) return sortKeys(json);
  if (!isFields(json)) return json;
  const fields = namesOf(type);
  const entries = Object.entries(json).map(([key, value]) => {
    const field = fields.get(key);
    return [key, field === undefined ? value : canonicalField(field, value, duration)] as const;
  });
  return Object.fromEntries(entries);
}

function canonicalField(field: DescField, value: unknown, duration: CanonicalDuration): unknown {
  const { message } = field;
  const each = (item: unknown): unknown => (message === undefined ? item : canonicalMessage(message, item, duration));
  if (field.fieldKind === 'list') return message !== undefined && Array.isArray(value) ? value.map(each) : value;
  if (field.fieldKind !== 'map' || !isFields(value)) return each(value);
  return Object.fromEntries(sortedEntries(value).map(([key, item]) => [key, each(item)]));
}

function namesOf(type: DescMessage): ReadonlyMap<string, DescField> {
  const known = fieldsByName.get(type);
  if (known !== undefined) return known;
  const names = new Map(
    type.fields.flatMap((field) => [[field.name, field] as const, [field.jsonName, field] as const]),
  );
  fieldsByName.set(type, names);
  return names;
}

function sortKeys(json: unknown): unknown {
  if (Array.isArray(json)) return json.map(sortKeys);
  if (!isFields(json)) return json;
  return Object.fromEntries(sortedEntries(json).map(([key, value]) => [key, sortKeys(value)]));
}

function sortedEntries(fields: Fields): [string, unknown][] {
  return Object.entries(fields).sort(([a], [b]) => (a < b ? -1 : 1));
}

function isFields(value: unknown): value is Fields {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
