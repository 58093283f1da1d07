import { describe, expect, test } from 'vitest';
import { parseJson } from './json-text.ts';

function parse(text: string): ReturnType<typeof parseJson> {
  return parseJson(Buffer.from(text), 3);
}

describe('JSON of a stranger', () => {
  test.each(['[[[1]]]', '{"a":[{}]}', '"[[[[[["', '{"a\\"[[[[":"\\\\","b":[[]]}', '[[],[],[[]]]', 'null'])(
    '%s is read',
    (text) => {
      expect(parse(text)).toEqual({ ok: true, value: JSON.parse(text) as unknown });
    },
  );

  test.each(['[[[[1]]]]', '{"a":[{"b":{}}]}', '["\\\\",[[[]]]]', '[[[['])('%s is too deep', (text) => {
    expect(parse(text)).toEqual({ ok: false, error: 'nested more than 3 levels deep' });
  });

  test.each(['', '{', '[1,]', '{"a":1}}', '\ufeff{}'])('%j is no JSON', (text) => {
    expect(parse(text).ok).toBe(false);
  });
});
