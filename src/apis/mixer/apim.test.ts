import { describe, expect, it } from 'vitest';
import type { Kind } from '../collections.ts';
import { type Case, judge } from '../testing/judge.ts';

const attributes = { attributes: { 'api.service': { stringValue: 'shop' } } };
const pattern = { httpMethod: 'GET', uriTemplate: '/a' };

function api(members: object): object {
  return { attributes, patterns: [pattern], ...members };
}

function valued(value: object): object {
  return api({ attributes: { attributes: { a: value } } });
}

const apis: readonly Case[] = [
  ['the least', api({})],
  [
    'everything',
    {
      attributes: {
        attributes: {
          a: { stringValue: 'a' },
          b: { int64Value: '5' },
          c: { doubleValue: 1.5 },
          d: { boolValue: false },
          e: { bytesValue: 'AQID' },
          f: { timestampValue: '2020-01-31T12:00:00.5Z' },
          g: { durationValue: '1.5s' },
          h: { stringMapValue: { entries: { a: 'b' } } },
        },
      },
      patterns: [
        { httpMethod: 'GET', uriTemplate: '/a/{b}', attributes },
        { httpMethod: 'POST', regex: '^/x' },
      ],
      apiKeys: [{ query: 'key' }, { header: 'x-api-key' }, { cookie: 'k' }],
    },
  ],
  ['snake case', { attributes, patterns: [{ http_method: 'GET', uri_template: '/a' }], api_keys: [{ query: 'a' }] }],
  ['no attributes', { patterns: [pattern] }, 'error XEB0462 spec.attributes'],
  ['empty attributes', api({ attributes: { attributes: {} } }), 'error XEB0462 spec.attributes'],
  ['no value', valued({}), 'error XEB0462 spec.attributes.attributes.a'],
  ['empty text', valued({ stringValue: '' }), 'error XEB0462 spec.attributes.attributes.a.stringValue'],
  ['empty bytes', valued({ bytesValue: '' }), 'error XEB0462 spec.attributes.attributes.a.bytesValue'],
  ['bytes that are text', valued({ bytesValue: '?' }), 'error XEB0462 spec.attributes.attributes.a.bytesValue'],
  [
    'a day for a time',
    valued({ timestampValue: '2020-01-31' }),
    'error XEB0462 spec.attributes.attributes.a.timestampValue',
  ],
  [
    'no such time',
    valued({ timestampValue: '2020-13-31T12:00:00Z' }),
    'error XEB0462 spec.attributes.attributes.a.timestampValue',
  ],
  ['a bad duration', valued({ durationValue: 'soon' }), 'error XEB0004 spec.attributes.attributes.a.durationValue'],
  ['an empty map', valued({ stringMapValue: {} }), 'error XEB0462 spec.attributes.attributes.a.stringMapValue'],
  ['two values', valued({ stringValue: 'a', boolValue: true }), 'error XEB0005 spec.attributes.attributes.a.boolValue'],
  [
    'a value without its type',
    api({ attributes: { attributes: { a: 'b' } } }),
    'error XEB0001 spec.attributes.attributes.a',
  ],
  [
    'an attribute’s name',
    api({ attributes: { attributes: { 'a b': { stringValue: 'c' } } } }),
    'warning XEB0455 spec.attributes.attributes["a b"]',
  ],
  ['no patterns', { attributes }, 'error XEB0459 spec.patterns'],
  ['no method', api({ patterns: [{ uriTemplate: '/' }] }), 'error XEB0459 spec.patterns[0].httpMethod'],
  [
    'an empty template',
    api({ patterns: [{ httpMethod: 'GET', uriTemplate: '' }] }),
    'error XEB0459 spec.patterns[0].uriTemplate',
  ],
  [
    'an empty expression',
    api({ patterns: [{ httpMethod: 'GET', regex: '' }] }),
    'error XEB0459 spec.patterns[0].regex',
  ],
  ['no path', api({ patterns: [{ httpMethod: 'GET' }] }), 'warning XEB0459 spec.patterns[0]'],
  ['two paths', api({ patterns: [{ ...pattern, regex: 'a' }] }), 'error XEB0005 spec.patterns[0].regex'],
  [
    'a pattern’s attributes, which 1.4 never looks at',
    api({ patterns: [{ ...pattern, attributes: { attributes: { a: { stringValue: '' } } } }] }),
    'warning XEB0462 spec.patterns[0].attributes.attributes.a.stringValue',
  ],
  ['an empty query', api({ apiKeys: [{ query: '' }] }), 'error XEB0460 spec.apiKeys[0].query'],
  ['an empty header', api({ apiKeys: [{ header: '' }] }), 'error XEB0460 spec.apiKeys[0].header'],
  ['an empty cookie', api({ apiKeys: [{ cookie: '' }] }), 'error XEB0460 spec.apiKeys[0].cookie'],
  ['no key', api({ apiKeys: [{}] }), 'warning XEB0460 spec.apiKeys[0]'],
  ['two keys', api({ apiKeys: [{ query: 'a', cookie: 'b' }] }), 'error XEB0005 spec.apiKeys[0].cookie'],
];

const quotas: readonly Case[] = [
  ['the least', { rules: [{ quotas: [{ quota: 'requestcount', charge: 1 }] }] }],
  [
    'everything',
    {
      rules: [
        {
          match: [
            { clause: { 'request.path': { prefix: '/a' }, 'source.name': { exact: 'b' } } },
            { clause: { c: { regex: 'd.*' } } },
          ],
          quotas: [
            { quota: 'a', charge: '5' },
            { quota: 'b.istio-system', charge: 1 },
          ],
        },
      ],
    },
  ],
  ['no rules', {}, 'error XEB0458 spec.rules'],
  ['no quotas', { rules: [{}] }, 'error XEB0458 spec.rules[0].quotas'],
  ['no name', { rules: [{ quotas: [{ charge: 1 }] }] }, 'error XEB0458 spec.rules[0].quotas[0].quota'],
  ['no charge', { rules: [{ quotas: [{ quota: 'a' }] }] }, 'error XEB0458 spec.rules[0].quotas[0].charge'],
  [
    'a negative charge',
    { rules: [{ quotas: [{ quota: 'a', charge: -1 }] }] },
    'error XEB0458 spec.rules[0].quotas[0].charge',
  ],
  [
    'an empty matcher',
    { rules: [{ match: [{ clause: { a: { exact: '' } } }], quotas: [{ quota: 'a', charge: 1 }] }] },
    'error XEB0120 spec.rules[0].match[0].clause.a.exact',
  ],
  [
    'a matcher of nothing',
    { rules: [{ match: [{ clause: { a: {} } }], quotas: [{ quota: 'a', charge: 1 }] }] },
    'warning XEB0458 spec.rules[0].match[0].clause.a',
  ],
  [
    'no matcher',
    { rules: [{ match: [{ clause: { a: null } }], quotas: [{ quota: 'a', charge: 1 }] }] },
    'error XEB0001 spec.rules[0].match[0].clause.a',
  ],
  [
    'two matchers',
    { rules: [{ match: [{ clause: { a: { exact: 'b', regex: 'c' } } }], quotas: [{ quota: 'a', charge: 1 }] }] },
    'error XEB0005 spec.rules[0].match[0].clause.a.regex',
  ],
  [
    'half a charge',
    { rules: [{ quotas: [{ quota: 'a', charge: 0.5 }] }] },
    'error XEB0001 spec.rules[0].quotas[0].charge',
  ],
];

function bound(service: object): object {
  return { services: [service], quotaSpecs: [{ name: 'a' }] };
}

const quotaBindings: readonly Case[] = [
  ['the least', bound({ name: 'a' })],
  [
    'everything',
    {
      services: [
        { name: 'a', namespace: 'b', domain: 'svc.cluster.local', labels: { version: 'v1' } },
        { service: '*' },
        { service: '*shop*' },
        { service: 'a.com' },
      ],
      quotaSpecs: [{ name: 'a', namespace: 'istio-system' }, { name: 'b' }],
    },
  ],
  ['no services', { quotaSpecs: [{ name: 'a' }] }, 'error XEB0461 spec.services'],
  ['no specification', { services: [{ name: 'a' }] }, 'error XEB0461 spec.quotaSpecs'],
  [
    'a reference without name',
    { services: [{ name: 'a' }], quotaSpecs: [{ namespace: 'b' }] },
    'error XEB0461 spec.quotaSpecs[0].name',
  ],
  [
    'a reference to no namespace',
    { services: [{ name: 'a' }], quotaSpecs: [{ name: 'a', namespace: 'b_c' }] },
    'error XEB0103 spec.quotaSpecs[0].namespace',
  ],
  ['neither name nor host', bound({ namespace: 'a' }), 'error XEB0457 spec.services[0]'],
  ['name and host', bound({ name: 'a', service: 'b' }), 'error XEB0457 spec.services[0].service'],
  ['a host and a namespace', bound({ service: 'a', namespace: 'b' }), 'error XEB0457 spec.services[0].namespace'],
  ['a host and a domain', bound({ service: 'a', domain: 'b' }), 'error XEB0457 spec.services[0].domain'],
  ['a bad name', bound({ name: 'a.b' }), 'error XEB0103 spec.services[0].name'],
  ['a bad namespace', bound({ name: 'a', namespace: '-' }), 'error XEB0103 spec.services[0].namespace'],
  ['a bad domain', bound({ name: 'a', domain: '*.b' }), 'error XEB0101 spec.services[0].domain'],
  ['a bad label', bound({ name: 'a', labels: { 'a b': 'c' } }), 'error XEB0104 spec.services[0].labels["a b"]'],
  ['a star that matches nothing', bound({ service: '*.com' }), 'warning XEB0457 spec.services[0].service'],
];

const apiBindings: readonly Case[] = [
  ['the least', { services: [{ name: 'a' }], apiSpecs: [{ name: 'b' }] }],
  ['snake case', { services: [{ name: 'a' }], api_specs: [{ name: 'b', namespace: 'c' }] }],
  ['nothing', {}, 'error XEB0461 spec.services', 'error XEB0461 spec.apiSpecs'],
  ['no name', { services: [{ name: 'a' }], apiSpecs: [{}] }, 'error XEB0461 spec.apiSpecs[0].name'],
  ['a service as text', { services: ['a'], apiSpecs: [{ name: 'b' }] }, 'error XEB0001 spec.services[0]'],
];

const tables: readonly (readonly [Kind, readonly Case[]])[] = [
  ['HTTPAPISpec', apis],
  ['QuotaSpec', quotas],
  ['QuotaSpecBinding', quotaBindings],
  ['HTTPAPISpecBinding', apiBindings],
];

describe.each(tables)('%s', (kind, cases) => {
  it.each(cases)('%s', (_name, spec, ...issues) => {
    expect(judge(kind, spec)).toEqual(issues);
  });
});
