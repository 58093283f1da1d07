import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, onTestFinished, test } from 'vitest';
import { identityOf, identitySeen } from '../support/identities.ts';
import { useMesh } from '../support/mesh.ts';
import { client, echo, gateway, outside, service } from '../support/workloads.ts';

const mesh = useMesh({ meshConfig: 'protocolDetectionTimeout: 1s', publish: [80] });
const ME = 'spiffe://cluster.local/ns/default/sa/client';

mesh.given(
  client('client'),
  client('stranger', outside),
  echo('web', 'v1', ['http:8080', 'tcp:9000', 'http:7000']),
  service('web', ['http:80>8080', 'tcp:9000'], { selector: { app: 'web' } }),
  service('peers', ['http:8080', 'tcp:9000'], { selector: { app: 'web' }, headless: true }),
  echo('old', 'v1', ['http:8080'], outside),
  service('old', ['http:80>8080'], { selector: { app: 'old' } }),
  service('both', ['http:80>8080'], { selector: { version: 'v1' } }),
  ...gateway('ingress', ['http:80>8000']),
  `
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: web, namespace: default }
spec: { selector: { istio: ingress }, servers: [{ port: { number: 80, name: http, protocol: HTTP }, hosts: ["*"] }] }
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: web, namespace: default }
spec: { hosts: ["*"], gateways: [web], http: [{ route: [{ destination: { host: web, port: { number: 80 } } }] }] }
`,
);

const peer = (mode: string, ports: Readonly<Record<number, string>> = {}): string => {
  const levels = Object.entries(ports).map(([port, own]) => `${port}: { mode: ${own} }`);
  return `
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: { name: web, namespace: default }
spec:
  selector: { matchLabels: { app: web } }
  mtls: { mode: ${mode} }
  ${levels.length === 0 ? '' : `portLevelMtls: { ${levels.join(', ')} }`}
`;
};

const rule = (tls: string): string => `
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: web, namespace: default }
spec: { host: web, trafficPolicy: { tls: ${tls} } }
`;

/** Status and who the server saw; the answer of a closed connection is the client's own Envoy's. */
async function call(url: string, from = 'client'): Promise<string> {
  const outcome = await mesh.call(from, url);
  if (outcome.status !== 200) return outcome.status === 0 ? 'refused' : String(outcome.status);
  return identitySeen(outcome) ?? 'nobody';
}

describe('what a rule says against what a server takes', () => {
  test.each([
    ['PERMISSIVE', '{ mode: ISTIO_MUTUAL }', ME],
    ['PERMISSIVE', '{ mode: DISABLE }', 'nobody'],
    ['STRICT', '{ mode: ISTIO_MUTUAL }', ME],
    ['STRICT', '{ mode: DISABLE }', '503'],
    ['STRICT', '{ mode: SIMPLE, insecureSkipVerify: true }', '503'],
    ['DISABLE', '{ mode: ISTIO_MUTUAL }', '503'],
    ['DISABLE', '{ mode: DISABLE }', 'nobody'],
    ['STRICT', '{ mode: ISTIO_MUTUAL, subjectAltNames: ["spiffe://cluster.local/ns/default/sa/other"] }', '503'],
  ])('%s and %s', async (mode, tls, expected) => {
    await mesh.during('rule', peer(mode), rule(tls));
    expect(await call('http://web/')).toBe(expected);
  });

  test('the owner of a rule that a STRICT server refuses is told', async () => {
    await mesh.during('rule', peer('STRICT'), rule('{ mode: DISABLE }'));
    expect(await mesh.admin('/debug/diagnosticsz')).toContain('IST0113');
  });
});

describe('by itself', () => {
  test('a client uses mutual TLS with those that take it, and plaintext with others of the same service', async () => {
    expect(await call('http://old/')).toBe('nobody');
    const outcomes = await mesh.calls('client', 'http://both/', { count: 40 });
    const seen = new Set(outcomes.map((one) => `${one.echo?.app} ${identitySeen(one) ?? 'nobody'}`));
    expect([...seen].sort()).toEqual([`old nobody`, `web ${ME}`]);
  });

  test('a headless service and its pods are called so, too', async () => {
    await mesh.during('peer', peer('STRICT'));
    expect(await call('http://peers:8080/')).toBe(ME);
    expect((await mesh.call('client', 'tcp://peers:9000', { body: 'x' })).echo?.body).toBe('x');
  });

  test('a gateway shows its own identity', async () => {
    await mesh.during('peer', peer('STRICT'));
    expect(identitySeen(await mesh.ingress('http://any/'))).toBe('spiffe://cluster.local/ns/istio-system/sa/ingress');
  });

  test('a client that nobody gave an address of a service speaks plaintext', async () => {
    const { address } = await mesh.pod('web-v1');
    expect(await call(`http://${address}:7000/`)).toBe('nobody');
    await mesh.during('peer', peer('STRICT'));
    expect(await call(`http://${address}:7000/`)).not.toContain('spiffe');
    expect(await call(`http://${address}:7000/`)).not.toBe('nobody');
  });
});

describe('ports', () => {
  test('are as they say, also one that no service names', async () => {
    await mesh.during('peer', peer('STRICT', { 9000: 'DISABLE', 7000: 'DISABLE' }));
    const { address } = await mesh.pod('web-v1');
    expect(await call(`http://${address}:8080/`, 'stranger')).toBe('refused');
    expect(await call(`http://${address}:7000/`, 'stranger')).toBe('nobody');
    for (const from of ['client', 'stranger']) {
      const url = from === 'client' ? 'tcp://web:9000' : `tcp://${address}:9000`;
      expect((await mesh.call(from, url, { body: 'x' })).echo?.body).toBe('x');
    }
    expect(await call('http://web/')).toBe(ME);
  });
});

describe('whoever speaks mutual TLS without an Envoy', () => {
  test('needs a certificate of the mesh', async () => {
    await mesh.during('peer', peer('STRICT'));
    const { address } = await mesh.pod('web-v1');
    const { certificate, key } = await identityOf(mesh, 'client');
    const url = `https://${address}:8080/`;
    const known = await mesh.call('stranger', url, { tls: { certificate, key, serverName: 'web' } });
    expect(identitySeen(known)).toBe(ME);
    const unknown = mesh.authority.issue(['spiffe://cluster.local/ns/default/sa/client']);
    for (const tls of [{ ...unknown, serverName: 'web' }, { serverName: 'web' }]) {
      expect((await mesh.call('stranger', url, { tls })).status).toBe(0);
    }
  });
});

describe('a client in plaintext', () => {
  test('cannot say that it is somebody', async () => {
    const { address } = await mesh.pod('web-v1');
    const headers = { 'x-forwarded-client-cert': `By=x;Hash=y;URI=${ME}` };
    const { status, echo: seen } = await mesh.call('stranger', `http://${address}:8080/`, { headers });
    expect([status, seen?.headers['x-forwarded-client-cert']]).toEqual([200, undefined]);
  });
});

describe('classic policies', () => {
  const policy = (name: string, spec: string): string => `
apiVersion: authentication.istio.io/v1alpha1
kind: Policy
metadata: { name: ${name}, namespace: default }
spec: ${spec}
`;

  test('protect services and their ports', async () => {
    await mesh.during(
      'policy',
      policy('default', '{ peers: [{ mtls: {} }] }'),
      policy('web', '{ targets: [{ name: web, ports: [{ name: tcp }] }] }'),
    );
    const { address } = await mesh.pod('web-v1');
    expect(await call(`http://${address}:8080/`, 'stranger')).toBe('refused');
    expect(await call('http://web/')).toBe(ME);
    expect((await mesh.call('stranger', `tcp://${address}:9000`, { body: 'x' })).echo?.body).toBe('x');
    expect((await mesh.call('client', 'tcp://web:9000', { body: 'x' })).echo?.body).toBe('x');
  });

  test('that ask for no mtls take plaintext only', async () => {
    await mesh.during('policy', policy('default', '{}'));
    const { address } = await mesh.pod('web-v1');
    expect(await call(`http://${address}:8080/`, 'stranger')).toBe('nobody');
    await mesh.waitUntil('clients do without it', async () => (await call('http://web/')) === 'nobody', 30_000);
  });
});

describe('when a policy changes', () => {
  const becomes = (who: string): Promise<void> =>
    mesh.waitUntil(`the server sees ${who}`, async () => (await call('http://web/')) === who, 30_000);

  test('connections in plaintext that are there do not outlive STRICT', async () => {
    const { address } = await mesh.pod('web-v1');
    const seen = async (): Promise<number> =>
      (await mesh.requests('web-v1')).filter(({ body, path }) => body === 'held' || path === '/held').length;
    const batches = [{ url: `tcp://${address}:9000`, body: 'held' }, { url: `http://${address}:8080/held` }];
    await mesh.startLoad('stranger', { id: 'held', batches, workers: 2, pauseMs: 20 });
    onTestFinished(async () => void (await mesh.stopLoad('stranger', 'held')));
    await mesh.waitUntil('plaintext is served', async () => (await seen()) > 10);
    await mesh.during('peer', peer('STRICT'));
    await mesh.waitUntil(
      'plaintext is served no more',
      async () => {
        const before = await seen();
        await sleep(500);
        return (await seen()) === before;
      },
      30_000,
    );
    // One that a client of the mesh has kept since the server took plaintext only.
    await becomes(ME);
  });

  test('clients move to mutual TLS, and no request fails', async () => {
    await mesh.during('peer', peer('DISABLE'));
    await becomes('nobody');
    await mesh.startLoad('client', { id: 'moves', batches: [{ url: 'http://web/' }], workers: 2, pauseMs: 10 });
    await mesh.apply('peer', peer('PERMISSIVE'));
    await becomes(ME);
    await mesh.apply('peer', peer('STRICT'));
    await becomes(ME);
    const { results } = await mesh.stopLoad('client', 'moves');
    expect(Object.keys(results)).toEqual(['200']);
  });
});
