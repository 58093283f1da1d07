import { describe, expect, test } from 'vitest';
import type { CallBatch } from '../support/apps/calls.ts';
import { useMesh } from '../support/mesh.ts';
import { likely, versionsOf } from '../support/outcomes.ts';
import { client, echo, service } from '../support/workloads.ts';

const mesh = useMesh();
mesh.given(
  client('client', { labels: { tier: 'one' } }),
  client('other', { namespace: 'elsewhere', labels: { tier: 'two' } }),
  ...['v1', 'v2'].map((version) => echo('echo', version, ['http:8080', 'tcp:9000', 'tls:9443'])),
);

/** A service of its own, with subsets v1 and v2, and one VirtualService. */
function given(name: string, rules: string, otherHosts: readonly string[] = []): void {
  mesh.given(
    service(name, ['http:80>8080', 'http-other:81>8080', 'tcp:9000', 'tls:9443'], { selector: { app: 'echo' } }),
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
  hosts: [${[name, ...otherHosts].join(', ')}]
${rules.replace(/^\n/, '').replace(/^/gm, '  ')}`,
  );
}

/** The version that answers, several times over so that chance cannot fake it. */
async function versionAt(url: string, options: Omit<CallBatch, 'url'> = {}, from = 'client'): Promise<string> {
  const versions = versionsOf(await mesh.calls(from, url, { ...options, count: 6, concurrency: 2 }));
  return Object.keys(versions).sort().join(' or ');
}

describe('uri', () => {
  given(
    'uri',
    `
http:
  - match: [{ uri: { exact: /exact } }, { uri: { prefix: /Pre }, ignoreUriCase: true }, { uri: { regex: "/r[0-9]+/x" } }]
    route: [{ destination: { host: uri, subset: v2 } }]
  - route: [{ destination: { host: uri, subset: v1 } }]`,
  );

  test.each([
    ['/exact', 'v2'],
    ['/exact?q=1', 'v2'],
    ['/exact/more', 'v1'],
    ['/Exact', 'v1'],
    ['/prefix', 'v2'],
    ['/PREfix/more', 'v2'],
    ['/r12/x', 'v2'],
    ['/r12/xy', 'v1'],
    ['/rx/x', 'v1'],
  ])('%s is answered by %s', async (path, version) => {
    expect(await versionAt(`http://uri${path}`)).toBe(version);
  });
});

describe('scheme, method and authority', () => {
  given(
    'frame',
    `
http:
  - match: [{ method: { exact: PUT } }, { authority: { exact: "frame.default:80" } }, { scheme: { exact: https } }]
    route: [{ destination: { host: frame, subset: v2 } }]
  - match: [{ scheme: { exact: http } }]
    route: [{ destination: { host: frame, subset: v1 } }]`,
  );

  test('the method decides', async () => {
    expect(await versionAt('http://frame/', { method: 'PUT' })).toBe('v2');
    expect(await versionAt('http://frame/', { method: 'POST' })).toBe('v1');
  });

  test('the authority decides', async () => {
    expect(await versionAt('http://frame/', { headers: { host: 'frame.default:80' } })).toBe('v2');
    expect(await versionAt('http://frame/', { headers: { host: 'frame.default' } })).toBe('v1');
  });
});

describe('headers and query', () => {
  given(
    'parts',
    `
http:
  - match:
      - headers: { end-user: { exact: jason } }
        withoutHeaders: { x-no: {} }
      - headers: { x-present: {} }
      - headers: { cookie: { regex: "^(.*?;)?(user=jason)(;.*)?$" } }
      - queryParams: { debug: { exact: "1" }, name: { regex: "[a-z]+" } }
    route: [{ destination: { host: parts, subset: v2 } }]
  - match: [{ withoutHeaders: { x-blocked: { exact: "yes" } } }]
    route: [{ destination: { host: parts, subset: v1 } }]
  - directResponse: { status: 418 }`,
  );

  test.each([
    [{ 'end-user': 'jason' }, 'v2'],
    [{ 'end-user': 'jasons' }, 'v1'],
    [{ 'end-user': 'jason', 'x-no': 'anything' }, 'v1'],
    [{ 'x-present': '' }, 'v2'],
    [{ cookie: 'a=b;user=jason' }, 'v2'],
    [{ cookie: 'user=jasonx' }, 'v1'],
    [{ 'x-blocked': 'yes' }, '418'],
    [{ 'x-blocked': 'no' }, 'v1'],
  ])('headers %j are answered by %s', async (headers, version) => {
    expect(await versionAt('http://parts/', { headers })).toBe(version);
  });

  test.each([
    ['?debug=1&name=abc', 'v2'],
    ['?debug=1', 'v1'],
    ['?debug=2&name=abc', 'v1'],
    ['?debug=1&name=abc1', 'v1'],
  ])('%s is answered by %s', async (query, version) => {
    expect(await versionAt(`http://parts/${query}`)).toBe(version);
  });
});

describe('port, source labels, source namespace and gateways', () => {
  mesh.given(`
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: some-gateway, namespace: istio-system }
spec: { selector: { istio: nobody }, servers: [{ port: { number: 80, name: http, protocol: HTTP }, hosts: ["*"] }] }
`);
  given(
    'source',
    `
gateways: [mesh, istio-system/some-gateway]
http:
  - match: [{ gateways: [istio-system/some-gateway] }]
    directResponse: { status: 418 }
  - match: [{ port: 81, sourceLabels: { tier: one } }]
    route: [{ destination: { host: source, subset: v2, port: { number: 81 } } }]
  - match: [{ sourceNamespace: elsewhere, gateways: [mesh] }]
    route: [{ destination: { host: source, subset: v2, port: { number: 80 } } }]
  - route: [{ destination: { host: source, subset: v1, port: { number: 80 } } }]`,
  );

  test('the port decides', async () => {
    expect(await versionAt('http://source:81/')).toBe('v2');
    expect(await versionAt('http://source:80/')).toBe('v1');
  });

  test('who calls decides', async () => {
    expect(await versionAt('http://source.default:80/', {}, 'other')).toBe('v2');
    expect(await versionAt('http://source.default:80/', {}, 'client')).toBe('v1');
  });
});

describe('weights', () => {
  given(
    'weights',
    `
http:
  - match: [{ uri: { prefix: /all } }]
    route: [{ destination: { host: weights, subset: v1 }, weight: 0 }, { destination: { host: weights, subset: v2 }, weight: 100 }]
  - route:
      - { destination: { host: weights, subset: v1 }, weight: 80, headers: { response: { set: { x-leg: stable } } } }
      - { destination: { host: weights, subset: v2 }, weight: 20, headers: { response: { set: { x-leg: canary } } } }`,
  );

  test('80/20 is what it says, each with its own headers', async () => {
    const total = 600;
    const outcomes = await mesh.calls('client', 'http://weights/', { count: total, concurrency: 8 });
    const { v1 = 0, v2 = 0 } = versionsOf(outcomes);
    expect(v1 + v2).toBe(total);
    const { min, max } = likely(total, 0.8);
    expect(v1).toBeGreaterThanOrEqual(min);
    expect(v1).toBeLessThanOrEqual(max);
    expect(new Set(outcomes.map(({ echo: seen, headers }) => `${seen?.version} ${headers['x-leg']}`))).toEqual(
      new Set(['v1 stable', 'v2 canary']),
    );
  });

  test('0/100 never reaches the first', async () => {
    expect(versionsOf(await mesh.calls('client', 'http://weights/all', { count: 60 }))).toEqual({ v2: 60 });
  });
});

describe('delegates', () => {
  given(
    'delegated',
    '\nhttp:\n  - match: [{ uri: { prefix: /team } }]\n    delegate: { name: team, namespace: default }\n  - route: [{ destination: { host: delegated, subset: v1 } }]',
  );
  mesh.given(`
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: team, namespace: default }
spec:
  http:
    - match: [{ uri: { prefix: /team/a } }]
      route: [{ destination: { host: delegated, subset: v2 } }]
    - directResponse: { status: 418 }
`);

  test('a delegate decides within the root’s match, and only there', async () => {
    expect(await versionAt('http://delegated/team/a/b')).toBe('v2');
    expect(await versionAt('http://delegated/team/b')).toBe('418');
    expect(await versionAt('http://delegated/')).toBe('v1');
  });
});

describe('TCP and TLS routes', () => {
  given(
    'wire',
    `
tcp:
  - match: [{ port: 9000, sourceLabels: { tier: two } }]
    route: [{ destination: { host: wire, subset: v1, port: { number: 9000 } } }]
  - match: [{ port: 9000 }]
    route:
      - { destination: { host: wire, subset: v1, port: { number: 9000 } }, weight: 30 }
      - { destination: { host: wire, subset: v2, port: { number: 9000 } }, weight: 70 }
tls:
  - match: [{ port: 9443, sniHosts: [one.example.com] }]
    route: [{ destination: { host: wire, subset: v1, port: { number: 9443 } } }]
  - match: [{ port: 9443, sniHosts: ["*.example.com"] }]
    route: [{ destination: { host: wire, subset: v2, port: { number: 9443 } } }]`,
    ['"*.example.com"'],
  );

  test('connections are split by weight', async () => {
    const total = 200;
    const { v1 = 0, v2 = 0 } = versionsOf(
      await mesh.calls('client', 'tcp://wire:9000', { count: total, concurrency: 4 }),
    );
    expect(v1 + v2).toBe(total);
    const { min, max } = likely(total, 0.7);
    expect(v2).toBeGreaterThanOrEqual(min);
    expect(v2).toBeLessThanOrEqual(max);
  });

  test('the source decides', async () => {
    expect(await versionAt('tcp://wire.default:9000', {}, 'other')).toBe('v1');
  });

  test('the server name decides', async () => {
    const to = (serverName: string): Promise<string> => versionAt('tls://wire:9443', { tls: { serverName } });
    expect([await to('one.example.com'), await to('two.example.com')]).toEqual(['v1', 'v2']);
  });
});
