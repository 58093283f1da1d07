// TypeScript names: the message's own name where that is clear, else with as many words of its package before it as it takes.
import type { DescEnum, DescMessage } from '@bufbuild/protobuf';

// Where several packages use a name, the ones people mean when they say it plainly keep it.
const plainPackages = [
  /^envoy\.config\.(cluster|core|endpoint|listener|route)\.v3$/,
  /^envoy\.service\.discovery\.v3$/,
  /^envoy\.type\.v3$/,
  /^envoy\.type\.matcher\.v3$/,
  /^google\.protobuf$/,
];

// Names that mean something else in every TypeScript file.
const taken = new Set(['Any', 'Record', 'Readonly', 'Uint8Array', 'OneOf', 'Messages', 'Error', 'Map', 'Set', 'Date']);

export function nameTypes(types: readonly Type[]): ReadonlyMap<string, string> {
  const words = new Map<Type, number>();
  for (const [short, group] of Map.groupBy(types, shortName)) {
    const api = group.filter((type) => !isOwn(type));
    const plain = api.length === 1 ? api : api.filter(isPlain);
    for (const type of group) words.set(type, plain.length === 1 && type === plain[0] && !taken.has(short) ? 0 : 1);
  }
  const nameOf = (type: Type): string => {
    const count = words.get(type) ?? 0;
    return (count === 0 ? '' : packageWords(type).slice(-count).join('')) + shortName(type);
  };
  const clashing = (): Type[][] => [...Map.groupBy(types, nameOf).values()].filter((group) => group.length > 1);
  for (let groups = clashing(); groups.length > 0; groups = clashing()) {
    for (const type of groups.flat()) lengthen(type, words);
  }
  const names = new Map(types.map((type) => [type.typeName, nameOf(type)]));
  return names.set('google.protobuf.Any', 'Any');
}

type Type = DescMessage | DescEnum;

/** A name that needed no word so far keeps it: the other one of the pair moves away. */
function lengthen(type: Type, words: Map<Type, number>): void {
  const count = words.get(type) ?? 0;
  if (count > packageWords(type).length) throw new Error(`no name of its own for ${type.typeName}`);
  if (count > 0) words.set(type, count + 1);
}

/** A message added to proto/ must not rename one of Envoy's, so ours always carry a word of their package. */
function isOwn(type: Type): boolean {
  return type.file.proto.package.startsWith('istio.');
}

function isPlain(type: Type): boolean {
  return plainPackages.some((pattern) => pattern.test(type.file.proto.package));
}

/** The name within its package: Outer_Inner. */
function shortName(type: Type): string {
  const inPackage = type.typeName.slice(type.file.proto.package.length).replace(/^\./, '');
  return inPackage.replaceAll('.', '_');
}

function packageWords(type: Type): readonly string[] {
  const parts = type.file.proto.package.split('.').filter((part) => !/^v\d+(alpha|beta)?\d*$/.test(part));
  return parts.map((part) => part.replaceAll(/(?:^|_)(\w)/g, (_, letter: string) => letter.toUpperCase()));
}
