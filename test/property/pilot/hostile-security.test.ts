// S23 for policies: objects that nobody validated crash nothing, and one that turned bad protects as its last good version did. What it says is
// read by the evaluator, and by the filters that proxies would get.
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ConfigStore } from '../../../src/galley/admit/config-store.ts';
import { findObjects } from '../../../src/galley/sources/folder/find-objects.ts';
import { encodeMessage } from '../../../src/gen/codec.ts';
import { objectKey } from '../../../src/model/ids.ts';
import type { MeshSecurity } from '../../../src/model/mesh-security.ts';
import { evaluateAccess } from '../../../src/pilot/authorize/evaluate.ts';
import { selectAccess } from '../../../src/pilot/security/access.ts';
import { selectPeer } from '../../../src/pilot/security/peer.ts';
import { selectRequest } from '../../../src/pilot/security/request.ts';
import type { Subject } from '../../../src/pilot/security/subject.ts';
import { meshSecurity } from '../../../src/pilot/security/testing/mesh-security.ts';
import { buildHttpSecurity, buildTcpSecurity } from '../../../src/pilot/translate/security.ts';
import { Random } from '../../support/random.ts';
import { randomPolicy, randomRequest, recordOf } from '../../support/random-access.ts';

const OBJECTS = 5_000;
const SECURITY = 'security.istio.io/v1';
const subject: Subject = { kind: 'sidecar', namespace: 'shop', labels: { app: 'web' }, targets: [] };
const here = { address: '127.1.0.1', ports: [8080] };
const arrival = { address: here.address, ports: { http: 8080, tcp: 8080 } };

type Body = Readonly<Record<string, unknown>>;
const at = (apiVersion: string, kind: string, name: string, spec: unknown): Body => ({
  apiVersion,
  kind,
  metadata: { name, ...(kind.startsWith('Mesh') || kind.startsWith('Cluster') ? {} : { namespace: 'shop' }) },
  spec,
});

const jwt = { issuer: 'https://a.example', jwksUri: 'https://a.example/keys', audiences: ['web'] };
const triggers = [{ includedPaths: [{ prefix: '/p' }], excludedPaths: [{ regex: '/p/[a-z]+' }] }];

/** Good objects of every kind that protects. */
const seeds: readonly Body[] = [
  at(SECURITY, 'PeerAuthentication', 'p', {
    selector: { matchLabels: { app: 'web' } },
    mtls: { mode: 'STRICT' },
    portLevelMtls: { 8080: { mode: 'STRICT' } },
  }),
  at(SECURITY, 'RequestAuthentication', 'p', {
    selector: { matchLabels: { app: 'web' } },
    jwtRules: [{ ...jwt, fromHeaders: [{ name: 'x-t', prefix: 'T ' }], outputPayloadToHeader: 'x-payload' }],
  }),
  at(SECURITY, 'AuthorizationPolicy', 'allow', {
    selector: { matchLabels: { app: 'web' } },
    rules: [
      {
        from: [{ source: { principals: ['cluster.local/ns/shop/sa/cart'], notIpBlocks: ['127.0.0.2'] } }],
        to: [{ operation: { methods: ['GET'], paths: ['/api/*'], notHosts: ['other.test'] } }],
        when: [{ key: 'request.auth.claims[groups]', values: ['dev'] }],
      },
    ],
  }),
  at(SECURITY, 'AuthorizationPolicy', 'deny', {
    action: 'DENY',
    rules: [{ to: [{ operation: { paths: ['/admin*'] } }] }, { from: [{ source: { namespaces: ['pay'] } }] }],
  }),
  at(SECURITY, 'AuthorizationPolicy', 'custom', {
    action: 'CUSTOM',
    provider: { name: 'opa' },
    rules: [{}],
  }),
  at('authentication.istio.io/v1alpha1', 'Policy', 'default', {
    peers: [{ mtls: {} }],
    origins: [{ jwt: { ...jwt, triggerRules: triggers } }],
    principalBinding: 'USE_ORIGIN',
  }),
  at('authentication.istio.io/v1alpha1', 'MeshPolicy', 'default', { peers: [{ mtls: {} }] }),
  at('rbac.istio.io/v1alpha1', 'ClusterRbacConfig', 'default', { mode: 'ON' }),
  at('rbac.istio.io/v1alpha1', 'ServiceRole', 'r', {
    rules: [
      {
        services: ['*'],
        methods: ['GET'],
        paths: ['/api/*'],
        constraints: [{ key: 'request.headers[x-role]', values: ['admin'] }],
      },
    ],
  }),
  at('rbac.istio.io/v1alpha1', 'ServiceRoleBinding', 'b', {
    subjects: [{ user: 'cluster.local/ns/shop/sa/cart', properties: { 'source.namespace': 'shop' } }],
    roleRef: { kind: 'ServiceRole', name: 'r' },
  }),
];

/** What says something else, or nothing, in the right place: then the policy is another one, and that is its author's word. */
const words = fc.constantFrom<unknown>(
  '',
  ' ',
  '\u0000',
  '(',
  '%',
  '*a*',
  'x'.repeat(5_000),
  null,
  [],
  {},
  [''],
  ['(a+)+$', '{'],
);
/** What says nothing anywhere. */
const nonsense = fc.constantFrom<unknown>(
  ...[7, -1, 1e308, true, [null], [[]], [7], { x: 1 }, { constructor: {} }, [{ y: [] }], { toString: null }],
);
type Damage = {
  readonly steps: readonly number[];
  readonly put: unknown;
  readonly kind: 'word' | 'nonsense' | 'rename';
};
const steps = fc.array(fc.nat(7), { maxLength: 8 });
const damage: fc.Arbitrary<Damage> = fc.oneof(
  fc.record({ steps, put: words, kind: fc.constant('word' as const) }),
  fc.record({ steps, put: nonsense, kind: fc.constantFrom('nonsense', 'rename') }),
);

/** Where members may be called anything. */
const maps: readonly string[] = ['matchLabels', 'properties', 'portLevelMtls'];

/** Replaces one part by junk, or calls it something that does not exist. */
function damaged(whole: unknown, how: Damage): unknown {
  const { put, kind } = how;
  const [step, ...deeper] = how.steps;
  if (typeof whole !== 'object' || whole === null) return put;
  const keys = Object.keys(whole);
  const key = keys[(step ?? 0) % Math.max(1, keys.length)];
  if (key === undefined) return put;
  const copy: Record<string, unknown> = Array.isArray(whole) ? ([...whole] as never) : { ...whole };
  if (deeper.length > 0 && !maps.includes(key)) copy[key] = damaged(copy[key], { ...how, steps: deeper });
  else if (kind === 'rename' && !Array.isArray(whole)) {
    copy[`${key}X`] = copy[key];
    delete copy[key];
  } else copy[key] = put;
  return copy;
}

class Cluster {
  readonly store = new ConfigStore(['test']);

  put(...bodies: readonly Body[]): void {
    for (const body of bodies) for (const { object } of findObjects(body).found) this.store.upsert(0, object);
  }

  security(): MeshSecurity {
    const { rootNamespace, trustDomains, extensionProviders, authorizers, hasRawPaths, keys } = meshSecurity();
    return { ...this.store.objects(), rootNamespace, trustDomains, extensionProviders, authorizers, hasRawPaths, keys };
  }

  isAdmitted(body: Body): boolean {
    const { namespace = '', name } = body['metadata'] as { readonly namespace?: string; readonly name: string };
    const key = objectKey(String(body['kind']), namespace, name);
    return [...this.store.judged()].some(({ source, isAdmitted }) => source.key === key && isAdmitted);
  }
}

/** All that proxies would get of it, as bytes, with what the evaluator says to some requests. */
function outcome(security: MeshSecurity): string {
  const access = selectAccess(security, subject);
  const [peer, request] = [selectPeer(security, subject), selectRequest(security, subject)];
  const built = [8080, undefined].flatMap((port) =>
    [true, false].flatMap((isMutualTls) => {
      const site = { direction: 'inbound', port, member: undefined, isMutualTls } as const;
      const http = buildHttpSecurity({ peer, request, access }, site).filters;
      const tcp = buildTcpSecurity({ peer, request, access }, site).filters;
      return [
        ...http.map((filter) =>
          encodeMessage('envoy.extensions.filters.network.http_connection_manager.v3.HttpFilter', filter),
        ),
        ...tcp.map((filter) => encodeMessage('envoy.config.listener.v3.Filter', filter)),
      ].map((bytes) => Buffer.from(bytes).toString('base64'));
    }),
  );
  const decisions = requests.map((each) => evaluateAccess(access, each).decision);
  return JSON.stringify([peer.mode, [...peer.ports], built, decisions]);
}

/** What gets in, and how: whatever is in the second of two lists and not in the first was opened. */
function letIn(security: MeshSecurity): readonly string[] {
  const access = selectAccess(security, subject);
  const { mode, ports } = selectPeer(security, subject);
  const through = requests.flatMap((each, index) =>
    evaluateAccess(access, each).decision === 'allow' ? [`request ${index}`] : [],
  );
  const plain = [mode, ports.get(8080) ?? mode].flatMap((one, at) => (one === 'STRICT' ? [] : [`plaintext ${at}`]));
  return [...through, ...plain];
}

const random = new Random(1);
const requests = Array.from({ length: 60 }, () => recordOf(randomRequest(random), arrival));

type Finding = { readonly isAdmitted: boolean; readonly opened: readonly string[] };

/** Damages one object of a mesh; throws where a refused one changes anything. */
function judge(victim: Body, how: Damage): Finding {
  const cluster = new Cluster();
  const isClassic = (one: Body): boolean => String(one['apiVersion']).endsWith('v1alpha1');
  // Without others, whose refusals would hide what it opens; classic kinds mean nothing alone.
  cluster.put(...(isClassic(victim) ? seeds.filter(isClassic) : [victim]));
  const [before, allowed] = [outcome(cluster.security()), letIn(cluster.security())];
  const bad = { ...victim, spec: damaged(victim['spec'], how) };
  cluster.put(bad);
  const isAdmitted = cluster.isAdmitted(bad);
  const after = outcome(cluster.security());
  if (!isAdmitted && after !== before) throw new Error(`refused, and yet it counts: ${JSON.stringify(bad)}`);
  const opened = how.kind === 'word' ? [] : letIn(cluster.security()).filter((one) => !allowed.includes(one));
  return { isAdmitted, opened: opened.map((one) => `${one}: ${JSON.stringify([victim['spec'], bad.spec])}`) };
}

test(`S23: of ${OBJECTS} damaged policies, those that are refused protect as before, and none opens what was closed`, () => {
  const tally = { refused: 0, taken: 0 };
  fc.assert(
    fc.property(fc.nat(), fc.nat(seeds.length), damage, (seed, which, how) => {
      const spec = randomPolicy(new Random(seed), here);
      const { isAdmitted, opened } = judge(seeds[which] ?? at(SECURITY, 'AuthorizationPolicy', 'random', spec), how);
      tally[isAdmitted ? 'taken' : 'refused'] += 1;
      expect(opened).toEqual([]);
    }),
    { numRuns: OBJECTS },
  );
  expect(Math.min(tally.refused, tally.taken)).toBeGreaterThan(OBJECTS / 20);
});

test('S23: one that never was good lets nobody in, and changes nothing for others', () => {
  fc.assert(
    fc.property(fc.nat(seeds.length - 1), damage, (which, how) => {
      const victim = seeds[which] ?? {};
      const cluster = new Cluster();
      const others = seeds.filter((one) => one !== victim);
      cluster.put(...others);
      const before = outcome(cluster.security());
      const bad = { ...victim, spec: damaged(victim['spec'], how) };
      cluster.put(bad);
      if (!cluster.isAdmitted(bad)) expect(outcome(cluster.security())).toBe(before);
    }),
    { numRuns: OBJECTS / 5 },
  );
});
