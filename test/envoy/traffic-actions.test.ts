import { describe, expect, test } from 'vitest';
import { useMesh } from '../support/mesh.ts';
import { likely, statusesOf, versionsOf } from '../support/outcomes.ts';
import { client, echo, service } from '../support/workloads.ts';

const mesh = useMesh();
mesh.given(client('client'), ...['v1', 'v2'].map((version) => echo('echo', version, ['http:8080'])));

/** A service of its own, with subsets v1 and v2, whose HTTP rules are these. */
function given(name: string, http: string): void {
  mesh.given(
    service(name, ['http:80>8080'], { selector: { app: 'echo' } }),
    `
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: ${name}, namespace: default }
spec: { host: ${name}, subsets: [{ name: v1, labels: { version: v1 } }, { name: v2, labels: { version: v2 } }] }
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: ${name}, namespace: default }
spec:
  hosts: [${name}]
  http:
${http.replace(/^\n/, '').replace(/^/gm, '    ')}`,
  );
}

describe('rewrites, redirects and direct responses', () => {
  given(
    'moved',
    `
- match: [{ uri: { exact: /old } }]
  redirect: { uri: /new, authority: elsewhere.example.com, redirectCode: 307, port: 8443, scheme: https }
- match: [{ uri: { prefix: /just } }]
  redirect: { authority: elsewhere.example.com }
- match: [{ uri: { exact: /down } }]
  directResponse: { status: 503, body: { string: "closed" } }
- match: [{ uri: { prefix: /api/ } }]
  rewrite: { uri: /, authority: api.internal }
  route: [{ destination: { host: moved } }]
- match: [{ uri: { prefix: /v1 } }]
  rewrite: { uri: /v2 }
  route: [{ destination: { host: moved } }]
- match: [{ uri: { prefix: /re } }]
  rewrite: { uriRegexRewrite: { match: "^/re/([^/]+)/(.*)$", rewrite: "/\\\\2/\\\\1" } }
  route: [{ destination: { host: moved } }]`,
  );

  test('a redirect says where to go', async () => {
    const { status, headers } = await mesh.call('client', 'http://moved/old');
    expect([status, headers['location']]).toEqual([307, 'https://elsewhere.example.com:8443/new']);
    const plain = await mesh.call('client', 'http://moved/just/this?q=1');
    expect([plain.status, plain.headers['location']]).toEqual([301, 'http://elsewhere.example.com/just/this?q=1']);
  });

  test('a direct response needs no server', async () => {
    const { status, body } = await mesh.call('client', 'http://moved/down');
    expect([status, body]).toEqual([503, 'closed']);
  });

  test.each([
    ['/api/users?q=1', '/users', 'api.internal'],
    ['/api/', '/', 'api.internal'],
    ['/v1/x', '/v2/x', 'moved'],
    ['/v1', '/v2', 'moved'],
    ['/re/one/two/three', '/two/three/one', 'moved'],
  ])('%s becomes %s at %s', async (path, becomes, host) => {
    const { echo: seen, status } = await mesh.call('client', `http://moved${path}`);
    expect([status, seen?.path, seen?.headers['host']]).toEqual([200, becomes, host]);
  });
});

describe('timeouts and retries', () => {
  given(
    'patience',
    `
- match: [{ uri: { prefix: /short } }]
  timeout: 300ms
  route: [{ destination: { host: patience } }]
- match: [{ uri: { prefix: /try } }]
  retries: { attempts: 3, perTryTimeout: 2s, retryOn: "5xx" }
  route: [{ destination: { host: patience, subset: v1 } }]
- match: [{ uri: { prefix: /tries-time-out } }]
  retries: { attempts: 2, perTryTimeout: 200ms, retryOn: "5xx" }
  timeout: 5s
  route: [{ destination: { host: patience, subset: v1 } }]
- match: [{ uri: { prefix: /never } }]
  retries: { attempts: 0 }
  route: [{ destination: { host: patience, subset: v1 } }]
- route: [{ destination: { host: patience, subset: v1 } }]`,
  );

  test('a timeout ends the wait', async () => {
    const { status, ms } = await mesh.call('client', 'http://patience/short?delay=3000');
    expect(status).toBe(504);
    expect(ms).toBeGreaterThan(280);
    expect(ms).toBeLessThan(1_500);
    expect((await mesh.call('client', 'http://patience/short?delay=50')).status).toBe(200);
  });

  test('without one Envoy waits', async () => {
    expect((await mesh.call('client', 'http://patience/other?delay=1500')).status).toBe(200);
  });

  test('a failed request is tried again as often as allowed', async () => {
    const { status } = await mesh.call('client', 'http://patience/try?fail=again:3');
    expect(status).toBe(200);
    expect((await mesh.requests('echo-v1')).filter(({ query }) => query === 'fail=again:3')).toHaveLength(4);
    expect((await mesh.call('client', 'http://patience/try?fail=more:4')).status).toBe(503);
  });

  test('each try has its own timeout', async () => {
    const { status, ms } = await mesh.call('client', 'http://patience/tries-time-out?delay=4000');
    expect(status).toBe(504);
    expect(ms).toBeGreaterThan(580);
    expect(ms).toBeLessThan(2_500);
    const tries = (await mesh.requests('echo-v1')).filter(({ path }) => path === '/tries-time-out');
    expect(tries).toHaveLength(3);
  });

  test('by default broken connections and 503 are tried twice again, other answers are not', async () => {
    const { requests, call } = { requests: () => mesh.requests('echo-v1'), call: mesh.call.bind(mesh, 'client') };
    expect((await call('http://patience/usual?fail=usual:2')).status).toBe(200);
    expect((await requests()).filter(({ query }) => query === 'fail=usual:2')).toHaveLength(3);
    expect((await call('http://patience/usual?fail=too-much:3')).status).toBe(503);
    expect((await call('http://patience/usual?status=500')).status).toBe(500);
    expect((await requests()).filter(({ query }) => query === 'status=500')).toHaveLength(1);
  });

  test('attempts 0 is one try', async () => {
    expect((await mesh.call('client', 'http://patience/never?fail=never:1')).status).toBe(503);
  });
});

describe('faults', () => {
  given(
    'faulty',
    `
- match: [{ headers: { end-user: { exact: slow } } }]
  fault: { delay: { percentage: { value: 100 }, fixedDelay: 700ms } }
  route: [{ destination: { host: faulty } }]
- match: [{ headers: { end-user: { exact: broken } } }]
  fault: { abort: { percentage: { value: 100 }, httpStatus: 555 } }
  route: [{ destination: { host: faulty } }]
- match: [{ headers: { end-user: { exact: half } } }]
  fault: { abort: { percentage: { value: 50 }, httpStatus: 500 } }
  route: [{ destination: { host: faulty } }]
- route: [{ destination: { host: faulty } }]`,
  );

  test('a delay comes before the answer', async () => {
    const { status, ms } = await mesh.call('client', 'http://faulty/', { headers: { 'end-user': 'slow' } });
    expect(status).toBe(200);
    expect(ms).toBeGreaterThan(690);
    expect((await mesh.call('client', 'http://faulty/')).ms).toBeLessThan(600);
  });

  test('an abort reaches no server', async () => {
    const { status, echo: seen } = await mesh.call('client', 'http://faulty/', { headers: { 'end-user': 'broken' } });
    expect([status, seen]).toEqual([555, undefined]);
  });

  test('a percentage is what it says', async () => {
    const total = 300;
    const headers = { 'end-user': 'half' };
    const statuses = statusesOf(
      await mesh.calls('client', 'http://faulty/', { headers, count: total, concurrency: 8 }),
    );
    const { min, max } = likely(total, 0.5);
    expect((statuses['200'] ?? 0) + (statuses['500'] ?? 0)).toBe(total);
    expect(statuses['500']).toBeGreaterThanOrEqual(min);
    expect(statuses['500']).toBeLessThanOrEqual(max);
  });
});

describe('mirrors', () => {
  given(
    'mirrored',
    `
- match: [{ uri: { prefix: /half } }]
  route: [{ destination: { host: mirrored, subset: v1 } }]
  mirrors: [{ destination: { host: mirrored, subset: v2 }, percentage: { value: 50 } }]
- route: [{ destination: { host: mirrored, subset: v1 } }]
  mirror: { host: mirrored, subset: v2 }`,
  );

  test('the shadow sees the request under its own host name, and nobody waits for it', async () => {
    const outcome = await mesh.call('client', 'http://mirrored/all?delay=100', { headers: { host: 'mirrored' } });
    expect(outcome.echo?.version).toBe('v1');
    await mesh.waitUntil('the mirror has seen it', async () =>
      (await mesh.requests('echo-v2')).some(
        ({ path, headers }) => path === '/all' && headers['host'] === 'mirrored-shadow',
      ),
    );
    expect((await mesh.requests('echo-v1')).filter(({ path }) => path === '/all')).toHaveLength(1);
  });

  test('a percentage is what it says', async () => {
    const total = 200;
    expect(versionsOf(await mesh.calls('client', 'http://mirrored/half', { count: total, concurrency: 4 }))).toEqual({
      v1: total,
    });
    const { min, max } = likely(total, 0.5);
    const seen = async (): Promise<number> =>
      (await mesh.requests('echo-v2')).filter(({ path }) => path === '/half').length;
    await mesh.waitUntil('the mirrored half has arrived', async () => (await seen()) >= min);
    expect(await seen()).toBeLessThanOrEqual(max);
  });
});

describe('header operations', () => {
  given(
    'headers',
    `
- headers:
    request: { set: { x-set: new, host: other.example.com }, add: { x-add: more }, remove: [x-gone] }
    response: { set: { x-reply: set }, add: { x-extra: added }, remove: [x-secret] }
  route: [{ destination: { host: headers }, headers: { request: { set: { x-leg: one } } } }]`,
  );

  test('requests and responses are changed on the way', async () => {
    const sent = { 'x-set': 'old', 'x-add': 'first', 'x-gone': 'here' };
    const url = 'http://headers/?header=x-secret:1,x-reply:old';
    const { echo: seen, headers } = await mesh.call('client', url, { headers: sent });
    expect(seen?.headers).toMatchObject({
      'x-set': 'new',
      'x-add': 'first, more',
      'x-leg': 'one',
      host: 'other.example.com',
    });
    expect(seen?.headers).not.toHaveProperty('x-gone');
    expect(headers).toMatchObject({ 'x-reply': 'set', 'x-extra': 'added' });
    expect(headers).not.toHaveProperty('x-secret');
  });
});

describe('CORS', () => {
  given(
    'shared',
    `
- corsPolicy:
    allowOrigins: [{ exact: "https://example.com" }, { regex: "https://[a-z]+\\\\.example\\\\.org" }]
    allowMethods: [GET, POST]
    allowHeaders: [x-a]
    exposeHeaders: [x-b]
    maxAge: 24h
    allowCredentials: true
  route: [{ destination: { host: shared } }]`,
  );

  const preflight = (origin: string) =>
    mesh.call('client', 'http://shared/', {
      method: 'OPTIONS',
      headers: { origin, 'access-control-request-method': 'POST', 'access-control-request-headers': 'x-a' },
    });

  test('Envoy answers the question of an allowed origin', async () => {
    for (const origin of ['https://example.com', 'https://shop.example.org']) {
      const { status, headers, echo: seen } = await preflight(origin);
      expect([status, seen]).toEqual([200, undefined]);
      expect(headers).toMatchObject({
        'access-control-allow-origin': origin,
        'access-control-allow-methods': 'GET,POST',
        'access-control-allow-headers': 'x-a',
        'access-control-allow-credentials': 'true',
        'access-control-max-age': '86400',
      });
    }
  });

  test('others are not told', async () => {
    expect((await preflight('https://evil.example.com')).headers).not.toHaveProperty('access-control-allow-origin');
  });

  test('an answer says which headers may be read', async () => {
    const { status, headers } = await mesh.call('client', 'http://shared/', {
      headers: { origin: 'https://example.com' },
    });
    expect(status).toBe(200);
    expect(headers).toMatchObject({
      'access-control-allow-origin': 'https://example.com',
      'access-control-expose-headers': 'x-b',
    });
  });
});
