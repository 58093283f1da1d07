// Bulletins of Istio whose attack nothing else replays, on a real Envoy: an ingress gateway with whatever the attack needs.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { connect, createServer, type Server } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { Edge, edgeAnswers } from '../support/edge.ts';
import { needNamespaces } from '../support/namespaces.ts';
import { ecKey, jwksOf, token } from '../support/tokens.ts';

const root = mkdtempSync('/tmp/xu-');
needNamespaces();
afterAll(() => rmSync(root, { recursive: true, force: true }));

/** What a server at a unix socket says to a text, until it closes or has said something. */
function say(path: string, text: string): Promise<string> {
  return new Promise((resolve) => {
    let heard = '';
    const socket = connect(path);
    socket.setTimeout(10_000, () => socket.destroy());
    socket.on('data', (bytes) => {
      heard += bytes.toString();
      socket.end();
    });
    socket.on('error', () => undefined);
    socket.on('close', () => resolve(heard));
    socket.write(text);
  });
}

describe('2020-011: the address that the PROXY protocol tells', () => {
  const folder = join(root, 'p');
  let edge: Edge;
  let app: Server;

  const policy = (name: string, selector: string, rule: string): string => `
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: ${name}, namespace: edge }
spec:
  selector: { matchLabels: { istio: ingressgateway } }
  action: ${selector}
  rules: [{ from: [{ source: { ${rule} } }] }]
`;

  beforeAll(async () => {
    mkdirSync(folder);
    app = createServer((socket) => {
      socket.on('error', () => undefined);
      socket.on('data', (bytes) => socket.end(`heard ${bytes.toString()}`));
    });
    await new Promise<void>((resolve) => app.listen(join(folder, 'app.sock'), resolve));
    const place = `unix://${join(folder, 'tcp.sock')}`;
    edge = await Edge.start({
      folder,
      objects: [
        `
apiVersion: v1
kind: ConfigMap
metadata: { name: istio, namespace: istio-system }
data: { mesh: "defaultConfig: { gatewayTopology: { proxyProtocol: {} } }" }
`,
        `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: app, namespace: shop }
spec:
  hosts: [app.example]
  location: MESH_EXTERNAL
  resolution: STATIC
  ports: [{ number: 9000, name: tcp, protocol: TCP }]
  endpoints: [{ address: "unix://${join(folder, 'app.sock')}" }]
`,
        `
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: tcp, namespace: shop }
spec:
  selector: { istio: ingressgateway }
  servers: [{ bind: "${place}", port: { number: 0, name: tcp, protocol: TCP }, hosts: ["*"] }]
`,
        `
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: tcp, namespace: shop }
spec: { hosts: ["*"], gateways: [tcp], tcp: [{ route: [{ destination: { host: app.example, port: { number: 9000 } } }] }] }
`,
        policy('friends', 'ALLOW', 'remoteIpBlocks: [203.0.113.0/24]'),
        policy('foes', 'DENY', 'remoteIpBlocks: [203.0.113.66]'),
      ],
    });
    await edge.until('served', async () => (await from('203.0.113.7')).startsWith('heard'));
  });
  afterAll(async () => {
    await edge.stop();
    app.close();
  });

  const from = (address: string): Promise<string> =>
    say(edge.socketOf('tcp'), `PROXY TCP4 ${address} 10.0.0.1 40000 9000\r\nhello`);

  test('2020-011: over TCP, too, it is what policies for addresses ask about', async () => {
    expect(await from('203.0.113.7')).toBe('heard hello');
    expect(await from('203.0.113.66')).toBe('');
    expect(await from('198.51.100.7')).toBe('');
  });

  test('2020-011: who tells no address gets nothing', async () => {
    expect(await say(edge.socketOf('tcp'), 'hello there, this is long enough for a header')).toBe('');
  });
});

describe('2019-003 (CVE-2019-14993): expressions that other engines never finish', () => {
  const folder = join(root, 'r');
  const key = ecKey('k');
  const issuer = 'https://issuer.example.com';
  let edge: Edge;

  beforeAll(async () => {
    const place = `unix://${join(folder, 'http.sock')}`;
    edge = await Edge.start({
      folder,
      objects: [
        edgeAnswers,
        `
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: g, namespace: shop }
spec:
  selector: { istio: ingressgateway }
  servers: [{ bind: "${place}", port: { number: 0, name: http, protocol: HTTP }, hosts: ["*.example.com"] }]
`,
        `
apiVersion: v1
kind: Service
metadata: { name: ingress, namespace: edge }
spec: { clusterIP: 10.96.9.1, selector: { istio: ingressgateway }, ports: [{ name: http, port: 80, targetPort: 8080 }] }
`,
        `
apiVersion: authentication.istio.io/v1alpha1
kind: Policy
metadata: { name: default, namespace: edge }
spec:
  principalBinding: USE_ORIGIN
  origins:
    - jwt:
        issuer: ${issuer}
        jwks: '${jwksOf([key])}'
        triggerRules: [{ includedPaths: [{ regex: "/(a+)+(b|c)" }, { regex: "/(x|x|x)*y" }] }]
`,
      ],
    });
    await edge.until('served', async () => (await status('/')) === '200');
  });
  afterAll(() => edge.stop());

  async function status(path: string, headers = ''): Promise<string> {
    const head = `GET ${path} HTTP/1.1\r\nhost: a.example.com\r\n${headers}connection: close\r\n\r\n`;
    return /^HTTP\/1\.1 (\d+)/.exec(await say(edge.socketOf('http'), head))?.[1] ?? 'nothing';
  }

  test('2019-003: as triggers of tokens are decided about at once, and rightly', async () => {
    const long = 'a'.repeat(20_000);
    expect(await status(`/${long}!`)).toBe('200');
    expect(await status(`/${long}b`)).toBe('401');
    expect(await status(`/${'x'.repeat(20_000)}z`)).toBe('200');
    expect(await status(`/${'x'.repeat(20_000)}y`)).toBe('401');
    const good = token(key, { iss: issuer, sub: 'alice' });
    expect(await status(`/${long}b`, `authorization: Bearer ${good}\r\n`)).toBe('200');
  });
});
