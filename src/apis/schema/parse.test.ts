import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { renderIssue } from '../testing/judge.ts';
import { double, duration, flag, int64, protoEnum, struct, text, textList, textMap, uint32 } from './fields.ts';
import { atMostOne, exactlyOne } from './oneof.ts';
import { isBlind, issuesOf, parseBody } from './parse.ts';

const inner = z.strictObject({ retryOn: text.optional(), h2UpgradePolicy: flag.optional() });

const schema = z.strictObject({
  name: text,
  count: uint32.optional(),
  big: int64.optional(),
  share: double.optional(),
  mode: protoEnum(['NONE', 'MUTUAL_TLS', 'INHERIT'], { INHERIT: 1000 }).optional(),
  consecutive5xxErrors: uint32.optional(),
  wait: duration.optional(),
  list: z.array(inner).optional(),
  texts: textList.optional(),
  labels: textMap.optional(),
  byName: z.record(z.string(), inner).optional(),
  anything: struct.optional(),
  one: atMostOne(z.strictObject({ a: text.optional(), b: text.optional() }), ['a', 'b']).optional(),
  each: exactlyOne(z.strictObject({ a: text.optional(), b: text.optional() }), ['a', 'b']).optional(),
});

function read(body: object): ReturnType<typeof parseBody<z.infer<typeof schema>>> {
  return parseBody(schema, { name: 'x', ...body }, ['spec']);
}

describe('parseBody: spellings of protobuf JSON', () => {
  it.each([
    [
      'proto names',
      { list: [{ retry_on: 'a', h2_upgrade_policy: true }], by_name: { k_k: { retry_on: 'b' } } },
      { list: [{ retryOn: 'a', h2UpgradePolicy: true }], byName: { k_k: { retryOn: 'b' } } },
    ],
    ['proto names with digits', { consecutive_5xx_errors: 3 }, { consecutive5xxErrors: 3 }],
    ['an enum by number', { mode: 1 }, { mode: 'MUTUAL_TLS' }],
    ['an enum by an odd number', { mode: 1000 }, { mode: 'INHERIT' }],
    ['numbers in quotes', { count: '5', big: '-7', share: '0.5' }, { count: 5, big: -7, share: 0.5 }],
    ['null as absent', { count: null, list: null }, {}],
    ['an empty message as set', { one: {} }, { one: {} }],
    [
      'anything where anything goes',
      { anything: { a_b: [null, { c_d: 1 }] } },
      { anything: { a_b: [null, { c_d: 1 }] } },
    ],
    ['Go durations', { wait: '1h2m' }, { wait: '1h2m' }],
  ])('%s', (_, body, spec) => {
    expect(read(body)).toMatchObject({ spec: { name: 'x', ...spec }, issues: [] });
    expect(read(body).spec).toEqual({ name: 'x', ...spec });
  });
});

describe('parseBody: what cannot be read', () => {
  it.each([
    [
      'text for a number',
      { count: 'many' },
      'error XEB0001 spec.count',
      'has the wrong type (got text "many", allowed a number)',
    ],
    [
      'a fraction for a count',
      { count: 1.5 },
      'error XEB0001 spec.count',
      'has the wrong type (got number 1.5, allowed a whole number)',
    ],
    [
      'a negative count',
      { count: -1 },
      'error XEB0007 spec.count',
      'is out of range (got number -1, allowed 0 or more)',
    ],
    [
      'a count of more than 32 bits',
      { count: 2 ** 32 },
      'error XEB0007 spec.count',
      'is out of range (got number 4294967296, allowed 4294967295 or less)',
    ],
    [
      'a number for text',
      { name: 1 },
      'error XEB0001 spec.name',
      'has the wrong type (got number 1, allowed text); put it in quotes',
    ],
    [
      'true for text',
      { labels: { a: true } },
      'error XEB0001 spec.labels.a',
      'has the wrong type (got true, allowed text); put it in quotes',
    ],
    [
      'null in a map',
      { labels: { a: null } },
      'error XEB0001 spec.labels.a',
      'has the wrong type (got null, allowed text); remove it, or write what belongs here',
    ],
    [
      'null in a list',
      { texts: [null] },
      'error XEB0001 spec.texts[0]',
      'has the wrong type (got null, allowed text); remove it, or write what belongs here',
    ],
    [
      'text for a list',
      { texts: 'a' },
      'error XEB0001 spec.texts',
      'has the wrong type (got text "a", allowed a list); write ["a"]',
    ],
    [
      'a list for an object',
      { one: [] },
      'error XEB0001 spec.one',
      'has the wrong type (got an empty list, allowed an object with a, b); write it without the -, as one object',
    ],
    [
      'an object for a list',
      { list: { retryOn: 'a' } },
      'error XEB0001 spec.list',
      'has the wrong type (got an object, allowed a list); start each entry with -',
    ],
    [
      'text for an object that has a text',
      { one: 'x' },
      'error XEB0001 spec.one',
      'has the wrong type (got text "x", allowed an object with a, b); write {a: "x"}',
    ],
    [
      'null for an object',
      { list: [null] },
      'error XEB0001 spec.list[0]',
      'has the wrong type (got null, allowed an object with retryOn, h2UpgradePolicy); remove it, or write what belongs here',
    ],
    [
      'text that YAML takes for an object',
      { texts: [{ '2001:db8:': null }] },
      'error XEB0001 spec.texts[0]',
      'has the wrong type (got an object, allowed text); if it is text with a colon, put it in quotes',
    ],
    [
      'a percentage for a number',
      { count: '50%' },
      'error XEB0001 spec.count',
      'has the wrong type (got text "50%", allowed a number); write 50',
    ],
    [
      'a flag in quotes',
      { list: [{ h2UpgradePolicy: 'true' }] },
      'error XEB0001 spec.list[0].h2UpgradePolicy',
      'has the wrong type (got text "true", allowed true or false); write it without quotes',
    ],
    [
      'a list for a map',
      { labels: [] },
      'error XEB0001 spec.labels',
      'has the wrong type (got an empty list, allowed an object)',
    ],
    [
      'a number for a duration',
      { wait: 5 },
      'error XEB0001 spec.wait',
      'has the wrong type (got number 5, allowed a number with a unit, such as 100ms, 1.5s or 1m30s); write 5s, if seconds are meant',
    ],
    [
      'text that is no duration',
      { wait: 'soon' },
      'error XEB0004 spec.wait',
      'is not a duration (got text "soon", allowed a number with a unit, such as 100ms, 1.5s or 1m30s)',
    ],
    [
      'an unknown name',
      { mode: 'MUTUAL_TSL' },
      'error XEB0003 spec.mode',
      'is not a known value (got text "MUTUAL_TSL", allowed NONE, MUTUAL_TLS, INHERIT); did you mean MUTUAL_TLS?',
    ],
    [
      'an unknown number',
      { mode: 7 },
      'error XEB0003 spec.mode',
      'is not a known value (got number 7, allowed NONE, MUTUAL_TLS, INHERIT)',
    ],
    [
      'two of a oneof',
      { one: { a: '1', b: '2' } },
      'error XEB0005 spec.one.b',
      'cannot be set together with a (got text "2", allowed one of a, b)',
    ],
    [
      'two of exactly one',
      { each: { a: '1', b: '2' } },
      'error XEB0005 spec.each.b',
      'cannot be set together with a (got text "2", allowed one of a, b)',
    ],
    [
      'none of exactly one',
      { each: {} },
      'error XEB0006 spec.each',
      'has none of its alternatives (got an empty object, allowed exactly one of a, b)',
    ],
    [
      'one field in two spellings',
      { by_name: {}, byName: {} },
      'error XEB0012 spec.byName',
      'is the same field as byName, which is given as well; keep one of them',
    ],
  ])('%s', (_, body, line, message) => {
    const { spec, issues } = read(body);
    expect(spec).toBeUndefined();
    expect(issues.map(renderIssue)).toEqual([line]);
    expect(issues[0]?.message).toBe(message);
  });

  it('says that a required field is missing', () => {
    expect(parseBody(schema, {}, ['spec']).issues).toEqual([
      { code: 'XEB0002', level: 'error', path: ['spec', 'name'], message: 'is required and missing; add it' },
    ]);
  });

  it('says what the missing field would be', () => {
    const outer = z.strictObject({ port: z.strictObject({ number: uint32.optional(), name: text.optional() }) });
    expect(parseBody(outer, {}, []).issues[0]?.message).toBe(
      'is required and missing; add it, an object with number, name',
    );
  });

  it('reports everything at once', () => {
    const { issues } = read({ count: 'x', wait: 'y', texts: [1, 2], nam: 'z' });
    expect(issues.map(renderIssue)).toEqual([
      'warning XEB0008 spec.nam',
      'error XEB0001 spec.count',
      'error XEB0004 spec.wait',
      'error XEB0001 spec.texts[0]',
      'error XEB0001 spec.texts[1]',
    ]);
  });
});

describe('parseBody: unknown fields', () => {
  it('drops them with a warning that names the nearest known one, and keeps the rest', () => {
    const { spec, issues } = read({ list: [{ retryOm: 'a', retryOn: 'b' }] });
    expect(spec).toEqual({ name: 'x', list: [{ retryOn: 'b' }] });
    expect(issues).toEqual([
      {
        code: 'XEB0008',
        level: 'warning',
        path: ['spec', 'list', 0, 'retryOm'],
        message: 'is not a known field and is ignored; did you mean retryOn?',
      },
    ]);
  });

  const nested = z.strictObject({
    match: z
      .array(z.strictObject({ uri: z.strictObject({ prefix: text.optional() }).optional(), port: uint32.optional() }))
      .optional(),
    route: z.array(z.strictObject({ weight: uint32.optional() })).optional(),
    selector: z.strictObject({ labels: textMap.optional() }).optional(),
    empty: z.strictObject({}).optional(),
  });

  it.each([
    ['a line that is indented too little', { match: [{ uri: null, prefix: '/' }] }, 'it belongs below uri'],
    ['a line without what it belongs to', { weight: 1 }, 'it belongs below route'],
    ['a line that is indented too much', { match: [{ route: [] }] }, 'it belongs to spec: indent it less'],
    ['an entry of a map', { selector: { app: 'a' } }, 'if it is one of the labels, indent it below labels'],
    ['something else', { match: [{ zzz: 1 }] }, 'remove it, or use one of uri, port'],
    ['anything in an empty object', { empty: { a: 1 } }, 'remove it, or look it up'],
    ['a name that goes on', { selectorLabels: 1 }, 'did you mean selector?'],
  ])('says what to do about %s', (_, body, remedy) => {
    const { issues } = parseBody(nested, body, ['spec']);
    expect(issues.map(({ message }) => message)).toEqual([`is not a known field and is ignored; ${remedy}`]);
  });

  it.each(['__proto__', 'constructor', 'toString', 'hasOwnProperty'])('knows no field %s', (key) => {
    const body: unknown = JSON.parse(`{"name":"x","${key}":{"polluted":true}}`);
    const { spec, issues } = parseBody(schema, body, ['spec']);
    expect(spec).toEqual({ name: 'x' });
    expect(issues.map(renderIssue)).toEqual([`warning XEB0008 spec.${key}`]);
    expect(({} as { polluted?: boolean }).polluted).toBeUndefined();
  });

  it('keeps keys of maps that every object has, except the one that would change the object', () => {
    const body: unknown = JSON.parse(
      '{"name":"x","labels":{"constructor":"a","toString":"b","__proto__":"c"},"typo":1}',
    );
    const { spec } = parseBody(schema, body, ['spec']);
    expect(Object.entries(spec?.labels ?? {})).toEqual([
      ['constructor', 'a'],
      ['toString', 'b'],
    ]);
  });

  it('names a hundred of very many', () => {
    const body = Object.fromEntries(Array.from({ length: 100_000 }, (_, index) => [`unknown${index}`, 1]));
    expect(read(body)).toMatchObject({ spec: { name: 'x' } });
    expect(read(body).issues).toHaveLength(100);
  });

  it('does not follow what is nested below an unknown field or inside anything', () => {
    let deep: unknown = 'end';
    for (let level = 0; level < 20_000; level += 1) deep = { deep };
    expect(read({ deep }).issues.map(renderIssue)).toEqual(['warning XEB0008 spec.deep']);
    expect(read({ anything: { deep }, typo: 1 }).issues).toHaveLength(1);
  });
});

describe('parseBody: drafts', () => {
  it('empties what cannot be read, so that the rest can be judged', () => {
    const { draft, blind } = read({
      name: 5,
      count: 'x',
      list: [{ retryOn: 1 }, { retryOn: 'a' }],
      texts: ['a', 1],
      labels: { a: 1, b: 'c' },
    });
    expect(draft).toEqual({ name: '', list: [{}, { retryOn: 'a' }], texts: ['a', ''], labels: { b: 'c' } });
    expect(blind).toContainEqual(['spec', 'list', 0, 'retryOn']);
  });

  it('takes for a misspelled name the one that was most likely meant', () => {
    expect(read({ mode: 'mutual_tls' }).draft).toEqual({ name: 'x', mode: 'MUTUAL_TLS' });
    expect(read({ mode: 'strict' }).draft).toEqual({ name: 'x' });
  });

  it('names a hundred of very many problems, and judges no rest of it', () => {
    const { spec, draft, issues } = read({ name: 'x', texts: Array.from({ length: 100_000 }, (_, index) => index) });
    expect([spec, draft, issues.length]).toEqual([undefined, undefined, 100]);
  });

  it('of very many judgements keeps the errors', () => {
    const parsed = read({ name: 'x' });
    const warning = { code: 'XEB0130', level: 'warning', path: ['spec'], message: 'is odd' } as const;
    const error = { ...warning, level: 'error' } as const;
    const judged = issuesOf(parsed, () => [...Array.from({ length: 1000 }, () => warning), error]);
    expect([judged.length, judged[0]]).toEqual([100, error]);
  });

  it('knows what rests on an emptied place', () => {
    const blind = [['spec', 'list', 0]] as const;
    expect(isBlind(['spec', 'list', 0, 'retryOn'], blind)).toBe(true);
    expect(isBlind(['spec', 'list'], blind)).toBe(true);
    expect(isBlind(['spec', 'list', 1], blind)).toBe(false);
    expect(isBlind(['spec', 'texts'], blind)).toBe(false);
  });

  it.each([null, 1, 'a', [], true])('gives up on %j', (body) => {
    expect(parseBody(schema, body, ['spec']).spec).toBeUndefined();
  });
});
