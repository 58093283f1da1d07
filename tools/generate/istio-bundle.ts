// One descriptor set for configuration distribution: today's messages with the fields that only 1.4 had, the messages that
// only 1.4 had, and nothing that configuration cannot reach. Fields that left Istio's API kept their numbers to themselves, so
// that both can stand in one message.
import { clone, create, fromBinary, isFieldSet, toBinary } from '@bufbuild/protobuf';
import {
  type DescriptorProto,
  DescriptorProtoSchema,
  type EnumDescriptorProto,
  EnumDescriptorProtoSchema,
  EnumValueDescriptorProtoSchema,
  type FieldDescriptorProto,
  FieldDescriptorProtoSchema,
  FieldOptionsSchema,
  FileDescriptorProtoSchema,
  FileDescriptorSetSchema,
  MessageOptionsSchema,
  OneofDescriptorProtoSchema,
} from '@bufbuild/protobuf/wkt';
import type { IstioSets } from './istio-set.ts';

/** The bodies of objects, and whatever they refer to. */
const roots: readonly string[] = [
  ...['VirtualService', 'DestinationRule', 'Gateway', 'ServiceEntry', 'Sidecar', 'EnvoyFilter'],
  ...['WorkloadEntry', 'WorkloadGroup'],
].map((name) => `istio.networking.v1alpha3.${name}`);

const otherRoots: readonly string[] = [
  'istio.networking.v1beta1.ProxyConfig',
  'istio.security.v1beta1.AuthorizationPolicy',
  'istio.security.v1beta1.PeerAuthentication',
  'istio.security.v1beta1.RequestAuthentication',
  'istio.telemetry.v1alpha1.Telemetry',
  'istio.extensions.v1alpha1.WasmPlugin',
  'istio.extensions.v1alpha1.TrafficExtension',
  'istio.mesh.v1alpha1.MeshConfig',
  'istio.mesh.v1alpha1.MeshNetworks',
  'istio.authentication.v1alpha1.Policy',
  'istio.rbac.v1alpha1.RbacConfig',
  'istio.rbac.v1alpha1.ServiceRole',
  'istio.rbac.v1alpha1.ServiceRoleBinding',
  'istio.policy.v1beta1.AttributeManifest',
  'istio.policy.v1beta1.Handler',
  'istio.policy.v1beta1.Instance',
  'istio.policy.v1beta1.Rule',
  'istio.mixer.adapter.model.v1beta1.Info',
  'istio.mixer.adapter.model.v1beta1.Template',
  'istio.mixer.v1.config.client.HTTPAPISpec',
  'istio.mixer.v1.config.client.HTTPAPISpecBinding',
  'istio.mixer.v1.config.client.QuotaSpec',
  'istio.mixer.v1.config.client.QuotaSpecBinding',
  'k8s.io.api.core.v1.NamespaceSpec',
  'k8s.io.api.core.v1.ServiceSpec',
  'google.protobuf.Struct',
];

type TopLevel = {
  readonly pack: string;
  readonly syntax: string;
  readonly message?: DescriptorProto;
  readonly enumType?: EnumDescriptorProto;
};
/** Top-level types by full name. */
type Types = Map<string, TopLevel>;

export function buildIstioBundle(sets: IstioSets): Uint8Array {
  const types = readTypes(sets.today);
  for (const [name, type] of readTypes(sets.classic)) addClassic(types, name, type);
  return toBinary(FileDescriptorSetSchema, create(FileDescriptorSetSchema, { file: filesOf(reachable(types)) }));
}

function readTypes(bytes: Uint8Array): Types {
  const types: Types = new Map();
  for (const file of fromBinary(FileDescriptorSetSchema, bytes).file) {
    const { package: pack, syntax } = file;
    for (const message of file.messageType)
      types.set(`${pack}.${message.name}`, { pack, syntax, message: bare(message) });
    for (const type of file.enumType) types.set(`${pack}.${type.name}`, { pack, syntax, enumType: bareEnum(type) });
  }
  return types;
}

/** Without options, of which codecs need packing and maps only. */
function bare(message: DescriptorProto): DescriptorProto {
  return create(DescriptorProtoSchema, {
    name: message.name,
    field: message.field.map(bareField),
    nestedType: message.nestedType.map(bare),
    enumType: message.enumType.map(bareEnum),
    oneofDecl: message.oneofDecl.map(({ name }) => create(OneofDescriptorProtoSchema, { name })),
    ...(message.options?.mapEntry === true ? { options: create(MessageOptionsSchema, { mapEntry: true }) } : {}),
  });
}

function bareField(field: FieldDescriptorProto): FieldDescriptorProto {
  const copy = clone(FieldDescriptorProtoSchema, field);
  const isPacked = field.options?.packed;
  delete copy.options;
  if (isPacked !== undefined) copy.options = create(FieldOptionsSchema, { packed: isPacked });
  return copy;
}

function bareEnum(type: EnumDescriptorProto): EnumDescriptorProto {
  const numbers = new Set<number>();
  // The first name of a number is the one that JSON is written with.
  const value = type.value.filter(({ number }) => !numbers.has(number) && numbers.add(number));
  return create(EnumDescriptorProtoSchema, {
    name: type.name,
    value: value.map(({ name, number }) => create(EnumValueDescriptorProtoSchema, { name, number })),
  });
}

function addClassic(types: Types, name: string, classic: TopLevel): void {
  const today = types.get(name);
  if (today === undefined) types.set(name, classic);
  else if (today.message !== undefined && classic.message !== undefined) addMissing(today.message, classic.message);
}

function addMissing(today: DescriptorProto, classic: DescriptorProto): void {
  for (const nested of classic.nestedType) {
    const known = today.nestedType.find(({ name }) => name === nested.name);
    if (known === undefined) today.nestedType.push(nested);
    else addMissing(known, nested);
  }
  for (const type of classic.enumType) {
    if (!today.enumType.some(({ name }) => name === type.name)) today.enumType.push(type);
  }
  for (const field of classic.field) {
    if (today.field.some(({ number }) => number === field.number)) continue;
    if (
      today.field.some(({ name }) => name === field.name) ||
      isFieldSet(field, FieldDescriptorProtoSchema.field.oneofIndex)
    )
      throw new Error(`${today.name}.${field.name} of 1.4 has no place in today's message`);
    today.field.push(field);
  }
}

function reachable(types: Types): ReadonlyMap<string, TopLevel> {
  const found = new Map<string, TopLevel>();
  const waiting = [...roots, ...otherRoots];
  for (let name = waiting.pop(); name !== undefined; name = waiting.pop()) {
    const type = types.get(name);
    if (type === undefined) throw new Error(`Istio's API has no ${name}`);
    if (found.has(name)) continue;
    found.set(name, type);
    if (type.message !== undefined) waiting.push(...referredBy(type.message).map((other) => ownerOf(other, types)));
  }
  return found;
}

function referredBy(message: DescriptorProto): readonly string[] {
  const own = message.field.flatMap(({ typeName }) => (typeName === '' ? [] : [typeName.slice(1)]));
  return [...own, ...message.nestedType.flatMap(referredBy)];
}

/** The top-level type that a type stands in. */
function ownerOf(name: string, types: Types): string {
  for (let owner = name; owner !== ''; owner = owner.slice(0, Math.max(0, owner.lastIndexOf('.')))) {
    if (types.has(owner)) return owner;
  }
  throw new Error(`Istio's API has no ${name}`);
}

type File = ReturnType<typeof create<typeof FileDescriptorProtoSchema>>;

/** A file per package, those that others import first. */
function filesOf(types: ReadonlyMap<string, TopLevel>): File[] {
  const files = new Map<string, File>();
  const done: File[] = [];
  const byName = new Map([...types].sort(([a], [b]) => (a < b ? -1 : 1)));
  for (const { pack, syntax, message, enumType } of byName.values()) {
    const file = files.get(pack) ?? create(FileDescriptorProtoSchema, { name: `${pack}.proto`, package: pack, syntax });
    files.set(pack, file);
    if (message !== undefined) file.messageType.push(message);
    if (enumType !== undefined) file.enumType.push(enumType);
  }
  const packageOf = (name: string): string => byName.get(ownerOf(name, byName))?.pack ?? '';
  const visit = (pack: string, above: readonly string[]): void => {
    const file = files.get(pack);
    if (file === undefined || done.includes(file)) return;
    if (above.includes(pack)) throw new Error(`packages import each other: ${[...above, pack].join(', ')}`);
    const imported = new Set(file.messageType.flatMap(referredBy).map(packageOf));
    imported.delete(pack);
    for (const other of [...imported].sort()) {
      visit(other, [...above, pack]);
      file.dependency.push(`${other}.proto`);
    }
    done.push(file);
  };
  for (const pack of files.keys()) visit(pack, []);
  return done;
}
