import { describe, expect, it } from 'vitest';
import { findGuilty } from './nack.ts';
import { encodeResource } from './resource.ts';

function guiltyOf(message: string, names: readonly string[]): readonly string[] {
  const resources = names.map((name) =>
    encodeResource({ typeUrl: 't', name, value: Buffer.from(name), needs: [], origins: [] }),
  );
  return findGuilty(message, resources).map(({ name }) => name);
}

describe('findGuilty', () => {
  it.each([
    [
      'one listener',
      'Error adding/updating listener(s) 0.0.0.0_80: no filter named x\n',
      ['0.0.0.0_80', '0.0.0.0_81'],
      ['0.0.0.0_80'],
    ],
    ['several listeners', 'Error adding/updating listener(s) a: no\nb: no\n', ['a', 'b', 'c'], ['a', 'b']],
    [
      'several clusters',
      'Error adding/updating cluster(s) outbound|80||x: no, outbound|80||y: no',
      ['outbound|80||x', 'outbound|80||y', 'z'],
      ['outbound|80||x', 'outbound|80||y'],
    ],
    [
      'not whom the reason mentions',
      "Error adding/updating listener(s) a: duplicate address as existing listener 'b'",
      ['a', 'b'],
      ['a'],
    ],
    ['a quoted name', "Only unique names are permitted in route configuration '80'", ['80', '8080'], ['80']],
    [
      'a mentioned name',
      'Proto constraint validation failed in outbound|80|v1|reviews (connect_timeout)',
      ['outbound|80|v1|reviews', 'outbound|80||reviews'],
      ['outbound|80|v1|reviews'],
    ],
    ['not a name within another', 'something with outbound|80||reviews.default', ['outbound|80||reviews'], []],
    ['not a short name by chance', 'invalid value at line 80', ['80'], []],
    ['nobody', 'INTERNAL', ['a', 'b'], []],
  ])('finds %s', (_, message, names, guilty) => {
    expect(guiltyOf(message, names)).toEqual(guilty);
  });
});
