import { describe, expect, test } from 'vitest';
import { useMesh } from '../support/mesh.ts';
import { podsOf, statusesOf } from '../support/outcomes.ts';
import { client, echo, service } from '../support/workloads.ts';

const mesh = useMesh({ meshConfig: 'accessLogFile: /dev/stdout' });
const selector = { app: 'web' };

mesh.given(
  client('client'),
  client('stranger', { namespace: 'other' }),
  echo('web', 'v1', ['http:8080', 'h2c:8081', 'tcp:9000', 'tls:9443', 'https:8443', 'banner:3306'], { replicas: 2 }),
  service('web', ['http:80>8080', 'http2:81>8081', 'grpc-api:82>8081', 'tcp:9000', 'tls:9443', 'https-web:443>8443'], {
    selector,
  }),
);

describe('protocols by port name', () => {
  test('HTTP/1.1 goes in and out of HTTP filters', async () => {
    const { status, echo: seen, headers } = await mesh.call('client', 'http://web/path?a=b');
    expect(status).toBe(200);
    expect(seen).toMatchObject({ app: 'web', protocol: 'HTTP/1.1', path: '/path', query: 'a=b', from: '127.0.0.6' });
    expect(headers['server']).toBe('envoy');
    expect(seen?.headers).toHaveProperty('x-request-id');
  });

  test('http2 is HTTP/2 on the way to the app, whatever the client speaks', async () => {
    const [plain, h2] = await Promise.all([
      mesh.call('client', 'http://web:81/'),
      mesh.call('client', 'h2c://web:81/'),
    ]);
    expect([plain.status, h2.status]).toEqual([200, 200]);
    expect([plain.echo?.protocol, h2.echo?.protocol]).toEqual(['HTTP/2.0', 'HTTP/2.0']);
  });

  test('http is HTTP/1.1 on the way to the app, even for an HTTP/2 client', async () => {
    const { status, echo: seen } = await mesh.call('client', 'h2c://web:80/');
    expect([status, seen?.protocol]).toEqual([200, 'HTTP/1.1']);
  });

  test('gRPC carries messages and trailers', async () => {
    const good = await mesh.call('client', 'grpc://web:82', { body: 'a message' });
    expect([good.status, good.grpcStatus, good.echo?.body]).toEqual([200, 0, 'a message']);
    const bad = await mesh.call('client', 'grpc://web:82', { headers: { 'x-echo-grpc-status': '7' } });
    expect([bad.status, bad.grpcStatus]).toEqual([200, 7]);
  });

  test('TCP is bytes', async () => {
    const { echo: seen } = await mesh.call('client', 'tcp://web:9000', { body: 'a line' });
    expect(seen).toMatchObject({ protocol: 'TCP', body: 'a line', from: '127.0.0.6' });
  });

  test('TLS passes through: the server’s own certificate and the client’s server name', async () => {
    const tls = { authority: mesh.authority.certificate, serverName: 'server.example.com' };
    const line = await mesh.call('client', 'tls://web:9443', { tls });
    expect(line.error).toBeUndefined();
    expect(line.echo).toMatchObject({ protocol: 'TLS', sni: 'server.example.com' });
    const https = await mesh.call('client', 'https://web/', { tls });
    expect([https.status, https.echo?.sni]).toEqual([200, 'server.example.com']);
  });
});

describe('protocols by appProtocol', () => {
  mesh.given(
    echo('typed', 'v1', ['http:8080', 'h2c:8081', 'h2c:8082']),
    service('says-grpc', ['tcp-not:82>8081'], { selector: { app: 'typed' }, appProtocol: 'grpc' }),
    service('says-tcp', ['http-not:80>8080'], { selector: { app: 'typed' }, appProtocol: 'tcp' }),
    service('says-h2c', [':80>8082'], { selector: { app: 'typed' }, appProtocol: 'kubernetes.io/h2c' }),
  );

  test('it has the say over the port’s name', async () => {
    const grpc = await mesh.call('client', 'grpc://says-grpc:82', { body: 'x' });
    expect([grpc.grpcStatus, grpc.echo?.body]).toEqual([0, 'x']);
    // As TCP nothing adds a server header.
    const tcp = await mesh.call('client', 'http://says-tcp/');
    expect([tcp.status, tcp.headers['server']]).toEqual([200, undefined]);
    const h2c = await mesh.call('client', 'http://says-h2c/');
    expect([h2c.status, h2c.echo?.protocol]).toEqual([200, 'HTTP/2.0']);
  });
});

describe('unnamed ports', () => {
  mesh.given(
    service('sniffed-http', [':8080'], { selector }),
    service('sniffed-h2', [':8081'], { selector }),
    service('sniffed-tcp', [':9000'], { selector }),
    service('sniffed-tls', [':9443'], { selector }),
    service('mysql', [':3306'], { selector }),
    `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: sniffed, namespace: default }
spec:
  hosts: [sniffed-http, sniffed-h2]
  http:
    - { match: [{ port: 8080 }], route: [{ destination: { host: sniffed-http } }], headers: { response: { set: { x-rule: sniffed } } } }
    - { route: [{ destination: { host: sniffed-h2 } }], headers: { response: { set: { x-rule: sniffed } } } }
`,
  );

  test('HTTP is found out, and HTTP rules apply', async () => {
    const { status, headers, echo: seen } = await mesh.call('client', 'http://sniffed-http:8080/');
    expect([status, headers['x-rule'], seen?.protocol]).toEqual([200, 'sniffed', 'HTTP/1.1']);
  });

  test('HTTP/2 is found out and stays HTTP/2', async () => {
    const { status, headers, echo: seen } = await mesh.call('client', 'h2c://sniffed-h2:8081/');
    expect([status, headers['x-rule'], seen?.protocol]).toEqual([200, 'sniffed', 'HTTP/2.0']);
  });

  test('what is not HTTP is bytes', async () => {
    const { echo: seen, ms } = await mesh.call('client', 'tcp://sniffed-tcp:9000', { body: 'not http at all' });
    expect(seen).toMatchObject({ protocol: 'TCP', body: 'not http at all' });
    expect(ms).toBeLessThan(2_000);
  });

  test('TLS is bytes too', async () => {
    const { echo: seen } = await mesh.call('client', 'tls://sniffed-tls:9443', {
      tls: { serverName: 'a.example.com' },
    });
    expect(seen).toMatchObject({ protocol: 'TLS', sni: 'a.example.com' });
  });

  test('where the server speaks first, well-known ports do not wait for the client', async () => {
    const { headers, echo: seen, ms, error } = await mesh.call('client', 'banner://mysql:3306', { body: 'select' });
    expect(error).toBeUndefined();
    expect([headers['banner'], seen?.body]).toEqual(['BANNER web-v1', 'select']);
    expect(ms).toBeLessThan(1_000);
  });
});

describe('names and addresses', () => {
  mesh.given(service('peers', ['http:8080', 'tcp:9000'], { selector, headless: true }));

  test('short and long names lead to the service', async () => {
    const names = ['web', 'web.default', 'web.default.svc', 'web.default.svc.cluster.local'];
    const outcomes = await Promise.all(names.map((name) => mesh.call('client', `http://${name}/`)));
    expect(statusesOf(outcomes)).toEqual({ 200: names.length });
    expect(outcomes.map(({ headers }) => headers['x-envoy-upstream-service-time'])).not.toContain(undefined);
  });

  test('a short name is of the caller’s namespace', async () => {
    const [short, long] = [
      await mesh.call('stranger', 'http://web/'),
      await mesh.call('stranger', 'http://web.default/'),
    ];
    expect(short.error).toMatch(/ENOTFOUND|EAI_AGAIN/);
    expect(long.status).toBe(200);
  });

  test('a headless service leads to its pods, HTTP and TCP', async () => {
    expect((await mesh.call('client', 'http://peers:8080/')).status).toBe(200);
    expect((await mesh.call('client', 'tcp://peers:9000', { body: 'x' })).echo?.body).toBe('x');
  });

  test('a call to a pod’s address reaches that pod', async () => {
    for (const { name, address } of await mesh.pods('web-v1')) {
      const outcomes = await mesh.calls('client', `http://${address}:8080/`, { count: 4 });
      expect(podsOf(outcomes)).toEqual({ [name]: 4 });
      const line = await mesh.call('client', `tcp://${address}:9000`);
      expect(line.echo?.pod).toBe(name);
    }
  });
});

describe('access logs', () => {
  test('both sides tell of a request, in Istio’s words', async () => {
    await mesh.call('client', 'http://web/logged', { headers: { 'user-agent': 'log-test' } });
    const find = async (deployment: string): Promise<string | undefined> =>
      (await mesh.envoyLog(deployment)).find((line) => line.includes('/logged') && line.includes('log-test'));
    await mesh.waitUntil('the client’s Envoy has logged', async () => (await find('client')) !== undefined);
    const line = await find('client');
    expect(line).toMatch(/^\[20\d\d-.*\] "GET \/logged HTTP\/1\.1" 200 - /);
    expect(line).toContain(' outbound|80||web.default.svc.cluster.local ');
    const [{ name = '' } = {}] = (await mesh.requests('web-v1'))
      .filter(({ path }) => path === '/logged')
      .map(({ pod }) => ({ name: pod }));
    await mesh.waitUntil('the server’s Envoy has logged', async () =>
      (await mesh.envoyLogOf(name)).some((logged) => logged.includes('/logged') && logged.includes(' inbound|8080|| ')),
    );
  });

  test('a TCP connection is one line', async () => {
    await mesh.call('client', 'tcp://web:9000');
    await mesh.waitUntil('the connection is logged', async () =>
      (await mesh.envoyLog('client')).some(
        (line) => line.includes('] "- - -" 0 - ') && line.includes(' outbound|9000||web.default.svc.cluster.local '),
      ),
    );
  });
});
