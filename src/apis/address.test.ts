import { describe, expect, it } from 'vitest';
import { isCidr, isIp, isSubnet, isUsableUnixAddress, splitHostPort } from './address.ts';

describe.each([
  [
    'isIp',
    isIp,
    ['0.0.0.0', '255.255.255.255', '::', '::1', '2001:DB8::1', '::ffff:10.0.0.1'],
    [
      '',
      '1',
      '1.2.3',
      '1.2.3.4.5',
      '256.1.1.1',
      '01.2.3.4',
      '1.2.3.4/32',
      'a',
      '1::2::3',
      'fe80::1%eth0',
      '[::1]',
      ' 1.1.1.1',
    ],
  ],
  [
    'isCidr',
    isCidr,
    ['10.0.0.0/8', '10.1.2.3/32', '0.0.0.0/0', '::/0', '2001:db8::/128'],
    ['10.0.0.0', '10.0.0.0/33', '::/129', '10.0.0.0/', '/8', '10.0.0.0/8/8', '10.0.0.0/-1', '10.0.0/8', '10.0.0.0/8a'],
  ],
  ['isSubnet', isSubnet, ['10.0.0.1', '10.0.0.0/8', '::1', '::/0'], ['a', '10.0.0.0/99', '']],
  [
    'isUsableUnixAddress',
    isUsableUnixAddress,
    ['unix:///a', 'unix:///a/b.sock', 'unix://@a', 'unix://@'],
    ['', 'unix://', 'unix://a', 'unix:///a/', '/a', 'unix:/a'],
  ],
])('%s', (_, is, good, bad) => {
  it.each(good)('takes %j', (text) => {
    expect(is(text)).toBe(true);
  });

  it.each(bad)('refuses %j', (text) => {
    expect(is(text)).toBe(false);
  });
});

describe('splitHostPort', () => {
  it.each([
    ['a.com:80', { host: 'a.com', port: 80 }],
    [':80', { host: '', port: 80 }],
    ['[::1]:80', { host: '::1', port: 80 }],
    ['127.0.0.1:0', { host: '127.0.0.1', port: 0 }],
  ])('splits %s', (text, parts) => {
    expect(splitHostPort(text)).toEqual(parts);
  });

  it.each(['', 'a', 'a:', '::1:80', 'a:b', 'a:80:90', '[::1]'])('cannot split %j', (text) => {
    expect(splitHostPort(text)).toBeUndefined();
  });
});
