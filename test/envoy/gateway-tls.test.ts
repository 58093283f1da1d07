// What gateways do with TLS, by a real Envoy that is sent its certificates: every mode with good, wrong and no client certificates,
// several names on one port, broken Secrets beside good ones, and certificates that are renewed under traffic.
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { createServer as createTlsServer, type Server as TlsServer } from 'node:tls';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { Certificate } from '../support/certificates.ts';
import { Edge, edgeAnswers, edgeGateway } from '../support/edge.ts';
import { needNamespaces } from '../support/namespaces.ts';
import { Pki, secretYaml } from '../support/pki.ts';
import { createTestIssuer, writeIdentity } from '../support/test-issuer.ts';
import { ask, callOverTls, fingerprintOf, openTls, type TlsCall, type TlsOutcome } from '../support/tls-client.ts';

const root = mkdtempSync('/tmp/xt-');
const identity = join(root, 'identity');
const pki = new Pki('authority');
const stranger = new Pki('stranger');
const issuer = createTestIssuer();

type CallOptions = Partial<Omit<TlsCall, 'path' | 'serverName'>>;

function https(edge: Edge, serverName: string, more: CallOptions = {}): Promise<TlsOutcome> {
  return callOverTls({ path: edge.socketOf('https'), serverName, authority: pki.certificate, ...more });
}

/** Refused in the handshake, or right after it, where TLS 1.3 tells clients. */
const refused = { status: undefined, error: expect.any(String) as string };

needNamespaces();
beforeAll(() => writeIdentity(identity, { namespace: 'edge', serviceAccount: 'ingress' }, issuer));
afterAll(() => rmSync(root, { recursive: true, force: true }));

describe('modes', () => {
  const server = pki.issue(['*.example.com']);
  const friend = pki.issue(['friend.example.com']);
  const other = pki.issue(['other.example.com']);
  const old = pki.issue(['old.example.com'], { from: -3, until: -2 });
  const revoked = pki.issue(['revoked.example.com']);
  const foreign = stranger.issue(['friend.example.com']);
  const workload = (): Certificate => {
    const folder = join(root, `workload-${Math.random()}`);
    return readIdentity(folder);
  };
  let edge: Edge;

  beforeAll(async () => {
    const pair = { 'tls.crt': server.certificate, 'tls.key': server.key };
    const folder = join(root, 'm');
    edge = await Edge.start({
      folder,
      identityFolder: identity,
      objects: [
        edgeAnswers,
        secretYaml('edge/simple', pair),
        secretYaml('edge/mutual', { ...pair, 'ca.crt': pki.certificate, 'ca.crl': pki.revoke(revoked) }),
        secretYaml('edge/named', { cert: server.certificate, key: server.key }),
        secretYaml('edge/named-cacert', { cacert: pki.certificate }),
        secretYaml('edge/ecdsa', pair),
        secretYaml('edge/rsa', rsaPair()),
        edgeGateway(join(folder, 'https.sock'), [
          { host: 'simple.example.com', tls: 'mode: SIMPLE, credentialName: simple' },
          { host: 'new.example.com', tls: 'mode: SIMPLE, credentialName: simple, minProtocolVersion: TLSV1_3' },
          { host: 'mutual.example.com', tls: 'mode: MUTUAL, credentialName: mutual' },
          { host: 'optional.example.com', tls: 'mode: OPTIONAL_MUTUAL, credentialName: mutual' },
          {
            host: 'named.example.com',
            tls: 'mode: MUTUAL, credentialName: named, subjectAltNames: [friend.example.com]',
          },
          { host: 'both.example.com', tls: 'mode: SIMPLE, credentialNames: [rsa, ecdsa]' },
          { host: 'mesh.example.com', tls: 'mode: ISTIO_MUTUAL' },
        ]),
      ],
    });
  });
  afterAll(() => edge.stop());

  function rsaPair(): Readonly<Record<string, string>> {
    const { certificate, key } = pki.issue(['*.example.com'], { kind: 'RSA' });
    return { cert: certificate, key };
  }

  test('Envoy takes all of it', async () => {
    const stats = await edge.envoy.stats();
    const rejected = [...stats].filter(([name, value]) => /update_rejected$|create_failure$/.test(name) && value > 0);
    expect(rejected).toEqual([]);
    expect(edge.envoy.log.filter((line) => /\[(warning|error|critical)\]/.test(line))).toEqual([]);
  });

  test('SIMPLE: the certificate of the Secret, whoever calls', async () => {
    expect(await https(edge, 'simple.example.com')).toMatchObject({
      status: 200,
      fingerprint: fingerprintOf(server),
      alpn: 'http/1.1',
    });
    expect(await https(edge, 'simple.example.com', { client: foreign })).toMatchObject({ status: 200 });
    expect(await https(edge, 'simple.example.com', { options: { maxVersion: 'TLSv1.2' } })).toMatchObject({
      status: 200,
    });
    expect(await https(edge, 'new.example.com', { options: { maxVersion: 'TLSv1.2' } })).toMatchObject(refused);
    expect(await https(edge, 'simple.example.com', { options: { ALPNProtocols: ['h2', 'http/1.1'] } })).toMatchObject({
      alpn: 'h2',
    });
  });

  test('a server name that nobody has is closed', async () => {
    expect(await https(edge, 'nobody.example.com')).toMatchObject(refused);
  });

  describe.each(['TLSv1.2', 'TLSv1.3'] as const)('clients over %s', (version) => {
    const options = { minVersion: version, maxVersion: version };
    test.each<[string, string, Certificate | undefined, 200 | 'refused']>([
      ['MUTUAL', 'good', friend, 200],
      ['MUTUAL', 'none', undefined, 'refused'],
      ['MUTUAL', 'of another authority', foreign, 'refused'],
      ['MUTUAL', 'expired', old, 'refused'],
      ['MUTUAL', 'revoked', revoked, 'refused'],
      ['OPTIONAL', 'good', friend, 200],
      ['OPTIONAL', 'none', undefined, 200],
      ['OPTIONAL', 'of another authority', foreign, 'refused'],
      ['OPTIONAL', 'expired', old, 'refused'],
      ['OPTIONAL', 'revoked', revoked, 'refused'],
      ['NAMED', 'good', friend, 200],
      ['NAMED', 'of another name', other, 'refused'],
      ['NAMED', 'none', undefined, 'refused'],
      ['NAMED', 'of another authority with the name', foreign, 'refused'],
    ])('%s: %s', async (mode, _, client, expected) => {
      const outcome = await https(edge, `${mode.toLowerCase()}.example.com`, { ...(client && { client }), options });
      expect(outcome).toMatchObject(expected === 'refused' ? refused : { status: 200, protocol: version });
    });
  });

  test('ISTIO_MUTUAL: identities of the mesh, and nobody else', async () => {
    const roots = issuer.roots;
    const checkServerIdentity = (): undefined => undefined;
    const call = (client: Certificate | undefined): Promise<TlsOutcome> =>
      https(edge, 'mesh.example.com', {
        authority: roots,
        ...(client && { client }),
        options: { checkServerIdentity },
      });
    expect(await call(workload())).toMatchObject({ status: 200 });
    expect(await call(undefined)).toMatchObject(refused);
    expect(await call(friend)).toMatchObject(refused);
    expect(await call(stranger.issue(['spiffe://cluster.local/ns/edge/sa/ingress']))).toMatchObject(refused);
  });

  test('a client gets the kind of certificate that it can use', async () => {
    const certificates = await Promise.all(
      ['ECDHE-ECDSA-AES128-GCM-SHA256', 'ECDHE-RSA-AES128-GCM-SHA256'].map((ciphers) =>
        https(edge, 'both.example.com', { options: { ciphers, maxVersion: 'TLSv1.2' } }),
      ),
    );
    expect(certificates.map(({ status }) => status)).toEqual([200, 200]);
    expect(certificates[0]?.fingerprint).toBe(fingerprintOf(server));
    expect(certificates[1]?.fingerprint).not.toBe(fingerprintOf(server));
  });
});

/** A workload's certificate, as Citadel issues it. */
function readIdentity(folder: string): Certificate {
  writeIdentity(folder, { namespace: 'shop', serviceAccount: 'client' }, issuer);
  return {
    certificate: readFileSync(join(folder, 'cert-chain.pem'), 'utf8'),
    key: readFileSync(join(folder, 'key.pem'), 'utf8'),
  };
}

describe('broken Secrets beside good ones', () => {
  const good = pki.issue(['*.example.com']);
  const pair = { 'tls.crt': good.certificate, 'tls.key': good.key };
  const kinds: Readonly<Record<string, Readonly<Record<string, string>> | undefined>> = {
    good: pair,
    missing: undefined,
    garbage: { 'tls.crt': 'garbage', 'tls.key': 'garbage' },
    mismatch: { ...pair, 'tls.key': pki.issue(['other.example.com']).key },
    short: pairOf(pki.issue(['short.example.com'], { kind: 'RSA-1024' })),
    edwards: pairOf(pki.issue(['edwards.example.com'], { kind: 'Ed25519' })),
    reversed: { ...pair, 'tls.crt': pki.certificate + good.certificate },
    other: pair,
  };
  const hosts = Object.keys(kinds);
  let edge: Edge;

  function secretsOf(more: Readonly<Record<string, Readonly<Record<string, string>>>> = {}): readonly string[] {
    return Object.entries({ ...kinds, ...more }).flatMap(([name, texts]) =>
      texts === undefined ? [] : [secretYaml(`edge/${name}`, texts)],
    );
  }

  beforeAll(async () => {
    const folder = join(root, 'b');
    const servers = [
      ...hosts.map((name) => ({ host: `${name}.example.com`, tls: `mode: SIMPLE, credentialName: ${name}` })),
      { host: '*', tls: 'mode: SIMPLE, credentialName: good' },
    ];
    edge = await Edge.start({ folder, objects: [edgeAnswers, edgeGateway(join(folder, 'https.sock'), servers)] });
    edge.write('secrets', ...secretsOf());
    await edge.until('served', async () => (await https(edge, 'good.example.com')).status === 200);
  });
  afterAll(() => edge.stop());

  test('each hurts its own host only, which is closed and not served by a wildcard, and its owner is told which it is', async () => {
    const outcomes = await Promise.all(hosts.map((host) => https(edge, `${host}.example.com`)));
    const served = hosts.filter((_, index) => outcomes[index]?.status === 200);
    expect(served).toEqual(['good', 'other']);
    expect(outcomes.filter(({ fingerprint }) => fingerprint === fingerprintOf(good))).toHaveLength(2);
    expect((await https(edge, 'else.example.com')).status).toBe(200);
    const told = edge.told().filter((line) => line.startsWith('XEB2405'));
    expect(told).toHaveLength(hosts.length - 2);
    for (const name of ['garbage', 'mismatch', 'short', 'edwards', 'reversed'])
      expect(told.join('\n')).toMatch(new RegExp(`Secret edge/${name} cannot be used`));
  });

  test('what was judged good, Envoy takes; what Envoy would refuse, it is never sent', async () => {
    const stats = await edge.envoy.stats();
    expect([...stats].filter(([name, value]) => name.endsWith('update_rejected') && value > 0)).toEqual([]);
    expect(edge.plane.xebec.verdicts.refused()).toEqual([]);
  });

  test('one that is repaired, or comes late, is served', async () => {
    edge.write('secrets', ...secretsOf({ missing: pair, garbage: pair }));
    const isServed = async (host: string): Promise<boolean> => (await https(edge, host)).status === 200;
    await edge.until(
      'repaired',
      async () => (await isServed('missing.example.com')) && isServed('garbage.example.com'),
    );
    expect((await https(edge, 'mismatch.example.com')).status).toBeUndefined();
  });

  test('one that turns bad is served as it was, also to an Envoy that starts anew, and its owner is told; one that goes, is not', async () => {
    edge.write('secrets', ...secretsOf({ other: { 'tls.crt': 'x', 'tls.key': 'y' } }));
    await edge.until('told', () => edge.told().some((line) => line.startsWith('XEB2406 Secret edge/other')));
    expect((await https(edge, 'other.example.com')).status).toBe(200);
    await edge.stopEnvoy();
    await edge.startEnvoy();
    expect((await https(edge, 'other.example.com')).status).toBe(200);
    edge.write('secrets', ...secretsOf().filter((text) => !text.includes('"other"')));
    await edge.until('closed', async () => (await https(edge, 'other.example.com')).status === undefined);
    expect((await https(edge, 'good.example.com')).status).toBe(200);
  });
});

function pairOf({ certificate, key }: Certificate): Readonly<Record<string, string>> {
  return { 'tls.crt': certificate, 'tls.key': key };
}

describe.each(['delta', 'sotw'] as const)('renewal over %s', (protocol) => {
  let edge: Edge;
  const folder = join(root, protocol);
  const clients = [pki.issue(['old-client.example.com']), stranger.issue(['new-client.example.com'])] as const;

  function objectsOf(pair: Certificate, authority: string): readonly string[] {
    return [secretYaml('edge/a', pairOf(pair)), secretYaml('edge/m', { ...pairOf(pair), 'ca.crt': authority })];
  }

  beforeAll(async () => {
    const servers = [
      { host: 'a.example.com', tls: 'mode: SIMPLE, credentialName: a' },
      { host: 'm.example.com', tls: 'mode: MUTUAL, credentialName: m' },
    ];
    edge = await Edge.start({
      folder,
      protocol,
      objects: [edgeAnswers, edgeGateway(join(folder, 'https.sock'), servers)],
    });
    edge.write('secrets', ...objectsOf(pki.issue(['*.example.com']), pki.certificate));
    await edge.until('served', async () => (await https(edge, 'a.example.com')).status === 200);
  });
  afterAll(() => edge.stop());

  test('under traffic, five times: no handshake fails, connections stay, no listener is sent again', async () => {
    const kept = openTls({ path: edge.socketOf('https'), serverName: 'a.example.com', authority: pki.certificate });
    await once(kept, 'secureConnect');
    const before = await edge.envoy.stats();
    const over = new AbortController();
    const outcomes: TlsOutcome[] = [];
    const caller = async (): Promise<void> => {
      while (!over.signal.aborted) {
        outcomes.push(await https(edge, 'a.example.com'));
        await sleep(5);
      }
    };
    const calling = [caller(), caller(), caller()];
    for (let turn = 0; turn < 5; turn += 1) {
      const next = pki.issue(['*.example.com'], turn % 2 === 0 ? {} : { kind: 'RSA' });
      edge.write('secrets', ...objectsOf(next, pki.certificate));
      await edge.until('renewed', () => outcomes.at(-1)?.fingerprint === fingerprintOf(next));
    }
    over.abort();
    await Promise.all(calling);
    expect(outcomes.length).toBeGreaterThan(20);
    expect(outcomes.filter(({ status }) => status !== 200)).toEqual([]);
    expect(await ask(kept, 'a.example.com')).toContain('200');
    kept.destroy();
    const after = await edge.envoy.stats();
    expect(after.get('listener_manager.lds.update_success')).toBe(before.get('listener_manager.lds.update_success'));
    expect(after.get('listener_manager.listener_modified')).toBe(before.get('listener_manager.listener_modified'));
  });

  test('of who vouches for clients: the next handshake is judged by the new ones', async () => {
    const outcomesOf = async (): Promise<readonly (number | undefined)[]> =>
      Promise.all(clients.map(async (client) => (await https(edge, 'm.example.com', { client })).status));
    expect(await outcomesOf()).toEqual([200, undefined]);
    edge.write('secrets', ...objectsOf(pki.issue(['*.example.com']), stranger.certificate));
    await edge.until('judged by the new ones', async () => (await outcomesOf()).join() === ',200');
  });

  test('R25: twice while the gateway is away: it gets the newest', async () => {
    await edge.stopEnvoy();
    const between = pki.issue(['*.example.com']);
    edge.write('secrets', ...objectsOf(between, pki.certificate));
    const inForce = (): string | undefined =>
      edge.plane.xebec.pilot.mesh()?.secrets.get('edge/a')?.pair.value?.certificate;
    await edge.until('taken', () => inForce()?.trim() === between.certificate.trim());
    const newest = pki.issue(['*.example.com']);
    edge.write('secrets', ...objectsOf(newest, pki.certificate));
    await edge.startEnvoy();
    await edge.until('newest', async () => (await https(edge, 'a.example.com')).fingerprint === fingerprintOf(newest));
  });
});

describe.each(['delta', 'sotw'] as const)('AUTO_PASSTHROUGH over %s', (protocol) => {
  const folder = join(root, `p-${protocol}`);
  const backends: TlsServer[] = [];
  let edge: Edge;

  function entry(name: string, namespace: string, more = ''): string {
    return `
apiVersion: networking.istio.io/v1
kind: ServiceEntry
metadata: { name: ${name}, namespace: ${namespace} }
spec:
  hosts: [${name}.${namespace}.internal.example]
  location: MESH_INTERNAL
  resolution: STATIC
  ports: [{ number: 443, name: tls, protocol: TLS }]
  endpoints: [{ address: "unix://${join(folder, `${name}.app`)}" }]
  ${more}
`;
  }

  beforeAll(async () => {
    mkdirSync(folder);
    for (const name of ['shown', 'hidden', 'private']) {
      const { certificate, key } = pki.issue([`${name}.internal.example`]);
      const server = createTlsServer({ cert: certificate, key, ALPNProtocols: ['istio'] }, (socket) => {
        socket.on('error', () => undefined);
        socket.once('data', () => socket.end('HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n'));
      });
      backends.push(server);
      await new Promise<void>((resolve) => server.listen(join(folder, `${name}.app`), resolve));
      chmodSync(join(folder, `${name}.app`), 0o777);
    }
    const servers = [{ host: 'shop/*.example', tls: 'mode: AUTO_PASSTHROUGH', protocol: 'TLS' }];
    edge = await Edge.start({
      folder,
      protocol,
      objects: [entry('shown', 'shop'), entry('hidden', 'bank'), entry('private', 'shop', 'exportTo: ["."]')],
    });
    // The endpoints are there already, and are shared.
    edge.write('gateway', edgeGateway(join(folder, 'https.sock'), servers));
    await edge.until('served', async () => (await call('shown.shop')).status === 200);
  });
  afterAll(async () => {
    await edge.stop();
    for (const server of backends) server.close();
  });

  const call = (service: string, alpn = 'istio', prefix = 'outbound_.443_._.'): Promise<TlsOutcome> => {
    const checkServerIdentity = (): undefined => undefined;
    return https(edge, `${prefix}${service}.internal.example`, {
      options: { ALPNProtocols: [alpn], checkServerIdentity },
    });
  };

  test('2021-006: the mesh’s own TLS reaches what the hosts name and the gateway sees, and nothing else does', async () => {
    expect(await call('shown.shop')).toMatchObject({ status: 200, alpn: 'istio' });
    expect(await call('hidden.bank')).toMatchObject(refused);
    expect(await call('private.shop')).toMatchObject(refused);
    expect(await call('shown.shop', 'http/1.1')).toMatchObject(refused);
    expect(await call('shown.shop', 'istio', 'outbound_.80_._.')).toMatchObject(refused);
    expect(await call('shown.shop', 'istio', '')).toMatchObject(refused);
  });
});
