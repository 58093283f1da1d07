// Canonical protobuf JSON ("1.5s", enums by name, "@type") for the whole Envoy API, validation rules included as options.
// Owns the descriptor registry, which is loaded on first use and costs 35 MB: for people's eyes and patches, never for pushing.
import type { DescMessage, FileRegistry, Message } from '@bufbuild/protobuf';

export type JsonOptions = {
  /** Write fields as the .proto file names them (Envoy's own dumps do), not in camel case. */
  readonly protoFieldNames?: boolean;
};

export async function messageToJson(typeName: string, bytes: Uint8Array, options: JsonOptions = {}): Promise<unknown> {
  const { protobuf, registry, find } = await library();
  const type = find(typeName);
  return explain(`cannot write ${typeName} as JSON`, () => {
    const message = protobuf.fromBinary(type, bytes);
    return protobuf.toJson(type, message, { registry, useProtoFieldName: options.protoFieldNames ?? false });
  });
}

/** Takes field names of both spellings; a field that the message does not have is an error. Equal JSON gives equal bytes. */
export async function messageFromJson(typeName: string, json: unknown): Promise<Uint8Array> {
  const { protobuf, registry, find } = await library();
  const type = find(typeName);
  return explain(`this is no ${typeName}`, () => {
    const message: Message = protobuf.fromJson(type, sortKeys(json) as Parameters<typeof protobuf.fromJson>[1], {
      registry,
    });
    return protobuf.toBinary(type, message);
  });
}

/** The registry of every message, enum and extension, for readers of options such as `validate.rules`. */
export async function loadRegistry(): Promise<FileRegistry> {
  const { registry } = await library();
  return registry;
}

type Library = {
  readonly protobuf: typeof import('@bufbuild/protobuf');
  readonly registry: FileRegistry;
  readonly find: (typeName: string) => DescMessage;
};

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
  const bytes = gunzipSync(await readFile(new URL('./descriptors.bin.gz', import.meta.url)));
  const registry = protobuf.createFileRegistry(protobuf.fromBinary(FileDescriptorSetSchema, bytes));
  const find = (typeName: string): DescMessage => {
    const type = registry.getMessage(typeName);
    if (type === undefined) throw new Error(`${typeName} is no message of the Envoy API`);
    return type;
  };
  return { protobuf, registry, find };
}

function explain<Out>(what: string, run: () => Out): Out {
  try {
    return run();
  } catch (cause) {
    throw new Error(`${what}: ${cause instanceof Error ? cause.message : String(cause)}`, { cause });
  }
}

/** Maps are encoded in the order of their keys, so the order the user wrote them in must not matter. */
function sortKeys(json: unknown): unknown {
  if (Array.isArray(json)) return json.map(sortKeys);
  if (typeof json !== 'object' || json === null) return json;
  const entries = Object.entries(json).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([key, value]) => [key, sortKeys(value)]));
}
