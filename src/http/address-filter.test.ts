import { describe, expect, test } from 'vitest';
import { closedBecause } from './address-filter.ts';

const strict = { allowed: [] };

describe('addresses that a tenant may name', () => {
  test.each([
    '8.8.8.8',
    '1.1.1.1',
    '93.184.216.34',
    '172.15.0.1',
    '172.32.0.1',
    '100.63.0.1',
    '100.128.0.1',
    '2606:4700::1111',
    '2a00:1450:4001::200e',
  ])('%s is of the internet', (address) => {
    expect(closedBecause(address, strict)).toBeUndefined();
  });

  test.each([
    ['127.0.0.1', 'loopback'],
    ['127.255.255.254', 'loopback'],
    ['0.0.0.0', 'this network'],
    ['0.1.2.3', 'this network'],
    ['10.0.0.1', 'private'],
    ['172.16.0.1', 'private'],
    ['172.31.255.255', 'private'],
    ['192.168.1.1', 'private'],
    ['100.64.0.1', 'shared by a carrier'],
    ['169.254.169.254', 'link-local'],
    ['192.0.0.8', 'reserved'],
    ['192.0.2.1', 'for documentation'],
    ['198.18.0.1', 'for benchmarks'],
    ['198.51.100.1', 'for documentation'],
    ['203.0.113.1', 'for documentation'],
    ['224.0.0.1', 'multicast'],
    ['240.0.0.1', 'reserved'],
    ['255.255.255.255', 'reserved'],
    ['::', 'unspecified'],
    ['::1', 'loopback'],
    ['0:0:0:0:0:0:0:1', 'loopback'],
    ['::ffff:127.0.0.1', 'an IPv4 address in disguise'],
    ['::ffff:8.8.8.8', 'an IPv4 address in disguise'],
    ['::ffff:7f00:1', 'an IPv4 address in disguise'],
    ['::127.0.0.1', 'an IPv4 address in disguise'],
    ['64:ff9b::7f00:1', 'an IPv4 address behind NAT64'],
    ['64:ff9b::10.0.0.1', 'an IPv4 address behind NAT64'],
    ['64:ff9b:1::a00:1', 'an IPv4 address behind NAT64'],
    ['2002:7f00:1::', 'an IPv4 address behind 6to4'],
    ['2001:0:7f00:1::', 'reserved'],
    ['2001:db8::1', 'for documentation'],
    ['3fff::1', 'for documentation'],
    ['fc00::1', 'private'],
    ['fd12:3456::1', 'private'],
    ['fe80::1', 'link-local'],
    ['fe80::1%eth0', 'link-local'],
    ['fec0::1', 'site-local'],
    ['ff02::1', 'multicast'],
    ['100::1', 'reserved'],
    ['5f00::1', 'reserved'],
    ['4000::1', 'reserved'],
    ['127.1', 'no address'],
    ['2130706433', 'no address'],
    ['0x7f000001', 'no address'],
    ['0177.0.0.1', 'no address'],
    ['localhost', 'no address'],
    ['', 'no address'],
  ])('%s is not: %s', (address, reason) => {
    expect(closedBecause(address, strict)).toBe(reason);
  });

  test('what is allowed is allowed, and nothing beside it', () => {
    const filter = { allowed: ['10.96.0.0/12', 'fd00::/8'] };
    expect(closedBecause('10.96.0.10', filter)).toBeUndefined();
    expect(closedBecause('10.112.0.1', filter)).toBe('private');
    expect(closedBecause('fd12::1', filter)).toBeUndefined();
    expect(closedBecause('::ffff:10.96.0.10', filter)).toBe('an IPv4 address in disguise');
  });
});
