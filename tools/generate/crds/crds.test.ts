import { load } from 'js-yaml';
import { describe, expect, it } from 'vitest';
import { z } from 'zod';
import { collections } from '../../../src/apis/collections.ts';
import {
  duration,
  flag,
  int32,
  int64,
  protoEnum,
  struct,
  text,
  textMap,
  uint32,
} from '../../../src/apis/schema/fields.ts';
import { atMostOne, exactlyOne } from '../../../src/apis/schema/oneof.ts';
import { demandStructural } from './check-structural.ts';
import { buildCrdFiles, staleCrdFiles } from './files.ts';
import { buildSpecSchema, type JsonObject } from './spec-schema.ts';

const keep = { 'x-kubernetes-preserve-unknown-fields': true };

function membersOf(shape: z.ZodRawShape): unknown {
  return buildSpecSchema(z.strictObject(shape))['properties'];
}

describe('a schema in a CRD', () => {
  it('has types, enums and bounds, and nulls where Istio prints them', () => {
    expect(
      membersOf({
        name: text,
        time: duration.optional(),
        on: flag.optional(),
        port: uint32.optional(),
        order: int32.optional(),
        count: int64.optional(),
        share: z.number().optional(),
        mode: protoEnum(['A', 'B']).optional(),
      }),
    ).toEqual({
      name: { type: 'string' },
      time: { type: 'string' },
      on: { type: 'boolean', nullable: true },
      port: { type: 'integer', minimum: 0, maximum: 4_294_967_295, nullable: true },
      order: { type: 'integer', minimum: -2_147_483_648, maximum: 2_147_483_647, nullable: true },
      count: { type: 'integer', format: 'int64', nullable: true },
      share: { type: 'number', nullable: true },
      mode: { type: 'string', enum: ['A', 'B'] },
    });
  });

  it('keeps what it does not know in every object, and takes any object for a Struct', () => {
    expect(
      membersOf({
        free: struct.optional(),
        empty: z.strictObject({}).optional(),
        labels: textMap.optional(),
        list: z.array(z.strictObject({ a: text.optional() })).optional(),
        map: z.record(z.string(), z.strictObject({ a: text.optional() })).optional(),
      }),
    ).toEqual({
      free: { type: 'object', ...keep },
      empty: { type: 'object', ...keep },
      labels: { type: 'object', additionalProperties: { type: 'string' } },
      list: { type: 'array', items: { type: 'object', properties: { a: { type: 'string' } }, ...keep } },
      map: {
        type: 'object',
        additionalProperties: { type: 'object', properties: { a: { type: 'string' } }, ...keep },
      },
    });
  });

  it('demands only what has one spelling: retry_on is retryOn', () => {
    expect(buildSpecSchema(z.strictObject({ host: text, retryOn: text }))['required']).toEqual(['host']);
  });

  it('says a oneof as Istio does, and of one that must be set no more than it can know', () => {
    const shape = { a: text.optional(), b: text.optional(), longName: text.optional() };
    const either = [{ required: ['a'] }, { required: ['b'] }];
    const long = [{ required: ['a'] }, { required: ['longName'] }];
    const schemaOf = (schema: z.ZodType): JsonObject => buildSpecSchema(schema);
    expect(schemaOf(exactlyOne(z.strictObject(shape), ['a', 'b']))['oneOf']).toEqual(either);
    expect(schemaOf(atMostOne(z.strictObject(shape), ['a', 'b']))['oneOf']).toEqual([
      { not: { anyOf: either } },
      ...either,
    ]);
    expect(schemaOf(exactlyOne(z.strictObject(shape), ['a', 'longName']))['oneOf']).toEqual([
      { not: { anyOf: long } },
      ...long,
    ]);
    const two = atMostOne(atMostOne(z.strictObject(shape), ['a', 'b']), ['a', 'longName']);
    expect(schemaOf(two)['allOf']).toEqual([
      { oneOf: [{ not: { anyOf: either } }, ...either] },
      { oneOf: [{ not: { anyOf: long } }, ...long] },
    ]);
  });
});

describe('what an API server would not take', () => {
  const spec = (member: JsonObject): JsonObject => ({ type: 'object', properties: { a: member } });

  it.each<[string, JsonObject]>([
    ['spec.a $ref is not allowed', { $ref: '#/a' }],
    ['spec.a anyOf is not allowed', { anyOf: [] }],
    ['spec.a has no type', { description: 'a' }],
    ['spec.a has a type that is none', { type: ['string', 'null'] }],
    ['spec.a is an object and a map', { type: 'object', properties: {}, additionalProperties: { type: 'string' } }],
    ['spec.a is a map and keeps', { type: 'object', additionalProperties: { type: 'string' }, ...keep }],
    ['spec.a is a list without items', { type: 'array' }],
    ['spec.a is an enum that may be null', { type: 'string', enum: ['a'], nullable: true }],
    ['spec.a.* is not a schema', { type: 'object', additionalProperties: false }],
    ['spec.a[].b has no type', { type: 'array', items: { type: 'object', properties: { b: {} } } }],
    ['spec.a.oneOf: type must stand outside', { type: 'object', oneOf: [{ type: 'object' }] }],
  ])('%s', (problem, member) => {
    expect(() => {
      demandStructural(spec(member));
    }).toThrow(problem);
  });
});

describe('crds/', () => {
  it('is what the schemas say', () => {
    expect(staleCrdFiles()).toEqual([]);
  });

  it('has a definition of every kind, with one stored version, the newest', () => {
    const files = buildCrdFiles();
    const istio = Object.values(collections).filter(({ source }) => source === 'istio');
    expect(files.size).toBe(istio.length);
    for (const { plural, group, versions, shortNames, categories } of istio) {
      const definition = load(files.get(`${plural}.${group}.yaml`) ?? '');
      expect(definition).toMatchObject({
        metadata: { name: `${plural}.${group}`, labels: { release: 'istio' } },
        spec: {
          names: { plural, categories, ...(shortNames.length > 0 && { shortNames }) },
          versions: versions.map((name, index) => ({
            name,
            served: true,
            storage: index === 0,
            subresources: { status: {} },
          })),
        },
      });
    }
  });

  it('quotes what YAML 1.1 takes for something else', () => {
    expect(buildCrdFiles().get('clusterrbacconfigs.rbac.istio.io.yaml')).toContain("- 'OFF'");
  });
});
