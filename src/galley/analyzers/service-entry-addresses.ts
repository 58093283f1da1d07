import ipaddr from 'ipaddr.js';
import { isHttpProtocol, isTlsProtocol, parseProtocol } from '../../apis/protocol.ts';
import type { Diagnostic } from '../../model/diagnostic.ts';
import { type ConfigObject, refOf, renderRef } from '../../model/object.ts';
import { type Analyzer, about } from './analyzer.ts';
import { audienceOf, overlap } from './visibility.ts';

type Block = {
  readonly object: ConfigObject<'ServiceEntry'>;
  readonly index: number;
  readonly address: ipaddr.IPv4 | ipaddr.IPv6;
  readonly bits: number;
};

/** Two ServiceEntries have the same address for a port whose bytes do not say which host is meant. */
export const serviceEntryAddresses: Analyzer = {
  name: 'service-entry-addresses',
  run: ({ snapshot: { objects, mesh } }) => {
    const blocks = objects.ServiceEntry.filter((object) => opaquePorts(object).size > 0).flatMap(blocksOf);
    const exact = Map.groupBy(blocks.filter(isSingle), (block) => block.address.toNormalizedString());
    const wide = blocks.filter((block) => !isSingle(block));
    const mayMeet = (a: Block, b: Block): boolean =>
      a.object !== b.object && sharedPort(a, b) !== undefined && overlap(audienceFor(a), audienceFor(b));
    const audienceFor = ({ object }: Block): ReturnType<typeof audienceOf> =>
      audienceOf(object.spec.exportTo, mesh.defaultServiceExportTo, object.meta.namespace);
    const position = new Map(blocks.map((block, index) => [block, index]));
    return blocks.flatMap((block, index) => {
      const candidates = isSingle(block) ? [...(exact.get(block.address.toNormalizedString()) ?? []), ...wide] : blocks;
      const first = candidates.find(
        (other) => (position.get(other) ?? index) < index && mayMeet(other, block) && meets(other, block),
      );
      return first === undefined ? [] : [conflict(block, first)];
    });
  },
};

function conflict(block: Block, first: Block): Diagnostic {
  const { object, index } = block;
  const address = object.spec.addresses?.[index] ?? '';
  const message = `${address} port ${sharedPort(block, first)} belongs to ${renderRef(refOf(first.object))} too, and plain TCP does not say which is meant: use another address`;
  return about(object, { code: 'XEB1104', level: 'warning', path: ['spec', 'addresses', index], message });
}

function blocksOf(object: ConfigObject<'ServiceEntry'>): readonly Block[] {
  return (object.spec.addresses ?? []).flatMap((text, index) => {
    const [address, bits] = text.includes('/') ? text.split('/') : [text, undefined];
    if (address === undefined || !ipaddr.isValid(address)) return [];
    const parsed = ipaddr.parse(address);
    const all = parsed.kind() === 'ipv4' ? 32 : 128;
    return [{ object, index, address: parsed, bits: bits === undefined ? all : Number(bits) }];
  });
}

function isSingle({ address, bits }: Block): boolean {
  return bits === (address.kind() === 'ipv4' ? 32 : 128);
}

function meets(a: Block, b: Block): boolean {
  if (a.address.kind() !== b.address.kind()) return false;
  const bits = Math.min(a.bits, b.bits);
  const ours = a.address.toByteArray();
  const theirs = b.address.toByteArray();
  return ours.every((byte, index) => {
    const relevant = Math.min(8, Math.max(0, bits - index * 8));
    const mask = (0xff << (8 - relevant)) & 0xff;
    return (byte & mask) === ((theirs[index] ?? 0) & mask);
  });
}

function sharedPort(a: Block, b: Block): number | undefined {
  const theirs = opaquePorts(b.object);
  for (const port of opaquePorts(a.object)) if (theirs.has(port)) return port;
  return undefined;
}

/** Ports whose first bytes name no host. */
function opaquePorts({ spec }: ConfigObject<'ServiceEntry'>): ReadonlySet<number> {
  const opaque = (spec.ports ?? []).filter((port) => {
    const protocol = parseProtocol(port.protocol);
    return protocol !== 'UDP' && !isHttpProtocol(protocol) && !isTlsProtocol(protocol);
  });
  return new Set(opaque.map((port) => port.number ?? 0));
}
