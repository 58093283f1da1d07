// Ways to reach a workload beside the address of its service, in every mode, and what happens while the mode changes.
import { describe, expect, test } from 'vitest';
import { identitySeen } from '../support/identities.ts';
import { useMesh } from '../support/mesh.ts';
import { peerMode, server } from '../support/mtls-servers.ts';
import { wireOf } from '../support/mtls-wire.ts';
import { client, gateway, outside, service } from '../support/workloads.ts';

const mesh = useMesh({ meshConfig: 'connectTimeout: 2s', publish: [80, 9000] });

// `moving` is told later how it takes connections, in a file of its own.
mesh.given(client('client'), client('stranger', outside));
mesh.given(...server('open'), ...server('strict'), ...server('plain'), ...server('moving'));
mesh.given(peerMode('open', 'PERMISSIVE'), peerMode('strict', 'STRICT'), peerMode('plain', 'DISABLE'));

const wire = (from: string, url: string, app: string): Promise<string> =>
  wireOf(mesh, { from, url, server: `${app}-v1` });

const asItTakes = { open: 'mutual', strict: 'mutual', plain: 'plaintext' } as const;
const apps = ['open', 'strict', 'plain'] as const;

describe('pods that are dialled', () => {
  test.each(apps)('as those of a headless service are called as they take it: %s', async (app) => {
    const address = await mesh.addressOf(`${app}-v1`);
    for (const host of [`${app}-pods`, address]) {
      for (const port of ['http:8080', 'grpc:8081', 'tcp:9000', 'http:8090', 'banner:9500']) {
        const url = port.replace(':', `://${host}:`);
        expect([url, await wire('client', url, app)]).toEqual([url, asItTakes[app]]);
      }
    }
  });

  test.each(apps)('by no service’s address are called in plaintext: %s', async (app) => {
    const address = await mesh.addressOf(`${app}-v1`);
    const expected = app === 'strict' ? 'refused' : 'plaintext';
    for (const port of ['http:8070', 'tcp:9070']) {
      const url = port.replace(':', `://${address}:`);
      expect([url, await wire('client', url, app)]).toEqual([url, expected]);
    }
  });
});

describe('port 80 of servers in different modes', () => {
  test('each gets what it takes', async () => {
    for (const app of [...apps, ...apps]) expect(await wire('client', `http://${app}/`, app)).toBe(asItTakes[app]);
  });

  test('so it does where one route shares requests out', async () => {
    await mesh.during('given', {
      apiVersion: 'networking.istio.io/v1',
      kind: 'VirtualService',
      metadata: { name: 'shared', namespace: 'default' },
      spec: {
        hosts: ['open'],
        http: [
          { route: apps.map((host, at) => ({ destination: { host, port: { number: 80 } }, weight: 33 + (at % 2) })) },
        ],
      },
    });
    const outcomes = await mesh.calls('client', 'http://open/', { count: 60 });
    const seen = new Set(
      outcomes.map(
        (one) => `${one.status} ${one.echo?.app} ${identitySeen(one) === undefined ? 'plaintext' : 'mutual'}`,
      ),
    );
    expect([...seen].sort()).toEqual(apps.map((app) => `200 ${app} ${asItTakes[app]}`).sort());
  });
});

describe('subsets', () => {
  test('have rules of their own, and so have their ports', async () => {
    const subset = (name: string, app: string, trafficPolicy?: object): object => ({
      name,
      labels: { app },
      ...(trafficPolicy === undefined ? {} : { trafficPolicy }),
    });
    const tls = (mode: string): object => ({ tls: { mode } });
    const route = (prefix: string, name: string, number = 80): object => ({
      match: [{ uri: { prefix: `/${prefix}` } }],
      route: [{ destination: { host: 'all', subset: name, port: { number } } }],
    });
    await mesh.during(
      'given',
      service('all', ['http:80>8080', 'http-2:8070'], { selector: { version: 'v1' } }),
      {
        apiVersion: 'networking.istio.io/v1',
        kind: 'DestinationRule',
        metadata: { name: 'all', namespace: 'default' },
        spec: {
          host: 'all',
          trafficPolicy: tls('ISTIO_MUTUAL'),
          subsets: [
            subset('off', 'open', tls('DISABLE')),
            subset('on', 'open'),
            subset('mixed', 'open', {
              ...tls('DISABLE'),
              portLevelSettings: [{ port: { number: 8070 }, ...tls('ISTIO_MUTUAL') }],
            }),
            subset('wrong', 'strict', tls('DISABLE')),
            subset('right', 'strict'),
            subset('lost', 'plain'),
            subset('found', 'plain', tls('DISABLE')),
          ],
        },
      },
      {
        apiVersion: 'networking.istio.io/v1',
        kind: 'VirtualService',
        metadata: { name: 'all', namespace: 'default' },
        spec: {
          hosts: ['all'],
          http: [
            ...['off', 'on', 'wrong', 'right', 'lost', 'found'].map((name) => route(name, name)),
            route('mixed-1', 'mixed'),
            route('mixed-2', 'mixed', 8070),
          ],
        },
      },
    );
    const expected = {
      off: 'plaintext',
      on: 'mutual',
      'mixed-1': 'plaintext',
      'mixed-2': 'mutual',
      wrong: 'refused',
      right: 'mutual',
      lost: 'refused',
      found: 'plaintext',
    };
    const seen: Record<string, string> = {};
    for (const path of Object.keys(expected)) seen[path] = await wire('client', `http://all/${path}`, 'open');
    expect(seen).toEqual(expected);
  });
});
describe('a gateway', () => {
  mesh.given(
    ...gateway('ingress', ['http:80>8000', 'tcp:9000>9001']),
    `
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: in, namespace: default }
spec:
  selector: { istio: ingress }
  servers:
    - { port: { number: 80, name: http, protocol: HTTP }, hosts: ["*"] }
    - { port: { number: 9000, name: tcp, protocol: TCP }, hosts: ["*"] }
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: in, namespace: default }
spec:
  hosts: ["*"]
  gateways: [in]
  http:
    - { match: [{ uri: { prefix: /echo.Echo } }], route: [{ destination: { host: strict, port: { number: 81 } } }] }
    - { match: [{ uri: { prefix: /any } }], route: [{ destination: { host: strict, port: { number: 82 } } }] }
    - { match: [{ uri: { prefix: /pods } }], route: [{ destination: { host: strict-pods, port: { number: 8080 } } }] }
    - { match: [{ uri: { prefix: /plain } }], route: [{ destination: { host: plain, port: { number: 80 } } }] }
    - { route: [{ destination: { host: strict, port: { number: 80 } } }] }
  tcp: [{ route: [{ destination: { host: strict, port: { number: 9070 } } }] }]
`,
  );
  const INGRESS = 'spiffe://cluster.local/ns/istio-system/sa/ingress';

  test('reaches servers that are strict, whatever they speak', async () => {
    for (const url of ['http://any/', 'grpc://any:80', 'http://any/any', 'http://any/pods'])
      expect([url, identitySeen(await mesh.ingress(url))]).toEqual([url, INGRESS]);
    expect((await mesh.ingress('tcp://any:9000', { body: 'by the gateway' })).echo?.body).toBe('by the gateway');
    expect((await mesh.ingress('http://any/plain')).echo?.headers['x-forwarded-client-cert']).toBeUndefined();
  });

  test('does not where a rule has it speak plaintext', async () => {
    await mesh.during('given', {
      apiVersion: 'networking.istio.io/v1',
      kind: 'DestinationRule',
      metadata: { name: 'strict', namespace: 'default' },
      spec: { host: 'strict', trafficPolicy: { tls: { mode: 'DISABLE' } } },
    });
    expect((await mesh.ingress('http://any/')).status).toBe(503);
    expect((await mesh.ingress('tcp://any:9000', { body: 'in vain' })).echo).toBeUndefined();
    expect((await mesh.requests('strict-v1')).some(({ body }) => body === 'in vain')).toBe(false);
  });
});

describe('a server that becomes strict', () => {
  const batches = [
    { url: 'http://moving/load' },
    { url: 'grpc://moving:81', body: 'load' },
    { url: 'http://moving:82/load' },
    { url: 'http://moving-pods:8080/load' },
    { url: 'tcp://moving:9070', body: 'load' },
  ];

  test('fails no call of the mesh, there and back', async () => {
    await mesh.startLoad('client', { id: 'moves', batches, workers: 5, pauseMs: 5 });
    for (const mode of ['STRICT', 'PERMISSIVE', 'STRICT'] as const) {
      await mesh.apply('moving', peerMode('moving', mode));
      // Longer than Envoy lets connections be that began before.
      const since = (await mesh.requests('moving-v1')).length;
      await mesh.waitUntil(
        'it is under load',
        async () => (await mesh.requests('moving-v1')).length > since + 500,
        30_000,
      );
    }
    const { results, examples } = await mesh.stopLoad('client', 'moves');
    expect({ results, examples }).toEqual({
      results: { 200: expect.any(Number), 0: expect.any(Number) },
      examples: [],
    });
  });

  test('cuts off who came before and only waits, after the time that Envoy gives them', async () => {
    await mesh.apply('moving', peerMode('moving', 'PERMISSIVE'));
    const address = await mesh.addressOf('moving-v1');
    const held = [
      { from: 'stranger', url: `tcp://${address}:9070` },
      { from: 'stranger', url: `http://${address}:8080/?delay=90000` },
      // Envoy does not tell them apart: its listener is another one.
      { from: 'client', url: 'tcp://moving:9070' },
    ];
    const isHeld = async (): Promise<boolean> =>
      (await mesh.requests('moving-v1')).filter(({ body }) => body === 'wait 90000').length === held.length;
    const waiting = held.map(({ from, url }) =>
      mesh.call(from, url, { body: 'wait 90000', method: 'POST', timeoutMs: 80_000 }),
    );
    await mesh.waitUntil('all are there', isHeld);
    await mesh.apply('moving', peerMode('moving', 'STRICT'));
    expect(await wire('stranger', `tcp://${address}:9070`, 'moving')).toBe('refused');
    for (const outcome of await Promise.all(waiting)) {
      expect(outcome.echo).toBeUndefined();
      expect(outcome.error).toMatch(/^(?:closed without an answer|ECONNRESET .*)$/);
    }
  });
});
