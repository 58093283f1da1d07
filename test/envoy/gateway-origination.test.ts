// A gateway as a client: what it shows and whom it trusts comes from Secrets, and is renewed without a failed request.
import { chmodSync, mkdtempSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createServer, type Server, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { Certificate } from '../support/certificates.ts';
import { Edge, edgeGateway } from '../support/edge.ts';
import { needNamespaces } from '../support/namespaces.ts';
import { Pki, secretYaml } from '../support/pki.ts';
import { callOverTls, fingerprintOf } from '../support/tls-client.ts';

const root = mkdtempSync('/tmp/xo-');
const folder = join(root, 'e');
const pki = new Pki('authority');
const stranger = new Pki('stranger');
const front = pki.issue(['*.example.com']);
let app: Server;
let edge: Edge;
/** Of the client certificates that the application saw. */
const seen: string[] = [];

needNamespaces();

function entry(name: string, credentialName: string, mode: string): string {
  return `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: ${name}, namespace: shop }
spec:
  hosts: [${name}.internal.example]
  resolution: STATIC
  ports: [{ number: 80, name: http, protocol: HTTP }]
  endpoints: [{ address: "unix://${join(root, 'app')}" }]
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: ${name}, namespace: shop }
spec:
  host: ${name}.internal.example
  trafficPolicy:
    connectionPool: { http: { maxRequestsPerConnection: 1 } }
    tls: { mode: ${mode}, credentialName: ${credentialName}, sni: app.internal.example, subjectAltNames: [app.internal.example] }
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: ${name}, namespace: shop }
spec:
  hosts: [${name}.example.com]
  gateways: [g]
  http: [{ route: [{ destination: { host: ${name}.internal.example } }] }]
`;
}

function client(pair: Certificate, authority = pki.certificate): Readonly<Record<string, string>> {
  return { 'tls.crt': pair.certificate, 'tls.key': pair.key, 'ca.crt': authority };
}

function secretsOf(pair: Certificate): readonly string[] {
  return [
    secretYaml('edge/front', client(front)),
    secretYaml('edge/mutual', client(pair)),
    secretYaml('edge/simple', { cacert: pki.certificate }),
    secretYaml('edge/doubtful', client(pair, stranger.certificate)),
  ];
}

beforeAll(async () => {
  const { certificate, key } = pki.issue(['app.internal.example']);
  const options = { cert: certificate, key, ca: pki.certificate, requestCert: true, rejectUnauthorized: false };
  app = createServer(options, answer);
  await new Promise<void>((resolve) => app.listen(join(root, 'app'), resolve));
  chmodSync(root, 0o755);
  chmodSync(join(root, 'app'), 0o777);
  const servers = [{ host: '*.example.com', tls: 'mode: SIMPLE, credentialName: front' }];
  edge = await Edge.start({
    folder,
    objects: [
      entry('mutual', 'mutual', 'MUTUAL'),
      entry('simple', 'simple', 'SIMPLE'),
      entry('doubtful', 'doubtful', 'MUTUAL'),
      entry('missing', 'missing', 'MUTUAL'),
      edgeGateway(join(folder, 'https.sock'), servers),
    ],
  });
  edge.write('secrets', ...secretsOf(pki.issue(['client.example.com'])));
  await edge.until('served', async () => (await call('simple')) === 200);
});

afterAll(async () => {
  await edge.stop();
  app.close();
  rmSync(root, { recursive: true, force: true });
});

function answer(socket: TLSSocket): void {
  const peer = socket.getPeerX509Certificate();
  seen.push(peer === undefined ? 'none' : fingerprintOf({ certificate: peer.toString(), key: '' }));
  socket.on('error', () => undefined);
  socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 0\r\nconnection: close\r\n\r\n'));
}

async function call(name: string): Promise<number | undefined> {
  const outcome = await callOverTls({
    path: edge.socketOf('https'),
    serverName: `${name}.example.com`,
    authority: pki.certificate,
  });
  return outcome.status;
}

test('MUTUAL: the pair of the Secret is shown; SIMPLE: none is', async () => {
  const pair = pki.issue(['client.example.com']);
  edge.write('secrets', ...secretsOf(pair));
  await edge.until('shown', async () => (await call('mutual')) === 200 && seen.at(-1) === fingerprintOf(pair));
  expect(await call('simple')).toBe(200);
  expect(seen.at(-1)).toBe('none');
});

test('a server of another authority, and a Secret that is not there, get no request', async () => {
  const before = seen.length;
  expect(await call('doubtful')).toBe(503);
  expect(await call('missing')).toBe(503);
  expect(seen.length - before).toBeLessThanOrEqual(1);
  // Sidecars of the mesh, which use no Secret here, are told apart.
  const told = edge.told().filter((line) => line.startsWith('XEB2102') && !line.includes('is for gateways'));
  expect(told).toEqual([
    expect.stringMatching(/missing.internal.example fail, because there is no Secret edge\/missing/),
  ]);
});

test('renewed five times under traffic, no request fails', async () => {
  const over = new AbortController();
  const statuses: (number | undefined)[] = [];
  const caller = async (): Promise<void> => {
    while (!over.signal.aborted) {
      statuses.push(await call('mutual'));
      await sleep(5);
    }
  };
  const calling = [caller(), caller()];
  for (let turn = 0; turn < 5; turn += 1) {
    const pair = pki.issue(['client.example.com']);
    edge.write('secrets', ...secretsOf(pair));
    await edge.until('renewed', () => seen.at(-1) === fingerprintOf(pair));
  }
  over.abort();
  await Promise.all(calling);
  expect(statuses.length).toBeGreaterThan(10);
  expect(statuses.filter((status) => status !== 200)).toEqual([]);
});
