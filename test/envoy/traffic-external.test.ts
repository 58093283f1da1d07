import { describe, expect, test } from 'vitest';
import { useMesh } from '../support/mesh.ts';
import { statusesOf, versionsOf } from '../support/outcomes.ts';
import { client, echo, outside, service } from '../support/workloads.ts';

const mesh = useMesh();
const ports = ['http:80', 'http:8080', 'tcp:9000', 'https:443'];
const registryOnly = `
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: { name: default, namespace: scoped }
spec:
  egress: [{ hosts: ["./*", "shops/seen.shops.svc.cluster.local", "default/static.example.com"] }]
  outboundTrafficPolicy: { mode: REGISTRY_ONLY }
`;

mesh.given(
  client('client'),
  client('scoped', { namespace: 'scoped' }),
  ...['v1', 'v2'].map((version) => echo('world', version, ports, { ...outside, namespace: 'world' })),
  // Its name is how ServiceEntries of resolution DNS find the servers: nobody in the mesh sees the service itself.
  {
    ...service('world', ['http:80'], { namespace: 'world', selector: { app: 'world' }, headless: true }),
    metadata: { name: 'world', namespace: 'world', annotations: { 'networking.istio.io/exportTo': '.' } },
  },
  echo('inside', 'v1', ['http:8080', 'tcp:9000'], { namespace: 'shops' }),
  service('seen', ['http:80>8080', 'tcp:9000'], { namespace: 'shops', selector: { app: 'inside' } }),
  service('unseen', ['http:80>8080', 'tcp:9001>9000'], { namespace: 'shops', selector: { app: 'inside' } }),
  registryOnly,
);

let addresses: Readonly<Record<string, string>> = {};

mesh.before(async () => {
  const [v1, v2] = [await mesh.pod('world-v1'), await mesh.pod('world-v2')];
  addresses = { v1: v1.address, v2: v2.address };
});

describe('ServiceEntry of resolution STATIC', () => {
  mesh.before(() =>
    mesh.apply(
      'static',
      `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: static, namespace: default }
spec:
  hosts: [static.example.com]
  addresses: [240.1.1.1]
  ports: [{ number: 80, name: http, protocol: HTTP, targetPort: 8080 }, { number: 9000, name: tcp, protocol: TCP }]
  resolution: STATIC
  location: MESH_EXTERNAL
  endpoints: [{ address: ${addresses['v1']}, labels: { version: v1 } }, { address: ${addresses['v2']}, labels: { version: v2 } }]
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: static, namespace: default }
spec: { host: static.example.com, subsets: [{ name: one, labels: { version: v1 } }, { name: two, labels: { version: v2 } }] }
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: static, namespace: default }
spec:
  hosts: [static.example.com]
  http:
    - { match: [{ uri: { prefix: /one } }], route: [{ destination: { host: static.example.com, subset: one } }] }
    - { match: [{ uri: { prefix: /two } }], route: [{ destination: { host: static.example.com, subset: two } }] }
    - { route: [{ destination: { host: static.example.com } }] }
`,
    ),
  );

  test('its name resolves to its address, and its endpoints are called', async () => {
    expect(
      Object.keys(versionsOf(await mesh.calls('client', 'http://static.example.com/', { count: 20 }))),
    ).toHaveLength(2);
    expect(versionsOf(await mesh.calls('client', 'http://static.example.com/one', { count: 5 }))).toEqual({ v1: 5 });
    expect(versionsOf(await mesh.calls('client', 'http://static.example.com/two', { count: 5 }))).toEqual({ v2: 5 });
  });

  test('TCP by its address', async () => {
    const { echo: seen } = await mesh.call('client', 'tcp://240.1.1.1:9000', { body: 'x' });
    expect(seen).toMatchObject({ app: 'world', body: 'x' });
    expect((await mesh.call('client', 'tcp://static.example.com:9000')).echo?.app).toBe('world');
  });
});

describe('ServiceEntry of resolution DNS', () => {
  mesh.before(() =>
    mesh.apply(
      'dns',
      `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: dns, namespace: default }
spec:
  hosts: [api.example.com]
  ports: [{ number: 80, name: http, protocol: HTTP }, { number: 443, name: tls, protocol: TLS }, { number: 9000, name: tcp, protocol: TCP }]
  resolution: DNS
  location: MESH_EXTERNAL
  endpoints: [{ address: world.world.svc.cluster.local }]
---
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: none-there, namespace: default }
spec:
  hosts: [gone.example.com]
  ports: [{ number: 80, name: http, protocol: HTTP }]
  resolution: DNS
`,
    ),
  );

  test('Envoy resolves the endpoint’s name and calls all its addresses', async () => {
    await mesh.waitUntil('both addresses are used', async () => {
      const versions = versionsOf(await mesh.calls('client', 'http://api.example.com/', { count: 20 }));
      return versions['v1'] !== undefined && versions['v2'] !== undefined;
    });
    const { echo: seen } = await mesh.call('client', 'http://api.example.com/x');
    expect(seen?.headers['host']).toBe('api.example.com');
  });

  test('TLS and TCP get there too', async () => {
    const tls = { authority: mesh.authority.certificate, serverName: 'api.example.com' };
    const { error, status, echo: seen } = await mesh.call('client', 'https://api.example.com/', { tls });
    expect([error, status, seen?.sni]).toEqual([undefined, 200, 'api.example.com']);
    expect((await mesh.call('client', 'tcp://api.example.com:9000')).echo?.app).toBe('world');
  });

  test('a name that nobody knows answers 503, not silence', async () => {
    const { status, ms } = await mesh.call('client', 'http://gone.example.com/');
    expect(status).toBe(503);
    expect(ms).toBeLessThan(5_000);
  });
});

describe('ServiceEntry of resolution NONE', () => {
  mesh.before(() =>
    mesh.apply(
      'none',
      `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: none, namespace: default }
spec:
  hosts: ["*.wild.example.com"]
  ports: [{ number: 8080, name: http, protocol: HTTP }]
  resolution: NONE
  location: MESH_EXTERNAL
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: none, namespace: default }
spec:
  hosts: ["*.wild.example.com"]
  http: [{ route: [{ destination: { host: "*.wild.example.com" } }], headers: { response: { set: { x-rule: wild } } } }]
`,
    ),
  );

  test('a call goes where the client was going, under the entry’s rules', async () => {
    for (const version of ['v1', 'v2']) {
      const {
        status,
        echo: seen,
        headers,
      } = await mesh.call('client', 'http://a.wild.example.com:8080/', {
        address: addresses[version] ?? '',
      });
      expect([status, seen?.version, headers['x-rule']]).toEqual([200, version, 'wild']);
    }
  });
});

describe('what is in no registry', () => {
  test('ALLOW_ANY lets it pass, HTTP and TCP', async () => {
    for (const version of ['v1', 'v2']) {
      const address = addresses[version] ?? '';
      expect((await mesh.call('client', `http://${address}/`)).echo?.version).toBe(version);
      expect((await mesh.call('client', `http://${address}:8080/`)).echo?.version).toBe(version);
      expect((await mesh.call('client', `tcp://${address}:9000`)).echo?.version).toBe(version);
    }
    expect(await mesh.stat('client', /^cluster\.PassthroughCluster\.upstream_cx_total/)).toBeGreaterThanOrEqual(2);
  });

  test('REGISTRY_ONLY answers 502 to HTTP on a port that services use, and closes the rest', async () => {
    expect((await mesh.call('scoped', `http://${addresses['v1']}/`)).status).toBe(502);
    expect((await mesh.call('scoped', `tcp://${addresses['v1']}:9000`)).error).toMatch(/ECONNRESET|closed/);
    expect((await mesh.call('scoped', `http://${addresses['v1']}:8080/`)).error).toMatch(/ECONNRESET|socket hang up/);
  });
});

describe('Sidecar egress', () => {
  test('what it lists is there, what it does not list is not', async () => {
    expect((await mesh.call('scoped', 'http://seen.shops/')).status).toBe(200);
    expect((await mesh.call('scoped', 'tcp://seen.shops:9000')).echo?.app).toBe('inside');
    const unseen = await mesh.call('scoped', 'http://unseen.shops/');
    expect(unseen.status === 502 || unseen.error !== undefined).toBe(true);
    expect((await mesh.call('client', 'http://unseen.shops/')).status).toBe(200);
    const clusters = await mesh.envoyAdmin('scoped', '/clusters');
    expect(clusters).toContain('outbound|80||seen.shops.svc.cluster.local');
    expect(clusters).not.toContain('unseen.shops');
  });

  test('an edit of it counts', async () => {
    await mesh.apply(
      'sidecar',
      registryOnly.replace('name: default', 'name: default-2').replace('seen.shops.svc', 'unseen.shops.svc'),
    );
    // Two for one namespace: the older one stays in force, as in Istio.
    expect((await mesh.call('scoped', 'http://seen.shops/')).status).toBe(200);
    await mesh.remove('sidecar');
    await mesh.apply(
      'sidecar',
      `
apiVersion: networking.istio.io/v1
kind: Sidecar
metadata: { name: by-label, namespace: scoped }
spec:
  workloadSelector: { labels: { app: scoped } }
  egress: [{ hosts: ["shops/*"] }]
  outboundTrafficPolicy: { mode: ALLOW_ANY }
`,
    );
    const outcomes = [
      await mesh.call('scoped', 'http://seen.shops/'),
      await mesh.call('scoped', 'http://unseen.shops/'),
      await mesh.call('scoped', `http://${addresses['v1']}/`),
    ];
    expect(statusesOf(outcomes)).toEqual({ 200: 3 });
    await mesh.remove('sidecar');
    expect((await mesh.call('scoped', `http://${addresses['v1']}/`)).status).toBe(502);
  });
});
