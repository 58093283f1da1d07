// The part of the descriptors that the bundle keeps: everything reachable from the roots, in a fixed order.
import { createFileRegistry, type DescEnum, type DescField, type DescMessage, fromBinary } from '@bufbuild/protobuf';
import { Edition, FileDescriptorSetSchema } from '@bufbuild/protobuf/wkt';

export type Schema = { readonly messages: readonly DescMessage[]; readonly enums: readonly DescEnum[] };

export function readSchema(descriptorSet: Uint8Array, isRoot: (message: DescMessage) => boolean): Schema {
  const registry = createFileRegistry(fromBinary(FileDescriptorSetSchema, descriptorSet));
  const messages = new Set<DescMessage>();
  const enums = new Set<DescEnum>();
  const waiting: DescMessage[] = [];
  for (const type of registry) if (type.kind === 'message' && isRoot(type)) waiting.push(type);
  for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
    if (messages.has(next)) continue;
    messages.add(next);
    for (const field of next.fields) {
      if (field.enum !== undefined) enums.add(field.enum);
      if (field.message !== undefined) waiting.push(field.message);
    }
    waiting.push(...next.nestedMessages);
    for (const nested of next.nestedEnums) enums.add(nested);
  }
  for (const message of messages) checkSupported(message);
  return { messages: [...messages].sort(byName), enums: [...enums].sort(byName) };
}

/** The name protobufjs gives a field: camel case except before digits, and Any's two keys as they are. */
export function fieldName(field: DescField): string {
  if (field.parent.typeName === 'google.protobuf.Any') return field.name;
  return field.name.replaceAll(/(?!^)_([a-z])/g, (_, letter: string) => letter.toUpperCase());
}

function checkSupported(message: DescMessage): void {
  if (message.file.edition > Edition.EDITION_PROTO3) throw new Error(`${message.typeName}: editions are not supported`);
  const names = message.fields.map(fieldName);
  if (new Set(names).size !== names.length)
    throw new Error(`${message.typeName}: two fields have one name in camel case`);
}

function byName(a: { readonly typeName: string }, b: { readonly typeName: string }): number {
  return a.typeName < b.typeName ? -1 : 1;
}
