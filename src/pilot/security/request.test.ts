import { describe, expect, test } from 'vitest';
import { ecKey, jwksOf } from '../../../test/support/tokens.ts';
import type { AuthenticationPolicySpec, RequestAuthenticationSpec } from '../../apis/security/security.ts';
import type { ConfigSnapshot } from '../../model/config-snapshot.ts';
import type { KeyBook, KnownKeys } from '../../model/mesh-security.ts';
import type { MeshSnapshot } from '../../model/mesh-snapshot.ts';
import { clusterObject, endpointSlice, object, pod, service } from '../../testing/builders.ts';
import { configSnapshot } from '../../testing/config.ts';
import { MeshSnapshotBuilder } from '../snapshot/snapshot-builder.ts';
import { type TokenPolicy, tokenPolicyAt } from '../translate/jwt/plan.ts';
import { selectRequest } from './request.ts';
import type { Subject } from './subject.ts';

const jwks = jwksOf([ecKey('k')]);
type Options = Partial<Subject>;

function makeMesh(config: ConfigSnapshot, keys?: KeyBook): MeshSnapshot {
  return new MeshSnapshotBuilder({ domainSuffix: 'cluster.local', clusterId: 'Kubernetes' }).build(config, keys)
    .snapshot;
}

function plan({ security }: MeshSnapshot, options: Options = {}) {
  const subject: Subject = { kind: 'sidecar', namespace: 'default', labels: { app: 'a' }, targets: [], ...options };
  return selectRequest(security, subject);
}

function issuersOf(policy: TokenPolicy): readonly string[] {
  switch (policy.kind) {
    case 'none':
      return [];
    case 'request':
      return policy.rules.map(({ issuer }) => issuer);
    case 'classic':
      return [...policy.peers, ...policy.origins].map(({ issuer }) => issuer);
  }
}

const issuers = (mesh: MeshSnapshot, options?: Options): readonly string[] => issuersOf(plan(mesh, options).rest);

function requests(name: string, spec: Partial<RequestAuthenticationSpec> = {}) {
  return object('RequestAuthentication', name, { jwtRules: [{ issuer: name, jwks }], ...spec });
}

describe('RequestAuthentication', () => {
  const mesh = makeMesh(
    configSnapshot([
      requests('b-all'),
      requests('a-labels', { selector: { matchLabels: { app: 'a' } } }),
      requests('other-labels', { selector: { matchLabels: { app: 'b' } } }),
      requests('elsewhere/all'),
      requests('istio-system/root'),
      requests('istio-system/root-labels', { selector: { matchLabels: { app: 'b' } } }),
    ]),
  );

  test('applies by namespace and labels, that of the root namespace first', () => {
    expect(issuers(mesh)).toEqual(['istio-system/root', 'a-labels', 'b-all']);
    expect(issuers(mesh, { labels: { app: 'b' } })).toEqual([
      'istio-system/root',
      'istio-system/root-labels',
      'b-all',
      'other-labels',
    ]);
    expect(issuers(mesh, { namespace: 'third', labels: {} })).toEqual(['istio-system/root']);
    expect(issuers(mesh, { namespace: 'istio-system', labels: {} })).toEqual(['istio-system/root']);
  });

  test('is the same plan for workloads to which the same applies, and while nothing of it moves', () => {
    expect(plan(mesh, { labels: { app: 'a', version: '1' } })).toBe(plan(mesh, { labels: { app: 'a', version: '2' } }));
    expect(plan(mesh, { labels: { app: 'b' } })).not.toBe(plan(mesh));
    const { objects } = mesh.config;
    const all = [...objects.RequestAuthentication, requests('elsewhere/more')];
    expect(plan(makeMesh(configSnapshot(all)))).toBe(plan(mesh));
  });

  const targetRefs = [{ group: 'gateway.networking.k8s.io', kind: 'Gateway', name: 'entry' }];

  test('with targets is for the gateways of that name alone', () => {
    const targeted = makeMesh(configSnapshot([requests('targeted', { targetRefs })]));
    const labels = { 'gateway.networking.k8s.io/gateway-name': 'entry' };
    expect(issuers(targeted)).toEqual([]);
    expect(issuers(targeted, { labels })).toEqual([]);
    expect(issuers(targeted, { kind: 'router', labels })).toEqual(['targeted']);
    expect(issuers(targeted, { kind: 'router', labels, namespace: 'elsewhere' })).toEqual([]);
    expect(issuers(targeted, { kind: 'router' })).toEqual([]);
    const ofService = makeMesh(configSnapshot([requests('s', { targetRefs: [{ kind: 'Service', name: 'a' }] })]));
    expect(issuers(ofService)).toEqual([]);
  });
});

describe('keys', () => {
  const address = 'https://a.example.com/keys';
  const config = configSnapshot([requests('a', { jwtRules: [{ issuer: 'a', jwksUri: address }] })]);
  const known: KnownKeys = { kind: 'known', jwks };
  const keysIn = (mesh: MeshSnapshot): unknown => {
    const { rest } = plan(mesh);
    return rest.kind === 'request' ? rest.rules.map(({ keys }) => keys) : rest.kind;
  };

  test('are those that were fetched; those of others do not matter', () => {
    const mesh = makeMesh(config, new Map([[address, known]]));
    expect(keysIn(mesh)).toEqual([known]);
    const more = makeMesh(
      config,
      new Map([
        [address, known],
        ['https://b.example.com', known],
      ]),
    );
    expect(plan(more)).toBe(plan(mesh));
    expect(plan(makeMesh(config, new Map([[address, { ...known }]])))).not.toBe(plan(mesh));
  });

  test('are unknown until then', () => {
    expect(keysIn(makeMesh(config))).toEqual([{ kind: 'unknown', reason: 'they were not fetched yet' }]);
    const nowhere = makeMesh(configSnapshot([requests('a', { jwtRules: [{ issuer: 'someone' }] })]));
    expect(keysIn(nowhere)).toEqual([{ kind: 'unknown', reason: expect.stringContaining('is no URL') as unknown }]);
  });

  test('that are given are read, and what is secret in them goes', () => {
    const { privateKey } = ecKey('k');
    const secret = JSON.stringify({ keys: [privateKey.export({ format: 'jwk' })] });
    const given = makeMesh(configSnapshot([requests('a', { jwtRules: [{ issuer: 'a', jwks: secret }] })]));
    expect(JSON.stringify(keysIn(given))).not.toContain('\\"d\\"');
    const broken = makeMesh(
      configSnapshot([requests('a', { jwtRules: [{ issuer: 'a', jwks: '{"keys":[{"kty":"RSA"}]}' }] })]),
    );
    expect(keysIn(broken)).toEqual([
      { kind: 'unknown', reason: expect.stringContaining('none of the keys') as unknown },
    ]);
  });
});

describe('classic policies', () => {
  function policy(name: string, spec: AuthenticationPolicySpec = {}) {
    return object('Policy', name, { origins: [{ jwt: { issuer: name, jwks } }], ...spec });
  }

  const target = (name: string, ...ports: readonly (number | string)[]) => ({
    name,
    ports: ports.map((port) => (typeof port === 'number' ? { number: port } : { name: port })),
  });
  const workload = [
    service('a', {
      ports: [
        { name: 'http', port: 80, targetPort: 8080 },
        { name: 'http-b', port: 81, targetPort: 8081 },
        { name: 'http-c', port: 82, targetPort: 8082 },
      ],
    }),
    endpointSlice('a', { endpoints: ['10.1.0.1'], ports: { http: 8080, 'http-b': 8081, 'http-c': 8082 } }),
    pod('a', { ip: '10.1.0.1' }),
  ];
  const meshPolicy = clusterObject('MeshPolicy', 'default', { origins: [{ jwt: { issuer: 'mesh', jwks } }] });

  function at(mesh: MeshSnapshot, port: number | undefined, options: Options = {}): readonly string[] {
    const targets = mesh.targetsByAddress.get('10.1.0.1') ?? [];
    expect(targets.length).toBe(3);
    return issuersOf(tokenPolicyAt(plan(mesh, { targets, ...options }), { port }));
  }

  test('of a port, of a service, of a namespace and of the mesh count in this order', () => {
    const ofService = policy('service', { targets: [{ name: 'a' }] });
    const ofPort = policy('port', { targets: [target('a', 81)] });
    const ofNamedPort = policy('named', { targets: [target('other', 80), target('a', 'http-c')] });
    const ofNamespace = policy('default');
    const all = [...workload, ofService, ofPort, ofNamedPort, ofNamespace, meshPolicy];
    const ports = [8080, 8081, 8082, 9999, undefined];
    const issuersAt = (...objects: typeof all): unknown => {
      const mesh = makeMesh(configSnapshot(objects));
      return ports.map((port) => at(mesh, port)[0]);
    };
    expect(issuersAt(...all)).toEqual(['service', 'port', 'named', 'default', 'default']);
    expect(issuersAt(...workload, ofPort, ofNamespace)).toEqual(['default', 'port', 'default', 'default', 'default']);
    expect(issuersAt(...workload, ofPort, meshPolicy)).toEqual(['mesh', 'port', 'mesh', 'mesh', 'mesh']);
    expect(issuersAt(...workload, ofService)).toEqual(['service', 'service', 'service', undefined, undefined]);
  });

  test('a policy without tokens takes those away that the mesh asks for', () => {
    const mesh = makeMesh(
      configSnapshot([...workload, meshPolicy, policy('a', { targets: [{ name: 'a' }], origins: [] })]),
    );
    expect(at(mesh, 8080)).toEqual([]);
    expect(at(mesh, 9999)).toEqual(['mesh']);
  });

  test('of another namespace or service do not matter', () => {
    const mesh = makeMesh(
      configSnapshot([
        ...workload,
        policy('x/default'),
        policy('x/a', { targets: [{ name: 'a' }] }),
        policy('b', { targets: [{ name: 'b' }] }),
      ]),
    );
    expect(at(mesh, 8080)).toEqual([]);
    expect(at(mesh, undefined)).toEqual([]);
  });

  test('are the same plan for the same policies, and nothing at all where none has tokens', () => {
    const mesh = makeMesh(configSnapshot([...workload, policy('a', { targets: [target('a', 81)] })]));
    const targets = mesh.targetsByAddress.get('10.1.0.1') ?? [];
    expect(plan(mesh, { targets })).toBe(plan(mesh, { targets: [...targets], labels: {} }));
    const silent = makeMesh(configSnapshot([...workload, policy('default', { origins: [], peers: [{ mtls: {} }] })]));
    expect(plan(silent)).toBe(plan(makeMesh(configSnapshot([]))));
  });

  test('are not asked where a RequestAuthentication applies', () => {
    const mesh = makeMesh(configSnapshot([...workload, meshPolicy, requests('modern')]));
    expect(at(mesh, 8080)).toEqual(['modern']);
    expect(at(mesh, 8080, { namespace: 'elsewhere' })).toEqual(['mesh']);
  });

  test('say how their tokens are taken', () => {
    const jwt = {
      issuer: 'i',
      jwks,
      jwtHeaders: ['Authorization', 'ingress-authorization', 'x-jwt'],
      jwtParams: ['t'],
    };
    const spec = {
      peers: [{ mtls: null }, { jwt: { issuer: 'peer', jwks } }],
      origins: [{ jwt }],
      originIsOptional: true,
    };
    const mesh = makeMesh(configSnapshot([object('Policy', 'default', { ...spec, principalBinding: 'USE_ORIGIN' })]));
    const { rest } = plan(mesh);
    expect(rest).toMatchObject({
      peersByMutualTls: true,
      peerIsOptional: false,
      originIsOptional: true,
      principalBinding: 'USE_ORIGIN',
    });
    if (rest.kind !== 'classic') throw new Error('it is classic');
    expect(rest.origins[0]?.fromHeaders).toEqual([
      { name: 'Authorization', prefix: 'Bearer ' },
      { name: 'ingress-authorization', prefix: 'istio' },
      { name: 'x-jwt', prefix: '' },
    ]);
    expect(rest.origins[0]?.forward).toBe(true);
  });
});
