import { describe, expect, it } from 'vitest';
import { isDnsLabel, isDnsName, isLabelKey, isLabelValue, isWildcardDnsName } from './names.ts';

const long = 'a'.repeat(63);

describe.each([
  ['isDnsLabel', isDnsLabel, ['a', 'A', '0', 'a-b', long], ['', '-a', 'a-', 'a_b', 'a.b', `${long}a`, 'ä', 'a\n']],
  [
    'isDnsName',
    isDnsName,
    ['reviews', 'a.b', 'a.b.', 'A.b', '1.a', `${long}.${long}.${long}.${long}`],
    ['', '.', '..', 'a..b', '.a', '*.a', 'a.1', '1', 'a.b..', `${long}.${long}.${long}.${long}.`, 'a b'],
  ],
  [
    'isWildcardDnsName',
    isWildcardDnsName,
    ['*', '*.a', '*a', '*-a', '*.a.b', 'a.b', '*abc.d', 'a', '*.a.'],
    ['', '**', '*a*', 'a*', 'a*.b', 'a.*', '*.*', '*.1', '*.', '*_a', '*-', `*${long}`],
  ],
  [
    'isLabelKey',
    isLabelKey,
    ['app', 'app.kubernetes.io/name', 'a/B_c.d-e', long],
    ['', '/', 'a/', '/a', 'a/b/c', '-a', 'a b', `${long}a`, 'a_b/c', `${`${'a'.repeat(60)}.`.repeat(5)}a/b`],
  ],
  ['isLabelValue', isLabelValue, ['', 'a', 'a_b.c-d', '1', 'a'.repeat(200)], ['-', 'a-', '.a', 'a b', '*', 'ä']],
])('%s', (_, is, good, bad) => {
  it.each(good)('takes %j', (text) => {
    expect(is(text)).toBe(true);
  });

  it.each(bad)('refuses %j', (text) => {
    expect(is(text)).toBe(false);
  });
});
