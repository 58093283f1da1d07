import { describe, expect, test } from 'vitest';
import { identitySeen } from '../support/identities.ts';
import { useMesh } from '../support/mesh.ts';
import { client, echo, gateway, service } from '../support/workloads.ts';

const mesh = useMesh({ publish: [80] });
const ME = 'spiffe://cluster.local/ns/default/sa/client';
const selector = { app: 'any' };

// Nobody says what the ports speak, and no plaintext is taken: whatever comes through, the server knew what was inside.
mesh.given(
  client('client'),
  echo('any', 'v1', ['http:8090', 'h2c:8091', 'tcp:9002']),
  echo('copy', 'v1', ['http:8090']),
  service('any', ['one:8090', 'two:8091', 'three:9002'], { selector }),
  service('peers', ['one:8090', 'two:8091', 'three:9002'], { selector, headless: true }),
  service('typed', ['http:80>8090'], { selector }),
  service('copy', ['one:8090'], { selector: { app: 'copy' } }),
  service('shared', ['http:80>8090'], { selector: { app: 'nobody' } }),
  ...gateway('ingress', ['http:80>8000']),
  `
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: { name: default, namespace: istio-system }
spec: { mtls: { mode: STRICT } }
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: shared, namespace: default }
spec:
  hosts: [shared]
  http:
    - match: [{ uri: { prefix: /copied } }]
      route: [{ destination: { host: any, port: { number: 8090 } } }]
      mirror: { host: copy, port: { number: 8090 } }
    - match: [{ uri: { prefix: /h2 } }]
      route: [{ destination: { host: any, port: { number: 8091 } } }]
    - route:
        - { destination: { host: any, port: { number: 8090 } }, weight: 50 }
        - { destination: { host: typed, port: { number: 80 } }, weight: 50 }
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: in, namespace: default }
spec: { selector: { istio: ingress }, servers: [{ port: { number: 80, name: http, protocol: HTTP }, hosts: ["*"] }] }
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: in, namespace: default }
spec: { hosts: ["*"], gateways: [in], http: [{ route: [{ destination: { host: any, port: { number: 8090 } } }] }] }
`,
);

describe('HTTP to ports of unknown protocol, over mutual TLS', () => {
  test('is known for HTTP wherever a route shares it out', async () => {
    const outcomes = await mesh.calls('client', 'http://shared/', { count: 40 });
    expect(new Set(outcomes.map((one) => `${one.status} ${identitySeen(one)}`))).toEqual(new Set([`200 ${ME}`]));
  });

  test('is HTTP/2 where the client speaks it', async () => {
    const outcome = await mesh.call('client', 'h2c://shared/h2');
    expect([outcome.status, outcome.echo?.protocol, identitySeen(outcome)]).toEqual([200, 'HTTP/2.0', ME]);
  });

  test('reaches pods that are dialled one by one', async () => {
    for (const url of ['http://peers:8090/', 'h2c://peers:8091/'])
      expect(identitySeen(await mesh.call('client', url))).toBe(ME);
    expect((await mesh.call('client', 'tcp://peers:9002', { body: 'not http at all' })).echo?.body).toBe(
      'not http at all',
    );
  });

  test('comes through a gateway, whatever the client speaks', async () => {
    for (const url of ['http://any/', 'h2c://any/'])
      expect(identitySeen(await mesh.ingress(url))).toBe('spiffe://cluster.local/ns/istio-system/sa/ingress');
  });

  test('a copy of it arrives', async () => {
    expect((await mesh.call('client', 'http://shared/copied')).status).toBe(200);
    await mesh.waitUntil('the copy is there', async () =>
      (await mesh.requests('copy-v1')).some(({ path }) => path === '/copied'),
    );
  });

  test('many connections of both kinds to one port do not get into each other’s way', async () => {
    const [lines, requests] = await Promise.all([
      mesh.calls('client', 'tcp://any:9002', { count: 50, concurrency: 10, body: 'not http at all' }),
      mesh.calls('client', 'http://any:8090/', { count: 50, concurrency: 10 }),
    ]);
    expect(lines.every(({ echo: seen }) => seen?.body === 'not http at all')).toBe(true);
    expect(requests.every((one) => identitySeen(one) === ME)).toBe(true);
  });
});
