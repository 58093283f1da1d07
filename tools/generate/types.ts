// The schema as plain TypeScript types: what protobufjs would encode wrongly and silently must not compile.
import { type DescEnum, type DescField, type DescMessage, type DescOneof, ScalarType } from '@bufbuild/protobuf';
import { nameTypes } from './names.ts';
import { fieldName, type Schema } from './schema.ts';

const header = `// Written by npm run generate from the Envoy API's descriptors. Do not edit.

/** At most one member: all others must be absent. */
export type OneOf<Members> = {
  [Key in keyof Members]: { readonly [Name in Key]?: Members[Name] | undefined } & {
    readonly [Name in Exclude<keyof Members, Key>]?: undefined;
  };
}[keyof Members];

/** An encoded message: \`anyOf\` in codec.ts makes it. The only message whose keys are not camel case. */
export type Any = { readonly type_url: string; readonly value: Uint8Array };
`;

export function buildTypes(schema: Schema): string {
  const names = nameTypes([...schema.messages, ...schema.enums]);
  const nameOf = (type: DescMessage | DescEnum): string => {
    const name = names.get(type.typeName);
    if (name === undefined) throw new Error(`${type.typeName} is not in the schema`);
    return name;
  };
  const messages = schema.messages.filter((message) => message.typeName !== 'google.protobuf.Any');
  const index = schema.messages.map((message) => `  readonly '${message.typeName}': ${nameOf(message)};\n`);
  return [
    header,
    ...schema.enums.map((type) => enumText(type, nameOf(type))),
    ...messages.map((message) => messageText(message, nameOf)),
    `/** Every message of the bundle by its full name. */\nexport interface Messages {\n${index.join('')}}\n`,
  ].join('\n');
}

type NameOf = (type: DescMessage | DescEnum) => string;

function enumText(type: DescEnum, name: string): string {
  const values = type.values.map((value) => `  ${value.name}: ${value.number},\n`);
  return `/** ${type.typeName} */\nexport const ${name} = {\n${values.join('')}} as const;\nexport type ${name} = (typeof ${name})[keyof typeof ${name}];\n`;
}

function messageText(message: DescMessage, nameOf: NameOf): string {
  const plain = message.fields.filter((field) => field.oneof === undefined);
  const parts = message.oneofs.map((oneof) => oneofText(oneof, nameOf));
  if (plain.length > 0) parts.unshift(`{\n${plain.map((field) => plainFieldText(field, nameOf)).join('')}}`);
  if (parts.length === 0) parts.push('{ readonly [key: string]: never }');
  return `/** ${message.typeName} */\nexport type ${nameOf(message)} = ${parts.join(' & ')};\n`;
}

function plainFieldText(field: DescField, nameOf: NameOf): string {
  return `  readonly ${fieldName(field)}?: ${typeText(field, nameOf)} | undefined;\n`;
}

function oneofText(oneof: DescOneof, nameOf: NameOf): string {
  const members = oneof.fields.map((field) => `  ${fieldName(field)}: ${typeText(field, nameOf)};\n`);
  return `OneOf<{\n${members.join('')}}>`;
}

function typeText(field: DescField, nameOf: NameOf): string {
  const single = field.message ? nameOf(field.message) : field.enum ? nameOf(field.enum) : scalarText(field.scalar);
  if (field.fieldKind === 'map') return `{ readonly [key: string]: ${single} }`;
  if (field.fieldKind === 'list') return single.includes('|') ? `readonly (${single})[]` : `readonly ${single}[]`;
  return single;
}

function scalarText(scalar: ScalarType | undefined): string {
  switch (scalar) {
    case ScalarType.STRING:
      return 'string';
    case ScalarType.BOOL:
      return 'boolean';
    case ScalarType.BYTES:
      return 'Uint8Array';
    case ScalarType.INT64:
    case ScalarType.UINT64:
    case ScalarType.SINT64:
    case ScalarType.FIXED64:
    case ScalarType.SFIXED64:
      return 'number | string';
    default:
      return 'number';
  }
}
