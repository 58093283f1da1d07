import { describe, expect, it } from 'vitest';
import type { HttpMatchRequest, HttpRoute } from '../../../apis/networking/networking.ts';
import { decodeMessage } from '../../../gen/codec.ts';
import { a, b, buildRule, CLUSTER_A, CLUSTER_B, routeOf, toA } from './testing/rule.ts';

describe('rewrite', () => {
  it.each<[string, NonNullable<HttpRoute['rewrite']>, HttpMatchRequest | undefined, object]>([
    ['of a prefix', { uri: '/b' }, { uri: { prefix: '/a' } }, { prefixRewrite: '/b' }],
    ['of a prefix with its slash', { uri: '/' }, { uri: { prefix: '/a/' } }, { prefixRewrite: '/' }],
    [
      'of a prefix without its slash',
      { uri: '/' },
      { uri: { prefix: '/a.b' } },
      { regexRewrite: { pattern: { regex: String.raw`^/a\.b/?(.*)` }, substitution: String.raw`/\1` } },
    ],
    [
      'in any case',
      { uri: '/b/' },
      { uri: { prefix: '/a' }, ignoreUriCase: true },
      { regexRewrite: { pattern: { regex: '^(?i)/a/?(.*)' }, substitution: String.raw`/b/\1` } },
    ],
    ['of a path', { uri: '/' }, { uri: { exact: '/a' } }, { prefixRewrite: '/' }],
    [
      'by an expression',
      { uriRegexRewrite: { match: '^/a/(.*)', rewrite: String.raw`/\1` } },
      undefined,
      { regexRewrite: { pattern: { regex: '^/a/(.*)' }, substitution: String.raw`/\1` } },
    ],
    ['of the authority', { authority: 'x' }, undefined, { hostRewriteLiteral: 'x' }],
  ])('%s', (...[, rewrite, match, expected]) => {
    expect(routeOf({ ...toA, rewrite, ...(match ? { match: [match] } : {}) })?.route).toMatchObject(expected);
  });
});

describe('answers', () => {
  it.each<[string, NonNullable<HttpRoute['redirect']>, object]>([
    ['path and host', { uri: '/b', authority: 'x' }, { pathRedirect: '/b', hostRedirect: 'x' }],
    [
      'scheme and port',
      { scheme: 'https', port: 8443, redirectCode: 308 },
      { schemeRedirect: 'https', portRedirect: 8443, responseCode: 4 },
    ],
    ['port of the request', { uri: '/', derivePort: 'FROM_REQUEST_PORT' }, { portRedirect: 80 }],
    ['usual port', { uri: '/', derivePort: 'FROM_PROTOCOL_DEFAULT' }, { pathRedirect: '/' }],
    ['code', { uri: '/', redirectCode: 302 }, { responseCode: 1 }],
  ])('redirect: %s', (_, redirect, expected) => {
    expect(routeOf({ redirect })?.redirect).toMatchObject(expected);
  });

  it('tells that a redirect cannot have every code', () => {
    expect(buildRule({ redirect: { uri: '/', redirectCode: 304 } }).diagnostics).toMatchObject([
      { code: 'XEB2202', path: ['spec', 'http', 0, 'redirect', 'redirectCode'] },
    ]);
  });

  it('responds directly', () => {
    for (const body of [{ string: 'hé' }, { bytes: 'aMOp' }]) {
      const answer = routeOf({ directResponse: { status: 503, body } })?.directResponse;
      expect(answer?.status).toBe(503);
      expect(new TextDecoder().decode(answer?.body?.inlineBytes)).toBe('hé');
    }
  });

  it('leaves out a body that Envoy would refuse, and all routes with it', () => {
    const answer = routeOf({
      directResponse: { status: 200, body: { string: 'x'.repeat(2_000_000) } },
    })?.directResponse;
    expect(answer).toEqual({ status: 200 });
  });

  it('cannot be given by gRPC clients', () => {
    const built = buildRule({ redirect: { uri: '/' } }, { kind: 'proxyless' });
    expect(built.routes[0]).toMatchObject({ nonForwardingAction: {} });
    expect(built.diagnostics).toMatchObject([{ code: 'XEB2204' }]);
  });
});

describe('faults', () => {
  const fault = (spec: NonNullable<HttpRoute['fault']>) => {
    const any = routeOf({ ...toA, fault: spec })?.typedPerFilterConfig?.['envoy.filters.http.fault'];
    return any && decodeMessage('envoy.extensions.filters.http.fault.v3.HTTPFault', any.value);
  };
  it.each<[string, NonNullable<HttpRoute['fault']>, object | undefined]>([
    [
      'delay',
      { delay: { percentage: { value: 0.1 }, fixedDelay: '7s' } },
      { delay: { percentage: { numerator: 1000, denominator: 2 }, fixedDelay: { seconds: 7 } } },
    ],
    [
      'delay as 1.4 says it',
      { delay: { percent: 10, fixedDelay: '1s' } },
      { delay: { percentage: { numerator: 100_000, denominator: 2 }, fixedDelay: { seconds: 1 } } },
    ],
    [
      'abort',
      { abort: { percentage: { value: 100 }, httpStatus: 500 } },
      { abort: { percentage: { numerator: 1_000_000, denominator: 2 }, httpStatus: 500 } },
    ],
    [
      'abort of gRPC',
      { abort: { percentage: { value: 100 }, grpcStatus: 'UNAVAILABLE' } },
      { abort: { percentage: { numerator: 1_000_000, denominator: 2 }, grpcStatus: 14 } },
    ],
    ['without a share', { abort: { httpStatus: 500 } }, undefined],
  ])('%s', (_, spec, expected) => {
    expect(fault(spec)).toEqual(expected);
  });
});

describe('CORS', () => {
  const cors = (corsPolicy: NonNullable<HttpRoute['corsPolicy']>) => {
    const any = routeOf({ ...toA, corsPolicy })?.typedPerFilterConfig?.['envoy.filters.http.cors'];
    return any && decodeMessage('envoy.extensions.filters.http.cors.v3.CorsPolicy', any.value);
  };

  it('has all it is given', () => {
    expect(
      cors({
        allowOrigins: [{ exact: 'https://a' }, { regex: '.*b' }],
        allowMethods: ['GET', 'PUT'],
        allowHeaders: ['x', 'y'],
        exposeHeaders: ['z'],
        maxAge: '1h',
        allowCredentials: true,
        unmatchedPreflights: 'IGNORE',
      }),
    ).toEqual({
      allowOriginStringMatch: [{ exact: 'https://a' }, { safeRegex: { regex: '.*b' } }],
      allowMethods: 'GET,PUT',
      allowHeaders: 'x,y',
      exposeHeaders: 'z',
      maxAge: '3600',
      allowCredentials: { value: true },
      forwardNotMatchingPreflights: {},
    });
  });

  it('takes the origins of 1.4', () => {
    expect(cors({ allowOrigin: ['*'] })).toEqual({ allowOriginStringMatch: [{ exact: '*' }] });
  });

  it('is nothing for gRPC clients, which would refuse all routes for it', () => {
    expect(routeOf({ ...toA, corsPolicy: { allowOrigin: ['*'] } }, { kind: 'proxyless' })).not.toHaveProperty(
      'typedPerFilterConfig',
    );
  });
});

describe('mirrors', () => {
  const mirrors = (spec: HttpRoute) =>
    routeOf({ ...toA, ...spec })?.route?.requestMirrorPolicies?.map(({ cluster, runtimeFraction }) => [
      cluster,
      runtimeFraction?.defaultValue?.numerator,
    ]);
  it.each<[string, HttpRoute, unknown]>([
    ['everything', { mirror: { host: b.hostname } }, [[CLUSTER_B, 1_000_000]]],
    [
      'a share',
      { mirror: { host: b.hostname }, mirrorPercentage: { value: 0.5 }, mirrorPercent: 90 },
      [[CLUSTER_B, 5000]],
    ],
    ['a share as 1.4 says it', { mirror: { host: b.hostname }, mirrorPercent: 10 }, [[CLUSTER_B, 100_000]]],
    ['nothing', { mirror: { host: b.hostname }, mirrorPercent: 0 }, undefined],
    [
      'to many',
      {
        mirrors: [
          { destination: { host: a.hostname } },
          { destination: { host: b.hostname }, percentage: { value: 1 } },
        ],
      },
      [
        [CLUSTER_A, 1_000_000],
        [CLUSTER_B, 10_000],
      ],
    ],
  ])('%s', (_, spec, expected) => {
    expect(mirrors(spec)).toEqual(expected);
  });
});

describe('headers', () => {
  it('are set, added, appended as in 1.0, and removed', () => {
    const spec: HttpRoute = {
      ...toA,
      headers: { request: { set: { b: '1', a: '' }, add: { c: '2' }, remove: ['d'] }, response: { add: { e: '3' } } },
      appendHeaders: { f: '4' },
      removeResponseHeaders: ['g'],
    };
    expect(routeOf(spec)).toMatchObject({
      requestHeadersToAdd: [
        { header: { key: 'a' }, appendAction: 2, keepEmptyValue: true },
        { header: { key: 'b', value: '1' }, appendAction: 2 },
        { header: { key: 'c', value: '2' } },
        { header: { key: 'f', value: '4' } },
      ],
      requestHeadersToRemove: ['d'],
      responseHeadersToAdd: [{ header: { key: 'e', value: '3' } }],
      responseHeadersToRemove: ['g'],
    });
  });

  it('that make a new host are no headers to Envoy; rewrite comes first', () => {
    const headers = { request: { set: { ':authority': 'x' } } };
    expect(routeOf({ ...toA, headers })?.route?.hostRewriteLiteral).toBe('x');
    expect(routeOf({ ...toA, headers, rewrite: { authority: 'y' } })?.route?.hostRewriteLiteral).toBe('y');
  });

  it('that nobody may change are left alone, and the owner told', () => {
    const built = buildRule({ ...toA, headers: { request: { remove: ['Host', 'x'], set: { ':path': '/' } } } });
    expect(built.routes[0]).toMatchObject({ requestHeadersToRemove: ['x'] });
    expect(built.routes[0]).not.toHaveProperty('requestHeadersToAdd');
    expect(built.diagnostics).toMatchObject([{ code: 'XEB2203', message: expect.stringContaining('Host, :path') }]);
  });
});
