// The schema as the JSON that protobufjs loads. Options are left out: codecs need none but packing and presence.
import { type DescEnum, type DescField, type DescMessage, ScalarType } from '@bufbuild/protobuf';
import { Edition, FeatureSet_FieldPresence } from '@bufbuild/protobuf/wkt';
import { fieldName, type Schema } from './schema.ts';

type Field = { rule?: string; keyType?: string; type: string; id: number; options?: Record<string, unknown> };
type Node = {
  edition?: string;
  values?: Record<string, number>;
  options?: Record<string, unknown>;
  oneofs?: Record<string, { oneof: string[] }>;
  fields?: Record<string, Field>;
  nested?: Record<string, Node>;
};

export function buildBundle(schema: Schema): Node {
  const root: Node = {};
  // Sorted by name, so a message is placed before what is nested in it.
  for (const message of schema.messages) Object.assign(nodeAt(root, message.typeName), messageNode(message));
  for (const type of schema.enums) Object.assign(nodeAt(root, type.typeName), enumNode(type));
  return root;
}

function nodeAt(root: Node, name: string): Node {
  let node = root;
  for (const part of name.split('.')) {
    const nested = (node.nested ??= {});
    node = nested[part] ??= {};
  }
  return node;
}

function messageNode(message: DescMessage): Node {
  const fields = message.fields.map((field) => [fieldName(field), fieldNode(field)] as const);
  const oneofs = message.oneofs.map((oneof) => ({ name: oneof.name, members: oneof.fields.map(fieldName) }));
  // `optional` of proto3 has presence because, on paper, it is a oneof of its own.
  const optional = message.fields.filter(isExplicitScalar).map(fieldName);
  oneofs.push(...optional.map((name) => ({ name: `_${name}`, members: [name] })));
  return {
    ...(message.file.edition === Edition.EDITION_PROTO2 ? { edition: 'proto2' } : {}),
    ...(oneofs.length > 0
      ? { oneofs: Object.fromEntries(oneofs.map(({ name, members }) => [name, { oneof: members }])) }
      : {}),
    fields: Object.fromEntries(fields),
  };
}

function isExplicitScalar(field: DescField): boolean {
  const hasPresence = field.presence === FeatureSet_FieldPresence.EXPLICIT;
  const isScalar = field.fieldKind === 'scalar' || field.fieldKind === 'enum';
  return isScalar && hasPresence && field.oneof === undefined && field.parent.file.edition === Edition.EDITION_PROTO3;
}

function fieldNode(field: DescField): Field {
  const base = { type: typeName(field), id: field.number };
  switch (field.fieldKind) {
    case 'map':
      return { keyType: scalarName(field.mapKey), ...base };
    case 'list':
      return { rule: 'repeated', ...base, ...packing(field) };
    default:
      return field.presence === FeatureSet_FieldPresence.LEGACY_REQUIRED ? { rule: 'required', ...base } : base;
  }
}

function packing(field: DescField & { fieldKind: 'list' }): Pick<Field, 'options'> {
  const isPackable =
    field.listKind !== 'message' && field.scalar !== ScalarType.STRING && field.scalar !== ScalarType.BYTES;
  const isDefault = field.packed === (field.parent.file.edition === Edition.EDITION_PROTO3);
  return isPackable && !isDefault ? { options: { packed: field.packed } } : {};
}

function typeName(field: DescField): string {
  if (field.message !== undefined) return `.${field.message.typeName}`;
  if (field.enum !== undefined) return `.${field.enum.typeName}`;
  return scalarName(field.scalar);
}

function scalarName(scalar: ScalarType | undefined): string {
  if (scalar === undefined) throw new Error('neither scalar, enum nor message');
  return ScalarType[scalar].toLowerCase();
}

function enumNode(type: DescEnum): Node {
  const values = Object.fromEntries(type.values.map((value) => [value.name, value.number]));
  const hasAlias = new Set(Object.values(values)).size < type.values.length;
  return {
    ...(type.file.edition === Edition.EDITION_PROTO2 ? { edition: 'proto2' } : {}),
    values,
    ...(hasAlias ? { options: { allow_alias: true } } : {}),
  };
}
