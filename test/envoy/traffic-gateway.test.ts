import { describe, expect, test } from 'vitest';
import { useMesh } from '../support/mesh.ts';
import { likely, versionsOf } from '../support/outcomes.ts';
import { echo, gateway, service } from '../support/workloads.ts';

const mesh = useMesh({ publish: [80, 443, 31400] });
const certs = mesh.folders.certificates;
mesh.certificate('a', ['a.example.com']);
mesh.certificate('b', ['b.example.com']);

mesh.given(
  ...gateway('ingressgateway', ['http2:80>8080', 'https:443>8443', 'tcp:31400']),
  ...['v1', 'v2'].map((version) => echo('web', version, ['http:8080', 'h2c:8081', 'tcp:9000', 'tls:9443'])),
  service('web', ['http:80>8080', 'grpc:82>8081', 'tcp:9000', 'tls:9443'], { selector: { app: 'web' } }),
  `
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: web, namespace: default }
spec: { host: web, subsets: [{ name: v1, labels: { version: v1 } }, { name: v2, labels: { version: v2 } }] }
`,
);

describe('HTTP', () => {
  mesh.given(`
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: plain, namespace: default }
spec:
  selector: { istio: ingressgateway }
  servers:
    - { port: { number: 80, name: http, protocol: HTTP }, hosts: ["*.plain.example.com", other.org] }
    - { port: { number: 80, name: http-a, protocol: HTTP }, hosts: [a.example.com], tls: { httpsRedirect: true } }
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: plain, namespace: default }
spec:
  hosts: [shop.plain.example.com]
  gateways: [plain]
  http:
    - match: [{ uri: { prefix: /v2 } }]
      route: [{ destination: { host: web, subset: v2, port: { number: 80 } } }]
    - match: [{ uri: { prefix: /grpc } }, { uri: { prefix: /echo.Echo } }]
      route: [{ destination: { host: web, port: { number: 82 } } }]
    - match: [{ uri: { prefix: /v1 } }]
      route: [{ destination: { host: web, subset: v1, port: { number: 80 } } }]
`);

  test('a bound host is routed by its VirtualService', async () => {
    expect(versionsOf(await mesh.ingressCalls('http://shop.plain.example.com/v2', { count: 6 }))).toEqual({ v2: 6 });
    expect(versionsOf(await mesh.ingressCalls('http://shop.plain.example.com/v1', { count: 6 }))).toEqual({ v1: 6 });
  });

  test('other paths and hosts are not found', async () => {
    expect((await mesh.ingress('http://shop.plain.example.com/elsewhere')).status).toBe(404);
    expect((await mesh.ingress('http://other.plain.example.com/v1')).status).toBe(404);
    expect((await mesh.ingress('http://unknown.org/v1')).status).toBe(404);
  });

  mesh.given(`
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: both, namespace: default }
spec:
  hosts: [both.plain.example.com]
  gateways: [mesh, plain]
  http:
    - { match: [{ gateways: [mesh] }], directResponse: { status: 418 } }
    - { match: [{ gateways: [plain], port: 80 }], route: [{ destination: { host: web, subset: v2, port: { number: 80 } } }] }
`);

  test('a match of gateways counts', async () => {
    expect(versionsOf(await mesh.ingressCalls('http://both.plain.example.com/', { count: 4 }))).toEqual({ v2: 4 });
  });

  test('the app learns who called', async () => {
    const { echo: seen } = await mesh.ingress('http://shop.plain.example.com/v1');
    expect(seen?.headers).toHaveProperty('x-forwarded-for');
    expect(seen?.headers['x-forwarded-proto']).toBe('http');
  });

  test('HTTP/2 without TLS and gRPC come in on the same port', async () => {
    expect((await mesh.ingress('h2c://shop.plain.example.com/v1')).status).toBe(200);
    const { grpcStatus, echo: seen } = await mesh.ingress('grpc://shop.plain.example.com', { body: 'x' });
    expect([grpcStatus, seen?.body]).toEqual([0, 'x']);
  });

  test('httpsRedirect sends to HTTPS', async () => {
    const { status, headers } = await mesh.ingress('http://a.example.com/x?q=1');
    expect([status, headers['location']]).toEqual([301, 'https://a.example.com/x?q=1']);
  });
});

describe('HTTPS from files, MUTUAL and passthrough', () => {
  mesh.given(`
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: secure, namespace: default }
spec:
  selector: { istio: ingressgateway }
  servers:
    - port: { number: 443, name: https-a, protocol: HTTPS }
      hosts: [a.example.com]
      tls: { mode: SIMPLE, serverCertificate: ${certs}/a.crt, privateKey: ${certs}/a.key }
    - port: { number: 443, name: https-b, protocol: HTTPS }
      hosts: [b.example.com]
      tls: { mode: MUTUAL, serverCertificate: ${certs}/b.crt, privateKey: ${certs}/b.key, caCertificates: ${certs}/ca.crt, subjectAltNames: [friend.example.com] }
    - { port: { number: 443, name: tls-c, protocol: TLS }, hosts: [c.example.com], tls: { mode: PASSTHROUGH } }
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: secure, namespace: default }
spec:
  hosts: [a.example.com, b.example.com]
  gateways: [secure]
  http:
    - match: [{ authority: { prefix: b. } }]
      route: [{ destination: { host: web, subset: v2, port: { number: 80 } } }]
    - route: [{ destination: { host: web, subset: v1, port: { number: 80 } } }]
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: raw, namespace: default }
spec:
  hosts: [c.example.com]
  gateways: [secure]
  tls: [{ match: [{ port: 443, sniHosts: [c.example.com] }], route: [{ destination: { host: web, subset: v2, port: { number: 9443 } } }] }]
`);
  const authority = mesh.authority.certificate;
  const friend = mesh.authority.issue(['friend.example.com']);
  const stranger = mesh.authority.issue(['stranger.example.com']);

  test('SIMPLE: the gateway has the certificate, HTTP/1.1 and HTTP/2', async () => {
    const tls = { authority };
    const h1 = await mesh.ingress('https://a.example.com/', { tls });
    expect([h1.error, h1.status, h1.echo?.version]).toEqual([undefined, 200, 'v1']);
    expect(h1.echo?.headers['x-forwarded-proto']).toBe('https');
    const h2 = await mesh.ingress('h2://a.example.com/', { tls });
    expect([h2.error, h2.status]).toEqual([undefined, 200]);
  });

  test('MUTUAL: only clients of its authority and name come in', async () => {
    const call = (tls: object) => mesh.ingress('https://b.example.com/', { tls: { authority, ...tls } });
    expect((await call({})).error).toMatch(/alert|reset|closed|hang up/i);
    expect((await call({ certificate: stranger.certificate, key: stranger.key })).error).toMatch(
      /alert|reset|closed|hang up/i,
    );
    const welcome = await call({ certificate: friend.certificate, key: friend.key });
    expect([welcome.error, welcome.status, welcome.echo?.version]).toEqual([undefined, 200, 'v2']);
  });

  test('PASSTHROUGH: the app has the certificate', async () => {
    const { error, echo: seen } = await mesh.ingress('tls://c.example.com:443', {
      tls: { authority, serverName: 'c.example.com' },
    });
    expect([error, seen?.sni, seen?.version]).toEqual([undefined, 'c.example.com', 'v2']);
  });

  test('a server name that nobody has is refused', async () => {
    expect((await mesh.ingress('https://d.example.com/')).error).toBeDefined();
  });
});

describe('TCP', () => {
  mesh.given(`
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: raw-tcp, namespace: default }
spec: { selector: { istio: ingressgateway }, servers: [{ port: { number: 31400, name: tcp, protocol: TCP }, hosts: ["*"] }] }
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: raw-tcp, namespace: default }
spec:
  hosts: ["*"]
  gateways: [raw-tcp]
  tcp:
    - match: [{ port: 31400 }]
      route:
        - { destination: { host: web, subset: v1, port: { number: 9000 } }, weight: 80 }
        - { destination: { host: web, subset: v2, port: { number: 9000 } }, weight: 20 }
`);

  test('connections are split by weight', async () => {
    const total = 200;
    const { v1 = 0, v2 = 0 } = versionsOf(await mesh.ingressCalls('tcp://any:31400', { count: total, concurrency: 4 }));
    expect(v1 + v2).toBe(total);
    const { min, max } = likely(total, 0.8);
    expect(v1).toBeGreaterThanOrEqual(min);
    expect(v1).toBeLessThanOrEqual(max);
  });
});

describe('edits', () => {
  mesh.before(() =>
    mesh.apply(
      'edited',
      `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: edited, namespace: default }
spec:
  hosts: [edited.plain.example.com]
  gateways: [plain]
  http: [{ route: [{ destination: { host: web, subset: v1, port: { number: 80 } } }] }]
`,
    ),
  );

  test('a host that comes later is served, changes, and goes', async () => {
    const url = 'http://edited.plain.example.com/';
    expect(versionsOf(await mesh.ingressCalls(url, { count: 4 }))).toEqual({ v1: 4 });
    await mesh.apply(
      'edited',
      `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: edited, namespace: default }
spec:
  hosts: [edited.plain.example.com]
  gateways: [plain]
  http: [{ route: [{ destination: { host: web, subset: v2, port: { number: 80 } } }] }]
`,
    );
    expect(versionsOf(await mesh.ingressCalls(url, { count: 4 }))).toEqual({ v2: 4 });
    await mesh.remove('edited');
    expect((await mesh.ingress(url)).status).toBe(404);
  });
});
