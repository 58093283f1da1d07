import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, onTestFinished, test } from 'vitest';
import { ManualClock } from '../../../src/kit/manual-clock.ts';
import { createAuthority } from '../../support/certificates.ts';
import { ecKey, jwksOf, rsaKey } from '../../support/tokens.ts';
import { readContent } from './support/contents.ts';
import type { Manifest } from './support/manifests.ts';
import type { ModelEnvoy } from './support/model-envoy.ts';
import { TestProcess } from './support/process.ts';
import { reviewsPod, shop } from './support/shop.ts';

const MINUTE = 60_000;
const config = { jwksAllowedCidrs: ['127.0.0.0/8'] };
const [one, two] = [jwksOf([ecKey('1')], { algorithms: true }), jwksOf([rsaKey('2')], { algorithms: true })];
const kid2 = '"kid":"2"';
const servers: Server[] = [];

afterEach(async () => {
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

async function listen(server: Server): Promise<number> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

/** What an issuer answers, and how often it was asked. */
class Issuer {
  answer: RequestListener = (_, response) => response.end(one);
  asked = 0;
  url = '';

  static async start(): Promise<Issuer> {
    const issuer = new Issuer();
    const port = await listen(
      createServer((request, response) => {
        issuer.asked += 1;
        issuer.answer(request, response);
      }),
    );
    issuer.url = `http://127.0.0.1:${port}`;
    return issuer;
  }
}

function requestAuthentication(rule: Manifest): Manifest {
  return {
    apiVersion: 'security.istio.io/v1',
    kind: 'RequestAuthentication',
    metadata: { name: 'jwt', namespace: 'shop' },
    spec: { jwtRules: [rule] },
  };
}

/** The sets of keys in what a proxy was sent, each once. */
function keysAt(envoy: ModelEnvoy): readonly unknown[] {
  const listener = envoy.store.listener.get('virtualInbound');
  if (listener === undefined) throw new Error('there is no inbound listener');
  const found = new Set<string>();
  const visit = (value: unknown): void => {
    if (typeof value !== 'object' || value === null) return;
    for (const [key, inner] of Object.entries(value)) {
      if ((key === 'inlineString' || key === 'inline_string') && typeof inner === 'string') found.add(inner);
      else visit(inner);
    }
  };
  visit(readContent('listener', listener.value).message);
  return [...found].map((text) => (text === '' ? '' : JSON.parse(text)) as unknown);
}

async function reasonsTold(mesh: TestProcess): Promise<readonly string[]> {
  const page = await mesh.page('/debug/diagnosticsz');
  const all = JSON.parse(page.text) as readonly { readonly code: string; readonly message: string }[];
  return all.filter(({ code }) => code === 'XEB2601').map(({ message }) => message);
}

describe('keys of token issuers, fetched over HTTP', () => {
  test('are in the first listener that a proxy gets, follow their issuer, and stay when it fails', async () => {
    const clock = new ManualClock();
    const issuer = await Issuer.start();
    const rule = { issuer: 'i', jwksUri: `${issuer.url}/keys` };
    const mesh = await TestProcess.start([...shop, requestAuthentication(rule)], { clock, config });
    const envoy = await mesh.connect(reviewsPod);
    expect(keysAt(envoy)).toEqual([JSON.parse(one)]);
    envoy.take();

    const pass = async (minutes: number): Promise<void> => {
      const before = issuer.asked;
      await clock.advance(minutes * MINUTE);
      await mesh.until('asked', () => issuer.asked > before);
      await mesh.settled();
    };
    await pass(23);
    expect(envoy.take()).toEqual([]);
    issuer.answer = (_, response) => response.end(two);
    await pass(23);
    await mesh.until('known', () => JSON.stringify(keysAt(envoy)).includes(kid2));
    expect(keysAt(envoy)).toEqual([JSON.parse(two)]);
    await mesh.settled();
    expect(envoy.take().flatMap(({ names }) => names)).toEqual(['virtualInbound']);
    issuer.answer = (_, response) => response.writeHead(500).end();
    await pass(23);
    expect(envoy.take()).toEqual([]);
    expect(keysAt(envoy)).toEqual([JSON.parse(two)]);
  });

  test('are found by the issuer', async () => {
    const issuer = await Issuer.start();
    issuer.answer = ({ url }, response) => {
      const document = { issuer: issuer.url, jwks_uri: `${issuer.url}/elsewhere` };
      response.end(url === '/.well-known/openid-configuration' ? JSON.stringify(document) : one);
    };
    const mesh = await TestProcess.start([...shop, requestAuthentication({ issuer: issuer.url })], { config });
    expect(keysAt(await mesh.connect(reviewsPod))).toEqual([JSON.parse(one)]);
  });

  test('come over TLS from whom an authority of ours knows', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'xebec-keys-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const authority = createAuthority();
    const { certificate, key } = authority.issue(['127.0.0.1']);
    const port = await listen(createTlsServer({ cert: certificate, key }, (_, response) => response.end(one)));
    const rule = { issuer: 'i', jwksUri: `https://127.0.0.1:${port}/` };
    const jwksCa = join(folder, 'ca.pem');
    writeFileSync(jwksCa, authority.certificate);
    const trusting = await TestProcess.start([...shop, requestAuthentication(rule)], { config: { ...config, jwksCa } });
    expect(keysAt(await trusting.connect(reviewsPod))).toEqual([JSON.parse(one)]);
    const other = await TestProcess.start([...shop, requestAuthentication(rule)], { config });
    expect(keysAt(await other.connect(reviewsPod))).toEqual(['']);
    expect(await reasonsTold(other)).toEqual([expect.stringContaining('cannot be asked (')]);
  });

  test('a change waits for its keys, and what was there before counts until then', async () => {
    const issuer = await Issuer.start();
    const rule = { issuer: 'i', jwksUri: `${issuer.url}/one` };
    const mesh = await TestProcess.start([...shop, requestAuthentication(rule)], { config });
    const envoy = await mesh.connect(reviewsPod);
    const waiting: (() => void)[] = [];
    issuer.answer = (_, response) => waiting.push(() => response.end(two));
    await mesh.apply(requestAuthentication({ ...rule, jwksUri: `${issuer.url}/two` }));
    await mesh.until('asked', () => waiting.length > 0);
    expect(keysAt(envoy)).toEqual([JSON.parse(one)]);
    for (const answer of waiting) answer();
    await mesh.until('known', () => JSON.stringify(keysAt(envoy)).includes(kid2));
    expect(keysAt(envoy)).toEqual([JSON.parse(two)]);
  });
});

describe('S5 and 2026-001 CVE-2026-31837: where keys cannot be had there are none, and it is said why', () => {
  const secret = ecKey('s').privateKey.export({ format: 'jwk' });
  const failures: readonly (readonly [string, RequestListener, string])[] = [
    ['an error', (_, response) => response.writeHead(500).end(one), 'the answer is 500'],
    ['nothing', (_, response) => response.end(), 'no JSON Web Key Set'],
    ['a page', (_, response) => response.end('<html>'), 'no JSON Web Key Set'],
    ['another document', (_, response) => response.end('{"error":"x"}'), 'no JSON Web Key Set'],
    ['no keys', (_, response) => response.end('{"keys":[]}'), 'there are no keys'],
    ['a secret', (_, response) => response.end('{"keys":[{"kty":"oct","k":"AAAA"}]}'), 'a symmetric key is a secret'],
    ['a broken key', (_, response) => response.end(JSON.stringify({ keys: [{ ...secret, x: 'AA' }] })), 'broken'],
    ['too much', (_, response) => response.end(`${one}${' '.repeat(2_000_000)}`), 'more than 1000000 bytes'],
    [
      'a bomb',
      (_, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(one)),
      'compressed',
    ],
    [
      'a redirect to our neighbour',
      (_, response) => response.writeHead(302, { location: 'http://10.0.0.1/' }).end(),
      '10.0.0.1 is private',
    ],
    [
      'a redirect to a file',
      (_, response) => response.writeHead(302, { location: 'file:///etc/passwd' }).end(),
      'neither http nor https',
    ],
    ['itself, for ever', (_, response) => response.writeHead(302, { location: '/' }).end(), 'more than 3 times'],
    [
      'half of it',
      (_, response) => {
        response.writeHead(200, { 'content-length': '1000' }).write(one.slice(0, 10));
        setImmediate(() => response.destroy());
      },
      'cannot be asked (ECONNRESET)',
    ],
    ['not a word', ({ socket }) => socket.destroy(), 'cannot be asked'],
  ];

  test.each(failures)('%s', async (_, answer, reason) => {
    const issuer = await Issuer.start();
    issuer.answer = answer;
    const rule = { issuer: 'i', jwksUri: `${issuer.url}/` };
    const mesh = await TestProcess.start([...shop, requestAuthentication(rule)], { config });
    expect(keysAt(await mesh.connect(reviewsPod))).toEqual(['']);
    expect(await reasonsTold(mesh)).toEqual([expect.stringContaining(reason)]);
  });

  test('an address beside us is not asked at all, unless that is allowed', async () => {
    const issuer = await Issuer.start();
    const rule = { issuer: 'i', jwksUri: `${issuer.url}/` };
    const mesh = await TestProcess.start([...shop, requestAuthentication(rule)]);
    expect(keysAt(await mesh.connect(reviewsPod))).toEqual(['']);
    expect(issuer.asked).toBe(0);
    expect(await reasonsTold(mesh)).toEqual([
      expect.stringContaining(
        '127.0.0.1 is loopback, and so is not asked; allow it with --jwks-allowed-cidrs, such as --jwks-allowed-cidrs=127.0.0.1/32',
      ),
    ]);
  });

  test('two processes without keys send the same: no key is made up', async () => {
    const rule = { issuer: 'i', jwksUri: 'http://127.0.0.1:1/' };
    const keys = [];
    for (let turn = 0; turn < 2; turn += 1) {
      const mesh = await TestProcess.start([...shop, requestAuthentication(rule)]);
      const envoy = await mesh.connect(reviewsPod);
      keys.push(envoy.store.listener.get('virtualInbound')?.version);
    }
    expect(keys[0]).toBe(keys[1]);
  });
});
