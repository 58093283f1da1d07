import { describe, expect, test } from 'vitest';
import { useMesh } from '../support/mesh.ts';
import { podsOf, statusesOf, versionsOf } from '../support/outcomes.ts';
import { client, echo, outside, service } from '../support/workloads.ts';

const mesh = useMesh();
const ports = ['http:8080', 'tcp:9000', 'https:8443'];
mesh.given(
  client('client'),
  echo('echo', 'v1', ports, { replicas: 3 }),
  echo('echo', 'v2', ports),
  echo('echo', 'broken', ports, { labels: { app: 'echo-broken' }, args: ['--status', '500'] }),
  echo('echo', 'sound', ports, { labels: { app: 'echo-broken' } }),
);

/** A service of its own with one DestinationRule. */
function given(name: string, rule: string, app = 'echo'): void {
  mesh.given(
    service(name, ['http:80>8080', 'tcp:9000', 'http-tls:443>8443'], { selector: { app } }),
    `
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: ${name}, namespace: default }
spec:
  host: ${name}.default.svc.cluster.local
${rule.replace(/^\n/, '').replace(/^/gm, '  ')}`,
  );
}

describe('load balancing', () => {
  given('in-turn', '\ntrafficPolicy: { loadBalancer: { simple: ROUND_ROBIN } }');
  given('at-random', '\ntrafficPolicy: { loadBalancer: { simple: RANDOM } }');
  given('least', '\ntrafficPolicy: { loadBalancer: { simple: LEAST_REQUEST } }');

  test('ROUND_ROBIN takes everybody in turn', async () => {
    const counts = Object.values(podsOf(await mesh.calls('client', 'http://in-turn/', { count: 40 })));
    expect(counts).toEqual([10, 10, 10, 10]);
  });

  test.each(['at-random', 'least'])('%s reaches everybody', async (name) => {
    const pods = podsOf(await mesh.calls('client', `http://${name}/`, { count: 100, concurrency: 4 }));
    expect(Object.keys(pods)).toHaveLength(4);
    expect(Object.values(pods).reduce((sum, count) => sum + count, 0)).toBe(100);
  });

  test('a connection is balanced too', async () => {
    const counts = Object.values(podsOf(await mesh.calls('client', 'tcp://in-turn:9000', { count: 16 })));
    expect(counts).toEqual([4, 4, 4, 4]);
  });
});

describe('consistent hash', () => {
  const by = (what: string): string => `\ntrafficPolicy: { loadBalancer: { consistentHash: ${what} } }`;
  given('by-header', by('{ httpHeaderName: x-user }'));
  given('by-cookie', by('{ httpCookie: { name: session, ttl: 60s, path: / } }'));
  given('by-query', by('{ httpQueryParameterName: user }'));
  given('by-source', by('{ useSourceIp: true }'));
  given('by-maglev', by('{ httpHeaderName: x-user, maglev: { tableSize: 1009 } }'));

  test.each(['by-header', 'by-maglev'])('%s: a user stays where it is, users spread', async (name) => {
    const seen = new Set<string>();
    for (let user = 0; user < 16; user += 1) {
      const headers = { 'x-user': `user-${user}` };
      const pods = Object.keys(
        podsOf(await mesh.calls('client', `http://${name}/`, { headers, count: 6, fresh: true })),
      );
      expect(pods).toHaveLength(1);
      seen.add(pods[0] ?? '');
    }
    expect(seen.size).toBeGreaterThan(1);
  });

  test('by query', async () => {
    const pods = new Set<string>();
    for (let user = 0; user < 16; user += 1) {
      const [pod = '', ...others] = Object.keys(
        podsOf(await mesh.calls('client', `http://by-query/?user=${user}`, { count: 4 })),
      );
      expect(others).toEqual([]);
      pods.add(pod);
    }
    expect(pods.size).toBeGreaterThan(1);
  });

  test('by source address', async () => {
    expect(
      Object.keys(podsOf(await mesh.calls('client', 'http://by-source/', { count: 20, fresh: true }))),
    ).toHaveLength(1);
    expect(Object.keys(podsOf(await mesh.calls('client', 'tcp://by-source:9000', { count: 20 })))).toHaveLength(1);
  });

  test('by cookie, which Envoy hands out', async () => {
    const first = await mesh.call('client', 'http://by-cookie/');
    const [cookie = ''] = (first.headers['set-cookie'] ?? '').split(';');
    expect(cookie).toMatch(/^session=/);
    expect(first.headers['set-cookie']).toMatch(/Max-Age=60/);
    const outcomes = await mesh.calls('client', 'http://by-cookie/', { headers: { cookie }, count: 12, fresh: true });
    expect(podsOf(outcomes)).toEqual({ [first.echo?.pod ?? '']: 12 });
  });
});

describe('subsets', () => {
  given(
    'parts',
    `
trafficPolicy: { loadBalancer: { simple: RANDOM } }
subsets:
  - name: one
    labels: { version: v1 }
    trafficPolicy: { loadBalancer: { simple: ROUND_ROBIN } }
  - name: two
    labels: { version: v2 }`,
  );
  mesh.given(`
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: parts, namespace: default }
spec:
  hosts: [parts]
  http:
    - match: [{ uri: { prefix: /one } }]
      route: [{ destination: { host: parts, subset: one } }]
    - route: [{ destination: { host: parts, subset: two } }]
`);

  test('labels choose the pods, and a subset has its own policy', async () => {
    const one = await mesh.calls('client', 'http://parts/one', { count: 12 });
    expect(versionsOf(one)).toEqual({ v1: 12 });
    expect(Object.values(podsOf(one))).toEqual([4, 4, 4]);
    expect(versionsOf(await mesh.calls('client', 'http://parts/two', { count: 12 }))).toEqual({ v2: 12 });
  });
});

describe('connection pools', () => {
  given(
    'narrow',
    `
trafficPolicy:
  connectionPool: { tcp: { maxConnections: 1 }, http: { http1MaxPendingRequests: 1, maxRequestsPerConnection: 1 } }`,
  );
  given('few', '\ntrafficPolicy: { connectionPool: { tcp: { maxConnections: 2 } } }');

  test('what does not fit is refused at once, flagged and counted', async () => {
    const before = await mesh.stat('client', /narrow.*upstream_rq_pending_overflow/);
    const outcomes = await mesh.calls('client', 'http://narrow/?delay=300', {
      count: 12,
      concurrency: 12,
      fresh: true,
    });
    const { '200': served = 0, '503': refused = 0 } = statusesOf(outcomes);
    expect(served + refused).toBe(12);
    expect(served).toBeGreaterThanOrEqual(1);
    expect(refused).toBeGreaterThanOrEqual(4);
    expect(outcomes.find(({ status }) => status === 503)?.headers['x-envoy-overloaded']).toBe('true');
    expect(await mesh.stat('client', /narrow.*upstream_rq_pending_overflow/)).toBe(before + refused);
  });

  test('within its limits everything passes', async () => {
    expect(statusesOf(await mesh.calls('client', 'http://narrow/', { count: 10 }))).toEqual({ 200: 10 });
  });

  test('TCP connections above the limit are closed', async () => {
    const outcomes = await mesh.calls('client', 'tcp://few:9000', { body: 'wait 400', count: 5, concurrency: 5 });
    expect(outcomes.filter(({ echo: seen }) => seen?.body === 'wait 400')).toHaveLength(2);
    expect(outcomes.filter(({ error }) => error !== undefined)).toHaveLength(3);
    expect(await mesh.stat('client', /outbound.9000..few.*upstream_cx_overflow/)).toBeGreaterThanOrEqual(3);
  });
});

describe('outlier detection', () => {
  given(
    'sick',
    `
trafficPolicy:
  loadBalancer: { simple: ROUND_ROBIN }
  outlierDetection: { consecutive5xxErrors: 3, interval: 1s, baseEjectionTime: 60s, maxEjectionPercent: 50 }`,
    'echo-broken',
  );

  test('who fails again and again is left out', async () => {
    const before = await mesh.calls('client', 'http://sick/', { count: 4 });
    expect(statusesOf(before)).toEqual({ 200: 2, 500: 2 });
    await mesh.calls('client', 'http://sick/', { count: 8 });
    const sick = /^cluster\.outbound\|80\|\|sick\..*outlier_detection\.ejections_active/;
    await mesh.waitUntil('one is ejected', async () => (await mesh.stat('client', sick)) === 1);
    const after = await mesh.calls('client', 'http://sick/', { count: 20 });
    expect(versionsOf(after)).toEqual({ sound: 20 });
    expect(statusesOf(after)).toEqual({ 200: 20 });
  });
});

describe('TLS to a server', () => {
  mesh.given(echo('origin', 'v1', ports, outside));
  given(
    'origin',
    `
trafficPolicy:
  portLevelSettings:
    - port: { number: 443 }
      tls: { mode: SIMPLE, caCertificates: ${mesh.folders.certificates}/ca.crt, sni: server.example.com, subjectAltNames: [server.example.com] }`,
    'origin',
  );
  given(
    'distrust',
    `
trafficPolicy:
  tls: { mode: SIMPLE, caCertificates: ${mesh.folders.certificates}/ca.crt, sni: server.example.com, subjectAltNames: [other.example.org] }`,
    'origin',
  );

  test('the client speaks plain HTTP and the server sees TLS', async () => {
    const { status, echo: seen } = await mesh.call('client', 'http://origin:443/');
    expect([status, seen?.sni]).toEqual([200, 'server.example.com']);
    expect((await mesh.call('client', 'http://origin:80/')).echo?.sni).toBe('');
  });

  test('a server of another name is not trusted', async () => {
    expect((await mesh.call('client', 'http://distrust:443/')).status).toBe(503);
    expect(await mesh.stat('client', /outbound.443..distrust.*ssl\.fail_verify_san/)).toBeGreaterThan(0);
  });
});
