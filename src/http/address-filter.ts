import ipaddr from 'ipaddr.js';

/**
 * Which addresses may be asked for something that a tenant named: those of the internet. What is beside us, or stands for what is,
 * is reached only where somebody allowed it: a control plane must not be made to talk to its neighbours.
 */
export type AddressFilter = {
  /** Blocks that are allowed although they are not of the internet: `10.96.0.0/12`. */
  readonly allowed: readonly string[];
};

type Block = readonly [address: string, bits: number, what: string];

/** RFC 6890 and the registries of IANA that it began. */
const closedIpv4: readonly Block[] = [
  ['0.0.0.0', 8, 'this network'],
  ['10.0.0.0', 8, 'private'],
  ['100.64.0.0', 10, 'shared by a carrier'],
  ['127.0.0.0', 8, 'loopback'],
  ['169.254.0.0', 16, 'link-local'],
  ['172.16.0.0', 12, 'private'],
  ['192.0.0.0', 24, 'reserved'],
  ['192.0.2.0', 24, 'for documentation'],
  ['192.31.196.0', 24, 'reserved'],
  ['192.52.193.0', 24, 'reserved'],
  ['192.88.99.0', 24, 'reserved'],
  ['192.168.0.0', 16, 'private'],
  ['192.175.48.0', 24, 'reserved'],
  ['198.18.0.0', 15, 'for benchmarks'],
  ['198.51.100.0', 24, 'for documentation'],
  ['203.0.113.0', 24, 'for documentation'],
  ['224.0.0.0', 4, 'multicast'],
  ['240.0.0.0', 4, 'reserved'],
];

/** The most specific first, for what is said. Outside of 2000::/3 nothing is of the internet. */
const closedIpv6: readonly Block[] = [
  ['::1', 128, 'loopback'],
  ['::', 128, 'unspecified'],
  ['::ffff:0:0', 96, 'an IPv4 address in disguise'],
  ['::', 96, 'an IPv4 address in disguise'],
  ['64:ff9b::', 96, 'an IPv4 address behind NAT64'],
  ['64:ff9b:1::', 48, 'an IPv4 address behind NAT64'],
  ['2001::', 23, 'reserved'],
  ['2001:db8::', 32, 'for documentation'],
  ['2002::', 16, 'an IPv4 address behind 6to4'],
  ['2620:4f:8000::', 48, 'reserved'],
  ['3fff::', 20, 'for documentation'],
  ['fc00::', 7, 'private'],
  ['fe80::', 10, 'link-local'],
  ['fec0::', 10, 'site-local'],
  ['ff00::', 8, 'multicast'],
];

/** Why an address is not asked; undefined if it may be. What is no address may not. */
export function closedBecause(address: string, { allowed }: AddressFilter): string | undefined {
  const [bare = ''] = address.split('%');
  if (!ipaddr.isValid(bare) || (!bare.includes(':') && !ipaddr.IPv4.isValidFourPartDecimal(bare))) return 'no address';
  const parsed = ipaddr.parse(bare);
  if (allowed.some((block) => isIn(parsed, ipaddr.parseCIDR(block)))) return undefined;
  const closed = parsed.kind() === 'ipv4' ? closedIpv4 : closedIpv6;
  const found = closed.find(([start, bits]) => isIn(parsed, [ipaddr.parse(start), bits]));
  if (found !== undefined) return found[2];
  return parsed.kind() === 'ipv4' || isIn(parsed, [ipaddr.parse('2000::'), 3]) ? undefined : 'reserved';
}

type Parsed = ipaddr.IPv4 | ipaddr.IPv6;

/** Addresses of one kind only: a block of IPv4 does not open what IPv6 makes of it. */
function isIn(address: Parsed, [start, bits]: readonly [Parsed, number]): boolean {
  return address.kind() === start.kind() && address.match(start, bits);
}
