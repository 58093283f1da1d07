import { describe, expect, test } from 'vitest';
import { useMesh } from '../support/mesh.ts';
import { client, echo, outside, service } from '../support/workloads.ts';

const mesh = useMesh({ meshConfig: 'protocolDetectionTimeout: 1s' });

const ports = [
  'http:8080',
  'h2c:8081',
  'tcp:9000',
  'tls:9443',
  'https:8443',
  'banner:3306',
  'http:8090',
  'h2c:8091',
  'tcp:9002',
];

mesh.given(client('client'), client('stranger', outside));

/** A server in each mode: `open` is as the mesh is by default. */
const modes = { open: 'PERMISSIVE', strict: 'STRICT', plain: 'DISABLE' } as const;
for (const [app, mode] of Object.entries(modes)) {
  const selector = { app };
  mesh.given(
    echo(app, 'v1', ports),
    service(
      app,
      [
        'http:80>8080',
        'grpc:81>8081',
        'tcp:9000',
        'tls:9443',
        'https:443>8443',
        'mysql:3306',
        'any1:8090',
        'any2:8091',
        'any3:9002',
      ],
      { selector },
    ),
    `
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: { name: ${app}, namespace: default }
spec: { selector: { matchLabels: { app: ${app} } }, mtls: { mode: ${mode} } }
`,
  );
}

const me = /URI=spiffe:\/\/cluster\.local\/ns\/default\/sa\/client/;

async function identitySeen(url: string): Promise<string | undefined> {
  const { status, grpcStatus, echo: seen, error } = await mesh.call('client', url);
  expect([error, status, grpcStatus ?? 0]).toEqual([undefined, 200, 0]);
  return seen?.headers['x-forwarded-client-cert'];
}

const handshakes = (app: string): Promise<number> => mesh.stat(`${app}-v1`, /^listener\..*15006\.ssl\.handshake$/);

describe.each(['open', 'strict'])('a client of the mesh and a server that is %s', (app) => {
  test.each([
    ['HTTP', `http://${app}/`],
    ['gRPC', `grpc://${app}:81`],
    ['HTTP on a port of unknown protocol', `http://${app}:8090/`],
    ['HTTP/2 on a port of unknown protocol', `h2c://${app}:8091/`],
  ])('%s carries the client’s identity', async (_, url) => {
    expect(await identitySeen(url)).toMatch(me);
  });

  test.each([
    ['TCP', `tcp://${app}:9000`],
    ['TCP on a port of unknown protocol', `tcp://${app}:9002`],
    ['a server that speaks first', `banner://${app}:3306`],
  ])('%s goes through mutual TLS', async (_, url) => {
    const before = await handshakes(app);
    const { error, echo: seen } = await mesh.call('client', url, { body: 'not http at all' });
    expect([error, seen?.body]).toEqual([undefined, 'not http at all']);
    expect(await handshakes(app)).toBeGreaterThan(before);
  });

  test.each([
    ['TLS', `tls://${app}:9443`],
    ['HTTPS', `https://${app}/`],
  ])('the application’s own %s is inside', async (_, url) => {
    const before = await handshakes(app);
    const tls = { authority: mesh.authority.certificate, serverName: 'server.example.com' };
    const { error, echo: seen } = await mesh.call('client', url, { tls });
    expect([error, seen?.sni]).toEqual([undefined, 'server.example.com']);
    expect(await handshakes(app)).toBeGreaterThan(before);
  });
});

describe('a server that takes no mutual TLS', () => {
  test('is called in plaintext', async () => {
    expect(await identitySeen('http://plain/')).toBeUndefined();
    expect(await identitySeen('http://plain:8090/')).toBeUndefined();
    for (const url of ['tcp://plain:9000', 'banner://plain:3306'])
      expect((await mesh.call('client', url, { body: 'x' })).echo?.body).toBe('x');
    const tls = { serverName: 'server.example.com' };
    expect((await mesh.call('client', 'tls://plain:9443', { tls })).echo?.sni).toBe('server.example.com');
    expect(await handshakes('plain')).toBe(0);
  });
});

describe('a client outside the mesh', () => {
  const urlsOf = (address: string): readonly string[] => [
    `http://${address}:8080/`,
    `h2c://${address}:8081/`,
    `tcp://${address}:9000`,
    `tls://${address}:9443`,
    `banner://${address}:3306`,
    `http://${address}:8090/`,
    `h2c://${address}:8091/`,
  ];

  test.each(['open', 'plain'])('reaches a server that is %s', async (app) => {
    const { address } = await mesh.pod(`${app}-v1`);
    for (const url of urlsOf(address)) {
      const { error, echo: seen } = await mesh.call('stranger', url, { tls: { serverName: 'server.example.com' } });
      expect([url, error, seen?.app]).toEqual([url, undefined, app]);
    }
  });

  test('is refused by a server that is strict', async () => {
    const { address } = await mesh.pod('strict-v1');
    for (const url of urlsOf(address)) {
      const { status, echo: seen } = await mesh.call('stranger', url, { tls: { serverName: 'server.example.com' } });
      expect([url, status === 200, seen]).toEqual([url, false, undefined]);
    }
  });
});
