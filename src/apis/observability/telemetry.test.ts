import { describe, expect, it } from 'vitest';
import { type Case, judge } from '../testing/judge.ts';

const tracing = { providers: [{ name: 'zipkin' }], randomSamplingPercentage: 10 };
const target = { group: 'gateway.networking.k8s.io', kind: 'Gateway', name: 'a' };

function overridden(override: object): object {
  return { metrics: [{ overrides: [override] }] };
}

const cases: readonly Case[] = [
  ['the least', { tracing: [tracing] }],
  [
    'everything',
    {
      selector: { matchLabels: { app: 'a' } },
      tracing: [
        {
          match: { mode: 'CLIENT' },
          providers: [{ name: 'zipkin' }],
          randomSamplingPercentage: 99.9,
          disableSpanReporting: false,
          customTags: {
            a: { literal: { value: 'x' } },
            b: { environment: { name: 'HOME', defaultValue: '/' } },
            c: { header: { name: 'x-a', defaultValue: '' } },
            d: { formatter: { value: '%RESPONSE_CODE%' } },
          },
          useRequestIdForTraceSampling: true,
          enableIstioTags: false,
          disableContextPropagation: false,
        },
      ],
      metrics: [
        {
          providers: [{ name: 'prometheus' }],
          reportingInterval: '5s',
          overrides: [
            { match: { metric: 'REQUEST_COUNT', mode: 'SERVER' }, disabled: true },
            {
              match: { customMetric: 'x' },
              tagOverrides: { a: { operation: 'REMOVE' }, b: { value: 'request.host' } },
            },
          ],
        },
      ],
      accessLogging: [
        { match: { mode: 'SERVER' }, providers: [{ name: 'envoy' }], filter: { expression: 'response.code >= 500' } },
        { disabled: true },
      ],
    },
  ],
  ['a target', { targetRefs: [target], tracing: [tracing] }],
  ['the old target', { targetRef: target, tracing: [tracing] }, 'warning IST0002 spec.targetRef'],
  ['nothing', {}, 'warning XEB0118 spec'],
  ['a selector of nothing', { selector: {}, tracing: [tracing] }, 'warning XEB0117 spec.selector.matchLabels'],
  [
    'a wildcard',
    { selector: { matchLabels: { a: '*' } }, tracing: [tracing] },
    'error XEB0117 spec.selector.matchLabels.a',
  ],
  [
    'a selector and a target',
    { selector: { matchLabels: { a: 'b' } }, targetRefs: [target], tracing: [tracing] },
    'error XEB0705 spec.targetRefs',
  ],
  [
    'a selector and the old target',
    { selector: { matchLabels: { a: 'b' } }, targetRef: target, tracing: [tracing] },
    'error XEB0705 spec.targetRef',
  ],
  ['both targets', { targetRef: target, targetRefs: [target], tracing: [tracing] }, 'error XEB0705 spec.targetRef'],
  [
    'no such target',
    { targetRefs: [{ kind: 'Pod', name: 'a' }], tracing: [tracing] },
    'error XEB0705 spec.targetRefs[0].kind',
  ],
  [
    'a target elsewhere',
    { targetRefs: [{ ...target, namespace: 'b' }], tracing: [tracing] },
    'error XEB0705 spec.targetRefs[0].namespace',
  ],
  ['two tracings', { tracing: [tracing, tracing] }, 'warning XEB0481 spec.tracing'],
  [
    'two places for traces',
    { tracing: [{ providers: [{ name: 'a' }, { name: 'b' }] }] },
    'warning XEB0481 spec.tracing[0].providers',
  ],
  ['no name of a provider', { tracing: [{ providers: [{}] }] }, 'error XEB0481 spec.tracing[0].providers[0].name'],
  ['a provider as text', { metrics: [{ providers: ['a'] }] }, 'error XEB0001 spec.metrics[0].providers[0]'],
  [
    'an empty provider',
    { accessLogging: [{ providers: [{ name: '' }] }] },
    'error XEB0481 spec.accessLogging[0].providers[0].name',
  ],
  [
    'too much',
    { tracing: [{ randomSamplingPercentage: 101 }] },
    'error XEB0110 spec.tracing[0].randomSamplingPercentage',
  ],
  [
    'too little',
    { tracing: [{ randomSamplingPercentage: -0.1 }] },
    'error XEB0110 spec.tracing[0].randomSamplingPercentage',
  ],
  ['a tag without value', { tracing: [{ customTags: { a: {} } }] }, 'warning XEB0483 spec.tracing[0].customTags.a'],
  [
    'a tag without name',
    { tracing: [{ customTags: { '': { literal: { value: 'a' } } } }] },
    'error XEB0483 spec.tracing[0].customTags[""]',
  ],
  [
    'an empty literal',
    { tracing: [{ customTags: { a: { literal: {} } } }] },
    'error XEB0483 spec.tracing[0].customTags.a.literal.value',
  ],
  [
    'an unnamed variable',
    { tracing: [{ customTags: { a: { environment: { defaultValue: 'b' } } } }] },
    'error XEB0483 spec.tracing[0].customTags.a.environment.name',
  ],
  [
    'an unnamed header',
    { tracing: [{ customTags: { a: { header: { name: '' } } } }] },
    'error XEB0483 spec.tracing[0].customTags.a.header.name',
  ],
  [
    'two sources of a tag',
    { tracing: [{ customTags: { a: { literal: { value: 'b' }, header: { name: 'c' } } } }] },
    'error XEB0005 spec.tracing[0].customTags.a.header',
  ],
  ['an unknown mode', { tracing: [{ match: { mode: 'INBOUND' } }] }, 'error XEB0003 spec.tracing[0].match.mode'],
  [
    'an unknown metric',
    overridden({ match: { metric: 'REQUESTS' } }),
    'error XEB0003 spec.metrics[0].overrides[0].match.metric',
  ],
  [
    'an empty metric',
    overridden({ match: { customMetric: '' } }),
    'error XEB0482 spec.metrics[0].overrides[0].match.customMetric',
  ],
  [
    'two metrics',
    overridden({ match: { metric: 'ALL_METRICS', customMetric: 'a' } }),
    'error XEB0005 spec.metrics[0].overrides[0].match.customMetric',
  ],
  [
    'a tag to add without value',
    overridden({ tagOverrides: { a: {} } }),
    'error XEB0482 spec.metrics[0].overrides[0].tagOverrides.a.value',
  ],
  [
    'a tag to remove with value',
    overridden({ tagOverrides: { a: { operation: 'REMOVE', value: 'b' } } }),
    'error XEB0482 spec.metrics[0].overrides[0].tagOverrides.a.value',
  ],
  [
    'a tag to change without name',
    overridden({ tagOverrides: { '': { value: 'b' } } }),
    'error XEB0482 spec.metrics[0].overrides[0].tagOverrides[""]',
  ],
  ['no interval', { metrics: [{ reportingInterval: '0s' }] }, 'error XEB0109 spec.metrics[0].reportingInterval'],
  ['an empty filter', { accessLogging: [{ filter: {} }] }, 'warning XEB0118 spec.accessLogging[0].filter.expression'],
  ['text for a switch', { accessLogging: [{ disabled: 'true' }] }, 'error XEB0001 spec.accessLogging[0].disabled'],
];

describe('Telemetry', () => {
  it.each(cases)('%s', (_name, spec, ...issues) => {
    expect(judge('Telemetry', spec)).toEqual(issues);
  });
});
