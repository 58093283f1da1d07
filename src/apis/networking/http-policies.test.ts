import { describe, expect, it } from 'vitest';
import { type Case, judge } from '../testing/judge.ts';

const to = { destination: { host: 'reviews' } };
const route = [to];

/** A VirtualService whose only rule has these members. */
function rule(members: object): object {
  return { hosts: ['reviews'], http: [{ route, ...members }] };
}

const policies: readonly Case[] = [
  ['a timeout', rule({ timeout: '1.5s' })],
  ['a timeout in Go', rule({ timeout: '1m30s' })],
  ['a timeout of 0', rule({ timeout: '0s' }), 'error XEB0109 spec.http[0].timeout'],
  ['a timeout of half a millisecond', rule({ timeout: '1500us' }), 'error XEB0109 spec.http[0].timeout'],
  ['a timeout without unit', rule({ timeout: '5' }), 'error XEB0004 spec.http[0].timeout'],
  ['retries', rule({ retries: { attempts: 3, perTryTimeout: '2s', retryOn: '5xx,reset,503', backoff: '25ms' } })],
  ['no retries', rule({ retries: { attempts: 0 } })],
  ['retries that are off and configured', rule({ retries: { retryOn: '5xx' } }), 'error XEB0208 spec.http[0].retries'],
  [
    'retries that are off and timed',
    rule({ retries: { attempts: 0, perTryTimeout: '1s' } }),
    'error XEB0208 spec.http[0].retries',
  ],
  [
    'remote retries that are off',
    rule({ retries: { retryRemoteLocalities: true } }),
    'error XEB0208 spec.http[0].retries',
  ],
  ['negative retries', rule({ retries: { attempts: -1 } }), 'error XEB0116 spec.http[0].retries.attempts'],
  [
    'a bad try timeout',
    rule({ retries: { attempts: 1, perTryTimeout: '1us' } }),
    'error XEB0109 spec.http[0].retries.perTryTimeout',
  ],
  ['a bad backoff', rule({ retries: { attempts: 1, backoff: '0s' } }), 'error XEB0109 spec.http[0].retries.backoff'],
  [
    'an unknown condition',
    rule({ retries: { attempts: 1, retryOn: '5xx, reset' } }),
    'error XEB0208 spec.http[0].retries.retryOn',
  ],
  [
    'an unknown status',
    rule({ retries: { attempts: 1, retryOn: '599' } }),
    'error XEB0208 spec.http[0].retries.retryOn',
  ],
  ['a delay', rule({ fault: { delay: { percentage: { value: 0.1 }, fixedDelay: '5s' } } })],
  ['the old share of a delay', rule({ fault: { delay: { percent: 100, fixedDelay: '5s' } } })],
  [
    'an old share that is too large',
    rule({ fault: { delay: { percent: 101, fixedDelay: '5s' } } }),
    'error XEB0110 spec.http[0].fault.delay.percent',
  ],
  [
    'a share that is too small',
    rule({ fault: { delay: { percentage: { value: 0.00001 }, fixedDelay: '5s' } } }),
    'error XEB0110 spec.http[0].fault.delay.percentage.value',
  ],
  ['an empty fault', rule({ fault: {} }), 'error XEB0207 spec.http[0].fault'],
  ['a delay of nothing', rule({ fault: { delay: {} } }), 'warning XEB0207 spec.http[0].fault.delay'],
  [
    'a delay of 0',
    rule({ fault: { delay: { fixedDelay: '0s' } } }),
    'error XEB0109 spec.http[0].fault.delay.fixedDelay',
  ],
  [
    'an exponential delay',
    rule({ fault: { delay: { exponentialDelay: '1s' } } }),
    'error XEB0207 spec.http[0].fault.delay.exponentialDelay',
  ],
  ['an abort', rule({ fault: { abort: { httpStatus: 503 } } })],
  ['an abort with a gRPC status', rule({ fault: { abort: { grpcStatus: 'UNAVAILABLE' } } })],
  [
    'an unknown gRPC status',
    rule({ fault: { abort: { grpcStatus: 'BROKEN' } } }),
    'error XEB0207 spec.http[0].fault.abort.grpcStatus',
  ],
  [
    'an HTTP/2 abort',
    rule({ fault: { abort: { http2Error: 'X' } } }),
    'error XEB0207 spec.http[0].fault.abort.http2Error',
  ],
  [
    'an abort with 100',
    rule({ fault: { abort: { httpStatus: 100 } } }),
    'error XEB0207 spec.http[0].fault.abort.httpStatus',
  ],
  [
    'an abort with a bad share',
    rule({ fault: { abort: { percentage: { value: 101 }, httpStatus: 500 } } }),
    'error XEB0110 spec.http[0].fault.abort.percentage.value',
  ],
  [
    'an abort with 600, which Istio takes and Envoy does not',
    rule({ fault: { abort: { httpStatus: 600 } } }),
    'warning XEB0207 spec.http[0].fault.abort.httpStatus',
  ],
  [
    'an abort with 601',
    rule({ fault: { abort: { httpStatus: 601 } } }),
    'error XEB0207 spec.http[0].fault.abort.httpStatus',
  ],
  ['an abort without status', rule({ fault: { abort: {} } }), 'warning XEB0207 spec.http[0].fault.abort'],
  [
    'two statuses',
    rule({ fault: { abort: { httpStatus: 500, grpcStatus: 'OK' } } }),
    'error XEB0005 spec.http[0].fault.abort.grpcStatus',
  ],
  [
    'CORS',
    rule({
      corsPolicy: {
        allowOrigin: ['*', 'https://a.com:8443'],
        allowOrigins: [{ regex: 'https://.*' }],
        allowMethods: ['GET', '*'],
        allowHeaders: ['x-a', '*'],
        exposeHeaders: ['x-b'],
        maxAge: '24h',
        allowCredentials: true,
      },
    }),
  ],
  [
    'a bad classic origin',
    rule({ corsPolicy: { allowOrigin: ['https://a/b'] } }),
    'warning XEB0211 spec.http[0].corsPolicy.allowOrigin[0]',
  ],
  [
    'an empty origin',
    rule({ corsPolicy: { allowOrigins: [{}] } }),
    'error XEB0211 spec.http[0].corsPolicy.allowOrigins[0]',
  ],
  [
    'a bad origin',
    rule({ corsPolicy: { allowOrigins: [{ regex: '(' }] } }),
    'error IST0122 spec.http[0].corsPolicy.allowOrigins[0].regex',
  ],
  [
    'a bad method',
    rule({ corsPolicy: { allowMethods: ['get'] } }),
    'error XEB0211 spec.http[0].corsPolicy.allowMethods[0]',
  ],
  [
    'an empty header',
    rule({ corsPolicy: { allowHeaders: [''] } }),
    'error XEB0113 spec.http[0].corsPolicy.allowHeaders[0]',
  ],
  [
    'a strange header',
    rule({ corsPolicy: { exposeHeaders: ['a b'] } }),
    'warning XEB0113 spec.http[0].corsPolicy.exposeHeaders[0]',
  ],
  ['a fraction of a second', rule({ corsPolicy: { maxAge: '1.5s' } }), 'error XEB0109 spec.http[0].corsPolicy.maxAge'],
];

describe.each([['policies', policies]])('VirtualService: %s', (_, cases) => {
  it.each(cases)('%s', (_name, spec, ...issues) => {
    expect(judge('VirtualService', spec)).toEqual(issues);
  });
});
