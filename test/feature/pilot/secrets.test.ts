// S2 of the security tests: keys are for the gateways of their own namespace. Over real gRPC, by clients that ask for whatever they like.
import { expect, test } from 'vitest';
import { decodeMessage, encodeMessage } from '../../../src/gen/codec.ts';
import type { Certificate } from '../../support/certificates.ts';
import { Pki } from '../../support/pki.ts';
import { takeAtTheirWord } from '../../support/proven.ts';
import { urls } from './support/contents.ts';
import {
  destinationRule,
  gateway,
  httpPort,
  type Manifest,
  object,
  pod,
  service,
  slice,
  withMeta,
} from './support/manifests.ts';
import type { ModelEnvoy, NodeText, Protocol } from './support/model-envoy.ts';
import { node, TestProcess } from './support/process.ts';

const COUNT = 100;
const pki = new Pki('authority');
const numbers = Array.from({ length: COUNT }, (_, index) => index);

type Owner = 'a' | 'b';
const pairs: Readonly<Record<Owner, readonly Certificate[]>> = { a: issueAll('a'), b: issueAll('b') };

function issueAll(owner: Owner): readonly Certificate[] {
  return numbers.map((number) => pki.issue([`s${number}.${owner}.example.com`]));
}

function secret(name: string, { certificate, key }: Certificate, annotations: Manifest = {}): Manifest {
  const encode = (text: string): string => Buffer.from(text).toString('base64');
  const data = { 'tls.crt': encode(certificate), 'tls.key': encode(key), 'ca.crt': encode(pki.certificate) };
  return withMeta(object('v1', 'Secret', name, { type: 'kubernetes.io/tls', data }), { annotations });
}

/** Of each namespace: its Secrets, a gateway that serves with all of them, and one that would with those of the other. */
function world(owner: Owner, other: Owner): readonly Manifest[] {
  const server = (name: string, credentialName: string): object => ({
    port: { number: 443, name, protocol: 'HTTPS' },
    hosts: [`${name}.${owner}.example.com`],
    tls: { mode: 'MUTUAL', credentialName },
  });
  return [
    // Whoever reaches this service would use a Secret of the namespace that is his own, or of the other.
    service(`${owner}/api`, [httpPort]),
    slice(`${owner}/api`, [`10.2.${owner === 'a' ? 1 : 2}.1`]),
    destinationRule(`${owner}/api`, {
      host: `api.${owner}.svc.cluster.local`,
      trafficPolicy: { tls: { mode: 'MUTUAL', credentialName: 's5' } },
      subsets: [{ name: 'theirs', trafficPolicy: { tls: { mode: 'MUTUAL', credentialName: `${other}/s6` } } }],
    }),
    pod(`${owner}/edge`, `10.1.${owner === 'a' ? 1 : 2}.1`, { app: `edge-${owner}` }),
    ...pairs[owner].map((pair, number) => secret(`${owner}/s${number}`, pair)),
    gateway(`${owner}/all`, {
      selector: { app: `edge-${owner}` },
      servers: [
        ...numbers.map((number) => server(`own${number}`, `s${number}`)),
        ...numbers.map((number) => server(`theirs${number}`, `${other}/s${number}`)),
        ...numbers.map((number) => server(`nobodys${number}`, `${other}/nobodys${number}`)),
      ],
    }),
  ];
}

const mesh = [...world('a', 'b'), ...world('b', 'a')];

function edgeOf(owner: Owner, metadata: Manifest = {}): NodeText {
  return node(`${owner}/edge`, `10.1.${owner === 'a' ? 1 : 2}.1`, {
    type: 'router',
    labels: { app: `edge-${owner}` },
    metadata,
  });
}

/** Proxies are who a word in their metadata says, as if they had proven it. */
async function start(objects: readonly Manifest[] = mesh): Promise<TestProcess> {
  const process = await TestProcess.start(objects);
  takeAtTheirWord(process.xebec.pilot, (proxy) => {
    const namespace = proxy.metadata['PROVEN'];
    const identity = { trustDomain: 'cluster.local', serviceAccount: 'default' };
    return typeof namespace === 'string' ? { ...proxy, identity: { ...identity, namespace } } : proxy;
  });
  return process;
}

type Answer = { readonly names: readonly string[]; readonly removed: readonly string[]; readonly text: string };

/** Asks for secrets by name, whatever any listener says. */
async function askFor(
  process: TestProcess,
  who: NodeText,
  protocol: Protocol,
  names: readonly string[],
): Promise<Answer> {
  const stream = process.open(protocol);
  const { NAMESPACE, LABELS, PROVEN } = who.metadata;
  const labels = Object.entries((LABELS ?? {}) as Readonly<Record<string, string>>);
  const fields = {
    NAMESPACE: { stringValue: String(NAMESPACE) },
    LABELS: {
      structValue: { fields: Object.fromEntries(labels.map(([key, value]) => [key, { stringValue: value }])) },
    },
    ...(typeof PROVEN === 'string' ? { PROVEN: { stringValue: PROVEN } } : {}),
  };
  const common = { node: { id: who.id, metadata: { fields }, userAgentName: 'envoy' }, typeUrl: urls.secret };
  const request =
    protocol === 'delta'
      ? encodeMessage('envoy.service.discovery.v3.DeltaDiscoveryRequest', { ...common, resourceNamesSubscribe: names })
      : encodeMessage('envoy.service.discovery.v3.DiscoveryRequest', { ...common, resourceNames: names });
  const messages: Buffer[] = [];
  const reading = (async () => {
    for await (const message of stream.messages) messages.push(message);
  })();
  const before = process.xebec.xds.streams().length;
  await stream.send(Buffer.from(request));
  await process.until('known', () => process.xebec.xds.streams().length > before);
  for (let turn = 0; turn < 30; turn += 1) await new Promise((resolve) => setImmediate(resolve));
  stream.cancel();
  await reading.catch(() => undefined);
  await process.until('gone', () => process.xebec.xds.streams().length === before);
  const decoded = messages.map((message) => decode(protocol, message));
  return {
    names: decoded.flatMap((each) => each.names).sort(),
    removed: decoded.flatMap((each) => each.removed).sort(),
    text: messages.map((message) => message.toString('latin1')).join(''),
  };
}

function decode(protocol: Protocol, message: Buffer): Omit<Answer, 'text'> {
  if (protocol === 'delta') {
    const { resources = [], removedResources = [] } = decodeMessage(
      'envoy.service.discovery.v3.DeltaDiscoveryResponse',
      message,
    );
    return { names: resources.flatMap(({ name }) => name ?? []), removed: removedResources };
  }
  const { resources = [] } = decodeMessage('envoy.service.discovery.v3.DiscoveryResponse', message);
  const names = resources.map(
    ({ value }) => decodeMessage('envoy.extensions.transport_sockets.tls.v3.Secret', value).name ?? '',
  );
  return { names, removed: [] };
}

/** The keys of a namespace that a text has; none of them may be cut in two by the encoding. */
function keysIn(text: string, owner: Owner): number {
  return pairs[owner].filter(({ key }) => text.includes(key.split('\n')[1] ?? key)).length;
}

function keysOf(envoy: ModelEnvoy, owner: Owner): number {
  return keysIn(
    [...envoy.store.secret.values()].map(({ value }) => Buffer.from(value).toString('latin1')).join(),
    owner,
  );
}

const own = numbers.map((number) => `kubernetes://s${number}`);
const theirs = numbers.map((number) => `kubernetes://b/s${number}`);
const nobodys = numbers.map((number) => `kubernetes://b/nobodys${number}`);

test.each<Protocol>(['delta', 'sotw'])(
  'S2, 2021-007 over %s: no key leaves its namespace, cold, warm, and after its owner left',
  async (protocol) => {
    const process = await start();
    const attacks: readonly (readonly [string, NodeText, keysOfOwn: number])[] = [
      ['the gateway of another namespace', edgeOf('a', { PROVEN: 'a' }), COUNT],
      ['who has proven nothing', edgeOf('b'), 0],
      ['who is of another namespace than it says', edgeOf('b', { PROVEN: 'a' }), 0],
      ['a sidecar of the namespace', node('b/app', '10.1.2.9', { metadata: { PROVEN: 'b' } }), 0],
    ];
    const attackAll = async (when: string): Promise<void> => {
      for (const [who, text, keys] of attacks) {
        const owner = who === 'the gateway of another namespace' ? 'a' : 'b';
        const got = await askFor(process, text, protocol, [...own, ...theirs, ...nobodys]);
        const found = { own: keysIn(got.text, owner), theirs: keysIn(got.text, owner === 'a' ? 'b' : 'a') };
        expect([when, who, found]).toEqual([when, who, { own: keys, theirs: 0 }]);
      }
    };
    await attackAll('cold');
    const owner = await process.connect(edgeOf('b', { PROVEN: 'b' }), protocol);
    expect([keysOf(owner, 'b'), keysOf(owner, 'a')]).toEqual([COUNT, 0]);
    await attackAll('warm');
    await process.disconnect(owner);
    await attackAll('after its owner left');
  },
);

test.each<Protocol>(['delta', 'sotw'])(
  'S2 over %s: what is forbidden looks like what is not there',
  async (protocol) => {
    const process = await start();
    const ask = (names: readonly string[]): Promise<Answer> =>
      askFor(process, edgeOf('a', { PROVEN: 'a' }), protocol, names);
    const forbidden = await ask(theirs);
    const unknown = await ask(nobodys);
    expect(forbidden.names).toEqual([]);
    expect({
      ...forbidden,
      removed: forbidden.removed.map((name) => name.replace('/s', '/nobodys')).sort(),
      text: '',
    }).toEqual({
      ...unknown,
      text: '',
    });
    const envoy = await process.connect(edgeOf('a', { PROVEN: 'a' }), protocol);
    const [listener] = [...envoy.store.listener.values()];
    const shape = (kind: string): readonly string[] => {
      const chains = (listener?.content.message['filterChains'] ?? []) as readonly Manifest[];
      const texts = chains.map((chain) => JSON.stringify(chain)).filter((text) => text.includes(kind));
      return texts.map((text) => text.replaceAll(/(theirs|nobodys)\d+/g, 'x'));
    };
    expect(shape('theirs')).toHaveLength(COUNT);
    expect(shape('theirs')).toEqual(shape('nobodys'));
  },
);

test('whose owner allows it gets a key, until the owner does not', async () => {
  const process = await start();
  const envoy = await process.connect(edgeOf('a', { PROVEN: 'a' }));
  expect(keysOf(envoy, 'b')).toBe(0);
  const [pair] = pairs.b;
  if (pair === undefined) throw new Error('there are pairs');
  await process.apply(secret('b/s0', pair, { 'xebec.dev/allowed-gateway-namespaces': 'a' }));
  expect(keysOf(envoy, 'b')).toBe(1);
  expect(envoy.subscribed('secret')).toContain('kubernetes://b/s0');
  await process.apply(secret('b/s0', pair));
  expect(keysOf(envoy, 'b')).toBe(0);
  expect(envoy.subscribed('secret')).not.toContain('kubernetes://b/s0');
});

test('a renewed Secret is one resource of one gateway, and nothing else to anybody', async () => {
  const process = await start();
  const [a, b] = [
    await process.connect(edgeOf('a', { PROVEN: 'a' })),
    await process.connect(edgeOf('b', { PROVEN: 'b' })),
  ];
  for (const envoy of [a, b]) envoy.take();
  await process.apply(secret('a/s7', pki.issue(['s7.a.example.com'])));
  expect(a.take().map(({ kind, names }) => [kind, names])).toEqual([['secret', ['kubernetes://s7']]]);
  expect(b.take()).toEqual([]);
});

test('R25: renewed twice while the gateway is away, it gets the newest, and only what moved', async () => {
  const process = await start();
  const envoy = await process.connect(edgeOf('a', { PROVEN: 'a' }));
  await process.disconnect(envoy);
  envoy.take();
  const newest = pki.issue(['s7.a.example.com']);
  await process.apply(secret('a/s7', pki.issue(['s7.a.example.com'])));
  await process.apply(secret('a/s7', newest));
  await process.connect(envoy);
  const secrets = envoy.take().filter(({ kind }) => kind === 'secret');
  expect(secrets.flatMap(({ names }) => names)).toEqual(['kubernetes://s7']);
  const stored = Buffer.from(envoy.store.secret.get('kubernetes://s7')?.value ?? []).toString('latin1');
  expect(stored).toContain(newest.key.split('\n')[1]);
});

test('a refused secret is offered again, and what the gateway says of it has nothing of the key', async () => {
  const process = await start();
  const envoy = await process.connect(edgeOf('a', { PROVEN: 'a' }));
  envoy.judge = (kind, { name }) =>
    kind === 'secret' && name === 'kubernetes://s7' ? 'Failed to load certificate' : undefined;
  const pair = pki.issue(['s7.a.example.com']);
  await process.apply(secret('a/s7', pair));
  expect(envoy.errors).not.toEqual([]);
  const { text } = await process.page('/debug/refusedz');
  expect(text).toContain('Secret a/s7');
  expect(text).toContain('Gateway a/all');
  const seen = text + process.log.join('\n');
  for (const line of pair.key.split('\n').slice(1, 3)) expect(seen).not.toContain(line);
});
