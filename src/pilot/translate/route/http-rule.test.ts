import { describe, expect, it } from 'vitest';
import type { HttpMatchRequest, HttpRoute, TrafficPolicy } from '../../../apis/networking/networking.ts';
import { at, port, rule, service } from '../policy/testing/fixtures.ts';
import { a, b, buildRule, CLUSTER_A, CLUSTER_B, noDefaults, routeOf, routesOf, to, toA } from './testing/rule.ts';

const matching = (match: HttpMatchRequest) => routeOf({ ...toA, match: [match] })?.match;

describe('a rule', () => {
  it('to one service, with nothing else said', () => {
    expect(routeOf(toA)).toEqual({
      match: { prefix: '/' },
      route: {
        cluster: CLUSTER_A,
        timeout: {},
        maxStreamDuration: { grpcTimeoutHeaderMax: {} },
        retryPolicy: {
          retryOn: 'connect-failure,refused-stream,unavailable,cancelled,retriable-status-codes',
          numRetries: { value: 2 },
          retryHostPredicate: [{ name: 'envoy.retry_host_predicates.previous_hosts', typedConfig: expect.anything() }],
          hostSelectionRetryMaxAttempts: 5,
          retriableStatusCodes: [503],
        },
      },
      decorator: { operation: 'a.default.svc.cluster.local:80/*' },
      metadata: {
        filterMetadata: {
          istio: {
            fields: {
              config: { stringValue: '/apis/networking.istio.io/v1alpha3/namespaces/default/virtual-service/v' },
            },
          },
        },
      },
    });
  });

  it('is named after itself and its match', () => {
    const named = routesOf({
      ...toA,
      name: 'r',
      match: [{ name: 'm', uri: { prefix: '/x' } }, { uri: { exact: '/y' } }],
    });
    expect(named.map(({ name, decorator }) => [name, decorator?.operation])).toEqual([
      ['r.m', 'a.default.svc.cluster.local:80/x*'],
      ['r', 'a.default.svc.cluster.local:80/y'],
    ]);
  });

  it('that leads nowhere, or is for others, has no route', () => {
    expect(buildRule({ delegate: { name: 'd' } }).routes).toEqual([]);
    expect(
      buildRule({ ...toA, match: [{ sourceLabels: { app: 'other' } }, { port: 81 }, { gateways: ['x/y'] }] }).routes,
    ).toEqual([]);
  });

  it('says what it needs and what is not there', () => {
    const built = buildRule({
      route: [to(a.hostname, { weight: 1 }), to('none', { weight: 1 })],
      mirror: { host: 'm' },
    });
    expect(built.clusters).toEqual([CLUSTER_A, 'outbound|80||none', 'outbound|80||m']);
    expect(built.diagnostics.map(({ code, path }) => `${code} ${path.join('.')}`)).toEqual([
      'IST0101 spec.http.0.route.1.destination',
      'IST0101 spec.http.0.mirror',
    ]);
  });
});

describe('match', () => {
  it.each<[string, HttpMatchRequest, object]>([
    ['exact path', { uri: { exact: '/a' } }, { path: '/a' }],
    ['prefix', { uri: { prefix: '/a' } }, { prefix: '/a' }],
    ['expression', { uri: { regex: '/a.*' } }, { safeRegex: { regex: '/a.*' } }],
    ['in any case', { uri: { prefix: '/a' }, ignoreUriCase: true }, { prefix: '/a', caseSensitive: {} }],
    [
      'method',
      { method: { exact: 'GET' } },
      { prefix: '/', headers: [{ name: ':method', stringMatch: { exact: 'GET' } }] },
    ],
    [
      'authority',
      { authority: { prefix: 'a' } },
      { prefix: '/', headers: [{ name: ':authority', stringMatch: { prefix: 'a' } }] },
    ],
    [
      'scheme',
      { scheme: { exact: 'https' } },
      { prefix: '/', headers: [{ name: ':scheme', stringMatch: { exact: 'https' } }] },
    ],
    [
      'headers, sorted',
      { headers: { b: { regex: 'x.*' }, a: { exact: '1' } } },
      {
        prefix: '/',
        headers: [
          { name: 'a', stringMatch: { exact: '1' } },
          { name: 'b', stringMatch: { safeRegex: { regex: 'x.*' } } },
        ],
      },
    ],
    ['header that is there', { headers: { a: {} } }, { prefix: '/', headers: [{ name: 'a', presentMatch: true }] }],
    [
      'header that is there, as 1.4 says it',
      { headers: { a: { regex: '*' } } },
      { prefix: '/', headers: [{ name: 'a', presentMatch: true }] },
    ],
    [
      'header that is not there',
      { withoutHeaders: { a: {} } },
      { prefix: '/', headers: [{ name: 'a', presentMatch: true, invertMatch: true }] },
    ],
    [
      'header without a value',
      { withoutHeaders: { a: { exact: '1' } } },
      {
        prefix: '/',
        headers: [{ name: 'a', stringMatch: { exact: '1' }, invertMatch: true, treatMissingHeaderAsEmpty: true }],
      },
    ],
    [
      'parameters',
      { queryParams: { q: { exact: '1' }, p: {} } },
      {
        prefix: '/',
        queryParameters: [
          { name: 'p', presentMatch: true },
          { name: 'q', stringMatch: { exact: '1' } },
        ],
      },
    ],
  ])('%s', (_, match, expected) => {
    expect(matching(match)).toEqual(expected);
  });

  it('may have statistics of its own', () => {
    expect(routeOf({ ...toA, match: [{ statPrefix: 's' }] })?.statPrefix).toBe('s');
  });
});

describe('destinations', () => {
  it('share by weight, without those of weight 0', () => {
    const spec = { route: [to(a.hostname, { weight: 80 }), to(b.hostname, { weight: 20 }), to('c', { weight: 0 })] };
    expect(routeOf(spec)?.route?.weightedClusters).toEqual({
      clusters: [
        { name: CLUSTER_A, weight: { value: 80 } },
        { name: CLUSTER_B, weight: { value: 20 } },
      ],
    });
    expect(routeOf(spec)?.decorator?.operation).toBe('v:80/*');
  });

  it('of which one is left are that one, with its headers', () => {
    const spec: HttpRoute = {
      headers: { request: { set: { x: 'route' } } },
      route: [
        to(a.hostname, { weight: 100, headers: { request: { set: { y: 'destination', host: 'h' } } } }),
        to('c', { weight: 0 }),
      ],
    };
    expect(routeOf(spec)).toMatchObject({
      route: { cluster: CLUSTER_A, hostRewriteLiteral: 'h' },
      requestHeadersToAdd: [{ header: { key: 'y' } }, { header: { key: 'x' } }],
    });
  });

  it('change headers each for themselves', () => {
    const headers = { request: { add: { x: '1' }, set: { Host: 'h' } }, response: { remove: ['y'] } };
    const spec = { route: [to(a.hostname, { weight: 1, headers }), to(b.hostname, { weight: 1 })] };
    expect(routeOf(spec)?.route?.weightedClusters?.clusters?.[0]).toEqual({
      name: CLUSTER_A,
      weight: { value: 1 },
      hostRewriteLiteral: 'h',
      requestHeadersToAdd: [{ header: { key: 'x', value: '1' } }],
      responseHeadersToRemove: ['y'],
    });
  });

  it('that hash say by what, and are then not left on retries', () => {
    const hashing = (consistentHash: NonNullable<TrafficPolicy['loadBalancer']>['consistentHash']) =>
      at(a, 80, rule({ trafficPolicy: { loadBalancer: { consistentHash } } }));
    const policies = (consistentHash: Parameters<typeof hashing>[0]) =>
      routeOf(toA, { destinations: [hashing(consistentHash)] })?.route?.hashPolicy;
    expect(policies({ httpHeaderName: 'h' })).toEqual([{ header: { headerName: 'h' } }]);
    expect(policies({ useSourceIp: true })).toEqual([{ connectionProperties: { sourceIp: true } }]);
    expect(policies({ httpQueryParameterName: 'q' })).toEqual([{ queryParameter: { name: 'q' } }]);
    expect(
      policies({ httpCookie: { name: 'c', path: '/', ttl: '0s', attributes: [{ name: 'SameSite', value: 'Lax' }] } }),
    ).toEqual([{ cookie: { name: 'c', path: '/', ttl: {}, attributes: [{ name: 'SameSite', value: 'Lax' }] } }]);
    const retries = routeOf(toA, { destinations: [hashing({ useSourceIp: true })] })?.route?.retryPolicy;
    expect(retries).not.toHaveProperty('retryHostPredicate');
  });

  it('have the hash of their port and subset', () => {
    const applied = rule({
      trafficPolicy: { loadBalancer: { consistentHash: { httpHeaderName: 'rule' } } },
      subsets: [{ name: 'v1', trafficPolicy: { loadBalancer: { consistentHash: { httpHeaderName: 'subset' } } } }],
    });
    const two = service('two', { ports: [port(80), port(81)] });
    const destinations = [at(two, 80, applied), at(two, 81, applied)];
    const spec = { route: [{ destination: { host: two.hostname, subset: 'v1', port: { number: 81 } } }] };
    expect(routeOf(spec, { destinations })?.route).toMatchObject({
      cluster: `outbound|81|v1|${two.hostname}`,
      hashPolicy: [{ header: { headerName: 'subset' } }],
    });
  });
});

describe('timeout and retries', () => {
  it('are what the rule says', () => {
    const spec: HttpRoute = {
      ...toA,
      timeout: '1.5s',
      retries: {
        attempts: 3,
        perTryTimeout: '200ms',
        retryOn: 'gateway-error, 503,429',
        backoff: '10ms',
        retryRemoteLocalities: true,
        retryIgnorePreviousHosts: false,
      },
    };
    expect(routeOf(spec)?.route).toMatchObject({
      timeout: { seconds: 1, nanos: 500_000_000 },
      retryPolicy: {
        retryOn: 'gateway-error,retriable-status-codes',
        retriableStatusCodes: [503, 429],
        numRetries: { value: 3 },
        perTryTimeout: { nanos: 200_000_000 },
        retryBackOff: { baseInterval: { nanos: 10_000_000 } },
        retryPriority: { name: 'envoy.retry_priorities.previous_priorities' },
      },
    });
    expect(routeOf(spec)?.route?.retryPolicy).not.toHaveProperty('retryHostPredicate');
  });

  it('has no limit for streams beside a timeout, since Envoy would ignore the timeout', () => {
    expect(routeOf({ ...toA, timeout: '1.5s' })?.route?.maxStreamDuration).toBeUndefined();
    expect(routeOf(toA)?.route?.maxStreamDuration).toEqual({ grpcTimeoutHeaderMax: {} });
  });

  it('are none with 0 attempts', () => {
    expect(routeOf({ ...toA, retries: { attempts: 0 } })?.route).not.toHaveProperty('retryPolicy');
  });

  it("are the mesh's where the rule says nothing", () => {
    expect(routeOf(toA, { defaults: { ...noDefaults, retries: { attempts: 0 } } })?.route).not.toHaveProperty(
      'retryPolicy',
    );
    expect(
      routeOf({ ...toA, retries: { attempts: 1 } }, { defaults: { ...noDefaults, retries: { attempts: 0 } } })?.route
        ?.retryPolicy?.numRetries,
    ).toEqual({ value: 1 });
  });
});
