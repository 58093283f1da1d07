import { describe, expect, it, test } from 'vitest';
import type { GatewayServer, ServerTls } from '../../../apis/networking/networking.ts';
import { Hidden } from '../../../kit/hidden.ts';
import type { GatewaySecret, SecretBook } from '../../../model/gateway-secret.ts';
import type { Service } from '../../../model/service.ts';
import { gateway } from '../../../testing/builders.ts';
import { settings, traits, unprotected } from '../listener/testing/sidecar.ts';
import { summarize, unpack } from '../listener/testing/summary.ts';
import type { ProxyTraits, ServiceAtPort } from '../plan.ts';
import { at, port, service } from '../policy/testing/fixtures.ts';
import { exportedBy } from './auto-passthrough.ts';
import { secretsFor } from './credentials.ts';
import { buildGatewayListener } from './listener.ts';
import { planGateway } from './plan.ts';
import type { TlsDefaults } from './tls-parameters.ts';

const NEVER = Date.UTC(9999, 11, 31);

function secret(name: string, more: Partial<GatewaySecret> = {}): GatewaySecret {
  const [namespace = '', own = ''] = name.split('/');
  const pair = {
    certificate: `certificate of ${name}`,
    key: new Hidden(`key of ${name}`),
    keyType: 'RSA',
    expiresAt: NEVER,
  } as const;
  return {
    ref: { kind: 'Secret', namespace, name: own },
    pair: { value: pair, problem: undefined },
    authority: { value: { certificates: `authority of ${name}`, revocations: undefined }, problem: undefined },
    allowedNamespaces: [],
    ...more,
  };
}

type World = {
  readonly servers: readonly GatewayServer[];
  readonly secrets?: readonly GatewaySecret[];
  readonly members?: readonly ServiceAtPort[];
  readonly tlsDefaults?: TlsDefaults;
  readonly traits?: Partial<ProxyTraits>;
};

const edge: ProxyTraits = { ...traits, kind: 'router', namespace: 'edge', isProven: true };

function build({ servers, secrets = [], members = [], tlsDefaults = {}, traits: own = {} }: World) {
  const { ports } = planGateway({ gateways: [gateway('shop/g', { servers })], targets: [] });
  const [plan] = ports;
  if (plan === undefined) throw new Error('no port is served');
  const book: SecretBook = new Map(secrets.map((each) => [`${each.ref.namespace}/${each.ref.name}`, each]));
  const proxy = { ...edge, ...own };
  return buildGatewayListener({
    plan,
    virtualServices: [],
    destinations: [],
    traits: proxy,
    settings,
    security: unprotected,
    secrets: secretsFor(plan.connections, book, proxy.namespace),
    tlsDefaults,
    exported: plan.connections.flatMap((connection) => exportedBy(connection, members)),
  });
}

function https(tls: ServerTls, hosts: readonly string[] = ['a.example.com']): GatewayServer {
  return { port: { number: 443, protocol: 'HTTPS', name: hosts[0] ?? '' }, hosts, tls };
}

function chainsOf(built: ReturnType<typeof build>): readonly string[] {
  return built.listener === undefined ? [] : summarize(built.listener.message);
}

function toldBy(built: ReturnType<typeof build>): readonly string[] {
  return built.diagnostics.map(({ code, message }) => `${code} ${message}`);
}

describe('where a Secret is looked for', () => {
  it.each<[string, string, readonly GatewaySecret[], string[]]>([
    ['its name, where the gateway runs', 'a', [secret('edge/a')], ['kubernetes://a']],
    ['with its scheme', 'kubernetes://a', [secret('edge/a')], ['kubernetes://a']],
    ['not where the Gateway is written', 'a', [secret('shop/a')], []],
    ['its own namespace by name', 'edge/a', [secret('edge/a')], ['kubernetes://edge/a']],
    ['another namespace', 'shop/a', [secret('shop/a')], []],
    [
      'another namespace that allows it',
      'shop/a',
      [secret('shop/a', { allowedNamespaces: ['edge'] })],
      ['kubernetes://shop/a'],
    ],
    ['one that allows others', 'shop/a', [secret('shop/a', { allowedNamespaces: ['edge2', 'ed'] })], []],
    ['what is allowed counts by its namespace only', 'a', [secret('shop/a', { allowedNamespaces: ['edge'] })], []],
  ])('%s', (_, credentialName, secrets, expected) => {
    const built = build({ servers: [https({ mode: 'SIMPLE', credentialName })], secrets });
    expect(built.secrets.map(({ name }) => name)).toEqual(expected);
    if (expected.length > 0) expect(built.diagnostics).toEqual([]);
    else {
      expect(chainsOf(built)).toEqual(['sni a.example.com → tcp BlackHoleCluster']);
      expect(toldBy(built).join()).toMatch(/^XEB2405 there is no Secret/);
    }
  });

  it('that is not there, or is not for it, sounds the same to whoever asks for one of another namespace', () => {
    const say = (secrets: readonly GatewaySecret[]): readonly string[] =>
      toldBy(build({ servers: [https({ mode: 'SIMPLE', credentialName: 'shop/a' })], secrets }));
    expect(say([secret('shop/a')])).toEqual(say([]));
  });
});

test('a host without its Secret is closed, and does not go to a wildcard with another certificate', () => {
  const servers = [
    https({ mode: 'SIMPLE', credentialName: 'gone' }),
    https({ mode: 'SIMPLE', credentialName: 'a' }, ['*']),
  ];
  const built = build({ servers, secrets: [secret('edge/a')] });
  expect(chainsOf(built)).toEqual([
    'sni a.example.com → tcp BlackHoleCluster',
    '→ tls-ended http rds https.443.*.g.shop',
  ]);
});

test('2021-007: who has not proven to be of the namespace is sent nothing', () => {
  const built = build({
    servers: [https({ mode: 'MUTUAL', credentialName: 'a' })],
    secrets: [secret('edge/a'), secret('edge/a-cacert')],
    traits: { isProven: false },
  });
  expect(built.secrets).toEqual([]);
  expect(chainsOf(built)).toEqual(['sni a.example.com → tcp BlackHoleCluster']);
  expect(toldBy(built)).toEqual([expect.stringContaining('has not proven who it is')]);
});

describe('who vouches for clients', () => {
  const bare = { authority: { value: undefined, problem: undefined } };
  const bad = { authority: { value: undefined, problem: 'cacert has no CERTIFICATE in PEM' } };
  const from = (tls: Partial<ServerTls>, secrets: readonly GatewaySecret[]): string => {
    const built = build({ servers: [https({ mode: 'MUTUAL', credentialName: 'a', ...tls })], secrets });
    const found = built.secrets.find(({ message }) => message.validationContext !== undefined);
    const bytes = found?.message.validationContext?.trustedCa?.inlineBytes;
    return bytes === undefined ? toldBy(built).join() : `${found?.name} ${new TextDecoder().decode(bytes)}`;
  };

  it('is said by the Secret beside the pair, or by the pair’s own', () => {
    expect(from({}, [secret('edge/a'), secret('edge/a-cacert')])).toBe(
      'kubernetes://a-cacert authority of edge/a-cacert',
    );
    expect(from({}, [secret('edge/a')])).toBe('kubernetes://a-cacert authority of edge/a');
    expect(from({}, [secret('edge/a'), secret('edge/a-cacert', bare)])).toBe(
      'kubernetes://a-cacert authority of edge/a',
    );
  });

  it('is said by whom the server names', () => {
    const secrets = [secret('edge/a'), secret('edge/b')];
    expect(from({ caCertCredentialName: 'b' }, secrets)).toBe('kubernetes://b-cacert authority of edge/b');
    expect(from({ caCertCredentialName: 'c-cacert' }, [...secrets, secret('edge/c-cacert')])).toBe(
      'kubernetes://c-cacert authority of edge/c-cacert',
    );
  });

  it('is nobody where that is broken: never whoever else there is', () => {
    expect(from({}, [secret('edge/a'), secret('edge/a-cacert', bad)])).toMatch(
      /XEB2405 Secret edge\/a-cacert cannot be used: cacert/,
    );
    expect(from({}, [secret('edge/a', bare)])).toMatch(/XEB2405 Secret edge\/a has no certificates of authorities/);
  });
});

test('a Secret that turned bad is served as it was, and its Gateway is told', () => {
  const { pair } = secret('edge/a');
  const broken = secret('edge/a', { pair: { ...pair, problem: 'tls.key has no PRIVATE KEY in PEM' } });
  const built = build({ servers: [https({ mode: 'SIMPLE', credentialName: 'a' })], secrets: [broken] });
  expect(built.secrets.map(({ name }) => name)).toEqual(['kubernetes://a']);
  expect(toldBy(built)).toEqual([
    'XEB2406 Secret edge/a cannot be used as it is now: tls.key has no PRIVATE KEY in PEM; the version from before stays in force',
  ]);
});

test('when a certificate ends is known beforehand', () => {
  const { pair } = secret('edge/a');
  if (pair.value === undefined) throw new Error('there is a pair');
  const ending = secret('edge/a', {
    pair: { value: { ...pair.value, expiresAt: 1_700_000_000_000 }, problem: undefined },
  });
  const { endings, diagnostics } = build({
    servers: [https({ mode: 'SIMPLE', credentialName: 'a' })],
    secrets: [ending],
  });
  expect(diagnostics).toEqual([]);
  expect(endings.map(({ at: when, diagnostic }) => [when, diagnostic.code, diagnostic.message])).toEqual([
    [
      1_700_000_000_000,
      'XEB2407',
      'a certificate in Secret edge/a ended at 2023-11-14T22:13:20.000Z: clients refuse it, so renew it',
    ],
  ]);
});

test('a changed Secret changes its own resource, and nothing of the listener', () => {
  const servers = [
    https({ mode: 'MUTUAL', credentialName: 'a' }),
    https({ mode: 'SIMPLE', credentialName: 'b' }, ['b.example.com']),
  ];
  const before = build({ servers, secrets: [secret('edge/a'), secret('edge/b')] });
  const renewed = { certificate: 'new', key: new Hidden('new'), keyType: 'RSA', expiresAt: NEVER } as const;
  const after = build({
    servers,
    secrets: [secret('edge/a', { pair: { value: renewed, problem: undefined } }), secret('edge/b')],
  });
  expect(after.listener).toEqual(before.listener);
  const changed = after.secrets.filter(({ message }, index) => !sameJson(message, before.secrets[index]?.message));
  expect(changed.map(({ name }) => name)).toEqual(['kubernetes://a']);
});

function sameJson(a: unknown, b: unknown): boolean {
  return JSON.stringify(a) === JSON.stringify(b);
}

describe('versions, ciphers and curves', () => {
  const parametersOf = (tls: Partial<ServerTls>, tlsDefaults: TlsDefaults) => {
    const built = build({
      servers: [https({ mode: 'SIMPLE', credentialName: 'a', ...tls })],
      secrets: [secret('edge/a')],
      tlsDefaults,
    });
    const config = built.listener?.message.filterChains?.[0]?.transportSocket?.typedConfig;
    if (config === undefined) throw new Error('no TLS');
    return unpack('envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext', config).commonTlsContext?.tlsParams;
  };
  const defaults: TlsDefaults = {
    minProtocolVersion: 'TLSV1_3',
    cipherSuites: ['ECDHE-RSA-AES128-GCM-SHA256', 'NO-SUCH'],
    ecdhCurves: ['P-256', 'NO-SUCH'],
  };

  it('are the mesh’s where the server says nothing', () => {
    expect(parametersOf({}, defaults)).toEqual({
      tlsMinimumProtocolVersion: 4,
      cipherSuites: ['ECDHE-RSA-AES128-GCM-SHA256'],
      ecdhCurves: ['P-256'],
    });
  });

  it('are the server’s where it does', () => {
    const tls = { minProtocolVersion: 'TLSV1_2', cipherSuites: ['AES128-SHA'] } as const;
    expect(parametersOf(tls, defaults)).toMatchObject({ tlsMinimumProtocolVersion: 3, cipherSuites: ['AES128-SHA'] });
  });
});

describe('ISTIO_MUTUAL', () => {
  const contextOf = (tls: Partial<ServerTls>) => {
    const built = build({
      servers: [https({ mode: 'ISTIO_MUTUAL', ...tls })],
      traits: { identityFolder: '/etc/certs', isProven: false },
    });
    const config = built.listener?.message.filterChains?.[0]?.transportSocket?.typedConfig;
    if (config === undefined) throw new Error('no TLS');
    return unpack('envoy.extensions.transport_sockets.tls.v3.DownstreamTlsContext', config);
  };

  it('serves with the files of the gateway’s own identity, and needs no key of anybody', () => {
    expect(contextOf({})).toMatchObject({
      requireClientCertificate: { value: true },
      commonTlsContext: {
        tlsCertificateSdsSecretConfigs: [
          { name: 'default', sdsConfig: { pathConfigSource: { path: '/etc/certs/sds-cert.yaml' } } },
        ],
        combinedValidationContext: { validationContextSdsSecretConfig: { name: 'ROOTCA' } },
      },
    });
  });

  it('takes the names that are listed, and versions, as they are said', () => {
    const { commonTlsContext } = contextOf({
      subjectAltNames: ['spiffe://a/ns/b/sa/c'],
      minProtocolVersion: 'TLSV1_3',
    });
    expect(commonTlsContext?.tlsParams?.tlsMinimumProtocolVersion).toBe(4);
    expect(commonTlsContext?.combinedValidationContext?.defaultValidationContext?.matchTypedSubjectAltNames).toEqual([
      { sanType: 3, matcher: { exact: 'spiffe://a/ns/b/sa/c' } },
    ]);
  });

  it('is closed where the gateway has no identity', () => {
    const built = build({ servers: [https({ mode: 'ISTIO_MUTUAL' })], traits: { identityFolder: '' } });
    expect(chainsOf(built)).toEqual(['sni a.example.com → tcp BlackHoleCluster']);
    expect(toldBy(built)).toEqual([expect.stringContaining('the gateway has no identity of the mesh')]);
  });
});

describe('AUTO_PASSTHROUGH', () => {
  function auto(...hosts: readonly string[]): GatewayServer {
    return { port: { number: 15_443, protocol: 'TLS', name: 'auto' }, hosts, tls: { mode: 'AUTO_PASSTHROUGH' } };
  }
  const kinds: Readonly<Record<string, Partial<Service>>> = {
    plain: {},
    headless: { headless: true },
    external: { meshExternal: true },
    resolved: { resolution: { kind: 'dns', logical: false } },
  };
  const namespaces = ['shop', 'bank', 'edge'];
  const ports = [80, 9000, 9001];
  const members = namespaces.flatMap((namespace) =>
    Object.entries(kinds).flatMap(([name, more]) => {
      const made = service(`${namespace}/${name}`, { ...more, ports: ports.map((number) => port(number)) });
      return ports.map((number) => at(made, number));
    }),
  );
  const hostLists: readonly (readonly string[])[] = [
    ['*.shop.svc.cluster.local'],
    ['plain.bank.svc.cluster.local'],
    ['bank/*'],
    ['*.elsewhere.example.com'],
  ];

  test('2021-006: of 144 calls, only those to services that the hosts name are let in', () => {
    let calls = 0;
    for (const hosts of hostLists) {
      const built = build({ servers: [auto(...hosts)], members });
      const names = (built.listener?.message.filterChains ?? []).flatMap(
        (chain) => chain.filterChainMatch?.serverNames ?? [],
      );
      for (const { service: each, port: asked } of members) {
        calls += 1;
        const isInside = each.resolution.kind === 'endpoints' && !each.meshExternal;
        const isNamed = hosts.some((host) => {
          if (host === '*.shop.svc.cluster.local') return each.namespace === 'shop';
          return host === 'bank/*' ? each.namespace === 'bank' : host === each.hostname;
        });
        const name = `outbound_.${asked.port}_._.${each.hostname}`;
        expect([hosts, name, names.includes(name)]).toEqual([hosts, name, isInside && isNamed]);
      }
    }
    expect(calls).toBe(144);
  });

  it('takes nothing but the mesh’s own TLS', () => {
    const built = build({ servers: [auto('*')], members });
    for (const { filterChainMatch } of built.listener?.message.filterChains ?? []) {
      expect(filterChainMatch?.applicationProtocols).toContain('istio');
      expect(filterChainMatch?.applicationProtocols).not.toContain('h2');
    }
  });
});
