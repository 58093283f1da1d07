// A proxy that refuses what a policy makes of its listener keeps the listener from before, and so does every proxy that comes later: what was
// closed does not open, and who comes new is not let in anywhere that others are not.
import { describe, expect, test } from 'vitest';
import { takeAtTheirWord } from '../../support/proven.ts';
import type { Content, Kind } from './support/contents.ts';
import { type Manifest, object, pod, slice } from './support/manifests.ts';
import { ModelEnvoy, type Protocol } from './support/model-envoy.ts';
import { node, TestProcess } from './support/process.ts';
import { shop } from './support/shop.ts';

const SECURITY = 'security.istio.io/v1';
const metadata = { IDENTITY_FOLDER: '/etc/certs' };
const first = node('shop/reviews-v1', '10.1.0.11', { labels: { app: 'reviews', version: 'v1' }, metadata });
const twin = node('shop/reviews-v1-b', '10.1.0.13', { labels: { app: 'reviews', version: 'v1' }, metadata });
const other = node('shop/reviews-v2', '10.1.0.12', { labels: { app: 'reviews', version: 'v2' }, metadata });

const pods = [
  pod('shop/reviews-v1-b', '10.1.0.13', { app: 'reviews', version: 'v1' }),
  slice('shop/reviews', [
    { address: '10.1.0.11', pod: 'reviews-v1' },
    { address: '10.1.0.12', pod: 'reviews-v2' },
    { address: '10.1.0.13', pod: 'reviews-v1-b' },
  ]),
];

function inboundOf(envoy: ModelEnvoy): string {
  const content = envoy.store.listener.get('virtualInbound')?.content;
  return content === undefined ? 'nothing' : JSON.stringify(content.message);
}

/** An Envoy that takes no inbound listener which says this, or does not say it any more. */
function refusing(isBad: (text: string) => boolean): (kind: Kind, content: Content) => string | undefined {
  return (kind, { name, message }) =>
    kind === 'listener' && name === 'virtualInbound' && isBad(JSON.stringify(message))
      ? `Error adding/updating listener(s) ${name}: not today`
      : undefined;
}

function deny(method: string): Manifest {
  const rules = [{ to: [{ operation: { methods: [method] } }] }];
  return object(SECURITY, 'AuthorizationPolicy', 'shop/p', { spec: { action: 'DENY', rules } });
}

function tokens(header: string): Manifest {
  const jwks = JSON.stringify({
    keys: [
      {
        kty: 'EC',
        crv: 'P-256',
        // RFC 7517, appendix A.1.
        x: 'MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4',
        y: '4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM',
      },
    ],
  });
  const jwtRules = [{ issuer: 'i', jwks, fromHeaders: [{ name: header }] }];
  return object(SECURITY, 'RequestAuthentication', 'shop/p', { spec: { jwtRules } });
}

function peers(mode: string): Manifest {
  return object(SECURITY, 'PeerAuthentication', 'shop/p', { spec: { mtls: { mode } } });
}

const onlyTls = (text: string): boolean => !text.includes('raw_buffer');

/** A policy in force, what takes its place and is refused, and how the two are told apart. */
const cases: readonly (readonly [string, Manifest, Manifest, (text: string) => boolean, (text: string) => boolean])[] =
  [
    ['AuthorizationPolicy', deny('GOOD'), deny('BAD'), (text) => text.includes('GOOD'), (text) => text.includes('BAD')],
    [
      'RequestAuthentication',
      tokens('x-good'),
      tokens('x-bad'),
      (text) => text.includes('x-good'),
      (text) => text.includes('x-bad'),
    ],
    ['PeerAuthentication', peers('STRICT'), peers('DISABLE'), onlyTls, (text) => !text.includes('"tls"')],
  ];

async function start(...objects: readonly Manifest[]): Promise<TestProcess> {
  const mesh = await TestProcess.start([...shop, ...pods, ...objects]);
  takeAtTheirWord(mesh.xebec.pilot);
  return mesh;
}

describe.each<Protocol>(['delta', 'sotw'])('over %s', (protocol) => {
  test.each(cases)('%s: the version before stays in force, for pods that come later too', async (...row) => {
    const [, good, bad, isGood, isBad] = row;
    const mesh = await start(good);
    const envoy = await mesh.connect(first, protocol);
    const before = inboundOf(envoy);
    expect([isGood(before), isBad(before)]).toEqual([true, false]);
    envoy.judge = refusing(isBad);
    await mesh.apply(bad);
    expect(envoy.errors).toHaveLength(1);
    expect(inboundOf(envoy)).toBe(before);
    expect(inboundOf(await mesh.connect(twin, protocol))).toBe(before);
    // Nobody of its kind has taken anything yet: it has no inbound listener, rather than one that nobody vouches for.
    expect(inboundOf(await mesh.connect(other, protocol))).toBe('nothing');
  });

  test('one refused policy after another: what was taken last stays, whatever else comes and goes', async () => {
    const mesh = await start(deny('GOOD'));
    const envoy = await mesh.connect(first, protocol);
    envoy.judge = refusing((text) => text.includes('BAD'));
    const before = inboundOf(envoy);
    for (const step of [deny('BAD'), deny('BAD2'), tokens('x-more'), peers('STRICT'), deny('BAD3')]) {
      await mesh.apply(step);
      expect(inboundOf(envoy)).toBe(before);
      const newcomer = await mesh.connect(twin, protocol);
      expect(inboundOf(newcomer)).toBe(before);
      // It would take anything, and so settle what is good.
      await mesh.disconnect(newcomer);
    }
    await mesh.disconnect(envoy);
    const again = new ModelEnvoy(protocol, first);
    again.judge = envoy.judge;
    await mesh.connect(again);
    expect(inboundOf(again)).toBe(before);
    await mesh.apply(deny('FINE'));
    expect(inboundOf(again)).toContain('FINE');
    expect(onlyTls(inboundOf(again))).toBe(true);
  });

  test('a first policy that is refused leaves who is there as it was, and who comes of its kind too', async () => {
    const mesh = await start();
    const envoy = await mesh.connect(first, protocol);
    envoy.judge = refusing((text) => text.includes('BAD'));
    const before = inboundOf(envoy);
    await mesh.apply(deny('BAD'));
    expect(inboundOf(envoy)).toBe(before);
    expect(inboundOf(await mesh.connect(twin, protocol))).toBe(before);
    expect((await mesh.page('/debug/refusedz')).text).toContain('AuthorizationPolicy');
  });

  test('a policy that is taken back while it is refused leaves its proxies as they were before it', async () => {
    const mesh = await start(deny('GOOD'));
    const envoy = await mesh.connect(first, protocol);
    envoy.judge = refusing((text) => text.includes('BAD'));
    const before = inboundOf(envoy);
    await mesh.apply(deny('BAD'));
    await mesh.apply(deny('GOOD'));
    expect(inboundOf(envoy)).toBe(before);
    await mesh.delete('AuthorizationPolicy', 'shop', 'p');
    expect(inboundOf(envoy)).not.toContain('GOOD');
  });

  test('where nothing was ever taken, there is no listener, for pods that come later neither', async () => {
    const mesh = await start(deny('BAD'));
    const envoy = new ModelEnvoy(protocol, first);
    envoy.judge = refusing((text) => text.includes('BAD'));
    await mesh.connect(envoy);
    expect(envoy.errors).toHaveLength(1);
    expect(inboundOf(envoy)).toBe('nothing');
    expect(inboundOf(await mesh.connect(twin, protocol))).toBe('nothing');
    await mesh.apply(deny('GOOD'));
    expect(inboundOf(envoy)).toContain('GOOD');
  });
});
