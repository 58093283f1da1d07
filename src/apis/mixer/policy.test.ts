import { describe, expect, it } from 'vitest';
import type { Kind } from '../collections.ts';
import { type Case, judge } from '../testing/judge.ts';

const action = { handler: 'denier', instances: ['check'] };
const names = (count: number): readonly string[] => Array.from({ length: count }, (_, index) => `i${index}`);

function rule(members: object): object {
  return { match: 'context.protocol == "http"', actions: [action], ...members };
}

const rules: readonly Case[] = [
  ['the least', { actions: [action] }],
  ['headers alone', { requestHeaderOperations: [{ name: 'a', values: ['"b"'] }] }],
  [
    'everything',
    rule({
      actions: [
        { ...action, name: 'a_1' },
        { handler: 'h.handler.istio-system', instances: ['a.b', 'x.metric.ns'] },
      ],
      requestHeaderOperations: [
        { name: 'a', values: ['a_1.output.value', '"x"'], operation: 'APPEND' },
        { name: 'b', operation: 'REMOVE' },
      ],
      responseHeaderOperations: [{ name: ':status', values: ['"418"'] }],
    }),
  ],
  ['snake case', { actions: [action], request_header_operations: [{ name: 'a', values: ['b'], operation: 2 }] }],
  ['many instances', rule({ actions: [{ handler: 'a', instances: names(30) }] })],
  ['nothing', {}, 'warning XEB0451 spec'],
  ['a match alone', { match: 'true' }, 'warning XEB0451 spec'],
  ['no handler', rule({ actions: [{ instances: ['a'] }] }), 'warning XEB0452 spec.actions[0].handler'],
  ['an empty handler', rule({ actions: [{ ...action, handler: '' }] }), 'warning XEB0452 spec.actions[0].handler'],
  [
    'an upper-case handler',
    rule({ actions: [{ ...action, handler: 'A' }] }),
    'warning XEB0452 spec.actions[0].handler',
  ],
  ['four parts', rule({ actions: [{ ...action, handler: 'a.b.c.d' }] }), 'warning XEB0452 spec.actions[0].handler'],
  ['an empty part', rule({ actions: [{ ...action, handler: 'a..b' }] }), 'warning XEB0452 spec.actions[0].handler'],
  ['no instances', rule({ actions: [{ handler: 'a' }] }), 'warning XEB0452 spec.actions[0].instances'],
  [
    'an instance that cannot be',
    rule({ actions: [{ handler: 'a', instances: ['a_b'] }] }),
    'warning XEB0452 spec.actions[0].instances[0]',
  ],
  [
    'an instance twice',
    rule({ actions: [{ handler: 'a', instances: ['a', 'b', 'a'] }] }),
    'warning XEB0452 spec.actions[0].instances[2]',
  ],
  ['an action’s name', rule({ actions: [{ ...action, name: 'a-b' }] }), 'warning XEB0451 spec.actions[0].name'],
  [
    'a name twice',
    rule({
      actions: [
        { ...action, name: 'a' },
        { ...action, name: 'a' },
      ],
    }),
    'warning XEB0451 spec.actions[1].name',
  ],
  [
    'no header',
    rule({ requestHeaderOperations: [{ values: ['a'] }] }),
    'warning XEB0464 spec.requestHeaderOperations[0].name',
  ],
  [
    'no value',
    rule({ requestHeaderOperations: [{ name: 'a' }] }),
    'warning XEB0464 spec.requestHeaderOperations[0].values',
  ],
  [
    'an empty value',
    rule({ responseHeaderOperations: [{ name: 'a', values: ['b', ''] }] }),
    'warning XEB0464 spec.responseHeaderOperations[0].values[1]',
  ],
  [
    'a value to remove',
    rule({ responseHeaderOperations: [{ name: 'a', values: ['b'], operation: 'REMOVE' }] }),
    'warning XEB0464 spec.responseHeaderOperations[0].values',
  ],
  [
    'sampling',
    rule({
      sampling: {
        random: { attributeExpression: 'request.id', percentSampled: { numerator: 5, denominator: 'TEN_THOUSAND' } },
        rateLimit: { samplingDuration: '10s', maxUnsampledEntries: '10', samplingRate: 5 },
      },
    }),
    'warning XEB0118 spec.sampling',
  ],
  ['a number as match', rule({ match: 5 }), 'error XEB0001 spec.match'],
  ['one action without a list', rule({ actions: action }), 'error XEB0001 spec.actions'],
  [
    'one instance without a list',
    rule({ actions: [{ handler: 'a', instances: 'b' }] }),
    'error XEB0001 spec.actions[0].instances',
  ],
  [
    'an unknown operation',
    rule({ requestHeaderOperations: [{ name: 'a', values: ['b'], operation: 'SET' }] }),
    'error XEB0003 spec.requestHeaderOperations[0].operation',
  ],
  ['a typing mistake', rule({ actoins: [] }), 'warning XEB0008 spec.actoins'],
];

const handlers: readonly Case[] = [
  ['the least', { compiledAdapter: 'denier' }],
  [
    'free parameters',
    { compiledAdapter: 'memquota', params: { quotas: [{ name: 'a', max_amount: 5, deep: { er: [null] } }] } },
  ],
  [
    'elsewhere',
    {
      name: 'thing',
      adapter: 'mygrpcadapter.istio-system',
      connection: { address: 'a:1', timeout: '1s', authentication: { tls: { tokenPath: '/a', authHeader: 'BEARER' } } },
      params: { file_path: 'out.txt' },
    },
  ],
  [
    'elsewhere, with mutual TLS',
    {
      adapter: 'a',
      connection: {
        address: 'a:1',
        authentication: { mutual: { privateKey: 'k', clientCertificate: 'c', caCertificates: 'ca', serverName: 's' } },
      },
    },
  ],
  [
    'elsewhere, with OAuth',
    {
      adapter: 'a',
      connection: {
        address: 'a:1',
        authentication: {
          tls: {
            caCertificates: '/ca',
            oauth: {
              clientId: 'i',
              clientSecret: 's',
              tokenUrl: 'https://a',
              scopes: ['x'],
              endpointParams: { a: 'b' },
            },
            customHeader: 'x-token',
          },
        },
      },
    },
  ],
  ['no adapter', { params: {} }, 'warning XEB0453 spec'],
  ['an unknown adapter', { compiledAdapter: 'promtheus' }, 'warning XEB0453 spec.compiledAdapter'],
  ['an adapter of the past', { compiledAdapter: 'rbac' }, 'warning XEB0453 spec.compiledAdapter'],
  ['two adapters', { compiledAdapter: 'denier', adapter: 'a' }, 'warning XEB0453 spec.adapter'],
  [
    'a connection to what is built in',
    { compiledAdapter: 'denier', connection: { address: 'a:1' } },
    'warning XEB0453 spec.connection',
  ],
  ['another name', { name: 'other', compiledAdapter: 'denier' }, 'warning XEB0118 spec.name'],
  ['an adapter that cannot be', { adapter: 'A_', connection: { address: 'a:1' } }, 'warning XEB0452 spec.adapter'],
  ['no connection', { adapter: 'a' }, 'warning XEB0463 spec.connection'],
  ['no address', { adapter: 'a', connection: {} }, 'warning XEB0463 spec.connection.address'],
  [
    'no token',
    { adapter: 'a', connection: { address: 'a:1', authentication: { tls: {} } } },
    'warning XEB0463 spec.connection.authentication.tls',
  ],
  [
    'half of OAuth',
    { adapter: 'a', connection: { address: 'a:1', authentication: { tls: { oauth: { clientId: 'a' } } } } },
    'warning XEB0463 spec.connection.authentication.tls.oauth.clientSecret',
    'warning XEB0463 spec.connection.authentication.tls.oauth.tokenUrl',
  ],
  [
    'half of mutual TLS',
    { adapter: 'a', connection: { address: 'a:1', authentication: { mutual: { privateKey: 'a' } } } },
    'warning XEB0463 spec.connection.authentication.mutual.clientCertificate',
    'warning XEB0463 spec.connection.authentication.mutual.caCertificates',
  ],
  ['text as parameters', { compiledAdapter: 'denier', params: 'a' }, 'error XEB0001 spec.params'],
  ['a list as parameters', { compiledAdapter: 'denier', params: [] }, 'error XEB0001 spec.params'],
  ['a number as adapter', { compiledAdapter: 5 }, 'error XEB0001 spec.compiledAdapter'],
  [
    'a time without unit',
    { adapter: 'a', connection: { address: 'a:1', timeout: '5' } },
    'error XEB0004 spec.connection.timeout',
  ],
  [
    'two authentications',
    {
      adapter: 'a',
      connection: {
        address: 'a:1',
        authentication: {
          tls: { tokenPath: '/a' },
          mutual: { privateKey: 'k', clientCertificate: 'c', caCertificates: 'c' },
        },
      },
    },
    'error XEB0005 spec.connection.authentication.mutual',
  ],
  [
    'two tokens',
    { adapter: 'a', connection: { address: 'a:1', authentication: { tls: { tokenPath: '/a', oauth: {} } } } },
    'error XEB0005 spec.connection.authentication.tls.oauth',
  ],
  [
    'two headers',
    {
      adapter: 'a',
      connection: {
        address: 'a:1',
        authentication: { tls: { tokenPath: '/a', authHeader: 'PLAIN', customHeader: 'a' } },
      },
    },
    'error XEB0005 spec.connection.authentication.tls.customHeader',
  ],
];

const instances: readonly Case[] = [
  ['the least', { compiledTemplate: 'checknothing' }],
  ['free parameters', { name: 'thing', compiledTemplate: 'metric', params: { value: '1', dimensions: { a: 'b' } } }],
  [
    'attributes',
    { compiledTemplate: 'kubernetes', params: {}, attributeBindings: { 'source.ip': '$out.source_pod_ip' } },
  ],
  [
    'a template of its own',
    { template: 'keyval.istio-system', params: { key: 'request.path' }, attributeBindings: { a: 'b' } },
  ],
  ['no template', {}, 'warning XEB0454 spec'],
  ['an unknown template', { compiledTemplate: 'metrics' }, 'warning XEB0454 spec.compiledTemplate'],
  ['two templates', { compiledTemplate: 'metric', template: 'a' }, 'warning XEB0454 spec.template'],
  ['a template that cannot be', { template: 'a b' }, 'warning XEB0452 spec.template'],
  ['another name', { name: 'other', compiledTemplate: 'metric' }, 'warning XEB0118 spec.name'],
  ['attributes that are not bound', { compiledTemplate: 'kubernetes' }, 'warning XEB0454 spec.attributeBindings'],
  [
    'bindings without output',
    { compiledTemplate: 'metric', attributeBindings: { 'a.b': 'c' } },
    'warning XEB0454 spec.attributeBindings',
  ],
  [
    'a binding to no attribute',
    { template: 'a', attributeBindings: { 'a-b': 'c' } },
    'warning XEB0455 spec.attributeBindings.a-b',
  ],
  ['text as parameters', { compiledTemplate: 'metric', params: 'a' }, 'error XEB0001 spec.params'],
  [
    'a binding that is not text',
    { template: 'a', attributeBindings: { a: 5 } },
    'error XEB0001 spec.attributeBindings.a',
  ],
  ['a list as template', { compiledTemplate: ['metric'] }, 'error XEB0001 spec.compiledTemplate'],
];

const manifests: readonly Case[] = [
  ['the least', { attributes: { 'source.ip': { valueType: 'IP_ADDRESS' } } }],
  [
    'everything',
    {
      revision: '1',
      name: 'istio',
      attributes: { a: { description: 'what', valueType: 'STRING_MAP' }, b: { valueType: 3 } },
    },
  ],
  ['no attributes', { name: 'a' }, 'warning XEB0455 spec.attributes'],
  ['no type', { attributes: { a: {} } }, 'warning XEB0455 spec.attributes.a.valueType'],
  ['no name', { attributes: { 'a b': { valueType: 'BOOL' } } }, 'warning XEB0455 spec.attributes["a b"]'],
  ['an unknown type', { attributes: { a: { valueType: 'TEXT' } } }, 'error XEB0003 spec.attributes.a.valueType'],
  ['a type in its place', { attributes: { a: 'STRING' } }, 'error XEB0001 spec.attributes.a'],
  ['a list of attributes', { attributes: [{ name: 'a' }] }, 'error XEB0001 spec.attributes'],
];

const adapters: readonly Case[] = [
  ['the least', { templates: ['metric'] }],
  [
    'everything',
    { name: 'thing', description: 'what', sessionBased: false, templates: ['a', 'b.c'], config: 'CvD3Ag\nqA==\n' },
  ],
  ['no templates', {}, 'warning XEB0453 spec.templates'],
  ['a template that cannot be', { templates: ['A'] }, 'warning XEB0452 spec.templates[0]'],
  ['a descriptor that cannot be', { templates: ['a'], config: '{}' }, 'warning XEB0456 spec.config'],
  ['another name', { name: 'b', templates: ['a'] }, 'warning XEB0118 spec.name'],
  ['text for a switch', { templates: ['a'], sessionBased: 'yes' }, 'error XEB0001 spec.sessionBased'],
];

const templates: readonly Case[] = [
  ['a descriptor', { descriptor: 'CvD3AgogZ29vZ2xl' }],
  ['none', {}, 'warning XEB0456 spec.descriptor'],
  ['one that cannot be', { descriptor: 'a-b:c' }, 'warning XEB0456 spec.descriptor'],
  ['an object', { descriptor: {} }, 'error XEB0001 spec.descriptor'],
];

const tables: readonly (readonly [Kind, readonly Case[]])[] = [
  ['rule', rules],
  ['handler', handlers],
  ['instance', instances],
  ['attributemanifest', manifests],
  ['adapter', adapters],
  ['template', templates],
];

describe.each(tables)('%s', (kind, cases) => {
  it.each(cases)('%s', (_name, spec, ...issues) => {
    expect(judge(kind, spec)).toEqual(issues);
  });
});
