import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { testRoot } from '../../../src/citadel/testing/issuers.ts';
import { spiffeId } from '../../../src/model/identity.ts';
import { type Proxy } from '../../../src/model/proxy.ts';
import type { ClientTls, RpcClient } from '../../../src/rpc/rpc-client.ts';
import { RpcStatusCode } from '../../../src/rpc/status.ts';
import { httpPort, type Manifest, pod, service } from '../pilot/support/manifests.ts';
import { type Node, SecureMesh } from './support/secure-mesh.ts';

const annotated = (manifest: Manifest, annotations: Readonly<Record<string, string>>): Manifest => ({
  ...manifest,
  metadata: { ...(manifest['metadata'] as object), annotations },
});
const account = (serviceAccountName: string): Manifest => ({ serviceAccountName, containers: [{ name: 'app' }] });
const sidecarOf = (manifest: Manifest): Manifest => annotated(manifest, { 'sidecar.istio.io/status': '{}' });

const world: readonly Manifest[] = [
  service('shop/web', [httpPort]),
  service('shop/reviews', [httpPort]),
  service('bank/teller', [httpPort]),
  sidecarOf(pod('shop/web', '10.1.0.1', { app: 'web' })),
  sidecarOf(pod('shop/reviews', '10.1.0.2', { app: 'reviews' }, account('reviews'))),
  sidecarOf(pod('bank/teller', '10.1.0.3', { app: 'teller' })),
  annotated(pod('edge/gate', '10.1.0.4', { istio: 'ingressgateway' }, account('gate')), {
    'inject.istio.io/templates': 'gateway',
    'sidecar.istio.io/status': '{}',
  }),
  {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace: 'shop', name: 'plain', labels: { app: 'plain' } },
    spec: account('default'),
    status: { phase: 'Running', podIP: '10.1.0.5', podIPs: [{ ip: '10.1.0.5' }] },
  },
];

function nodeOf(pod: string, ip: string, metadata: Readonly<Record<string, unknown>> = {}, type = 'sidecar'): Node {
  const [namespace = '', name = ''] = pod.split('/');
  return {
    id: `${type}~${ip}~${name}.${namespace}~${namespace}.svc.cluster.local`,
    metadata: { NAMESPACE: namespace, ...metadata },
  };
}

/** What is claimed, and whose it is; nobody's where it is a lie whoever tells it. */
type Claim = {
  readonly node: Node;
  readonly owner: string | undefined;
  readonly labels?: Readonly<Record<string, string>>;
};

const web = (metadata: Readonly<Record<string, unknown>>): Node => nodeOf('shop/web', '10.1.0.1', metadata);
const webId = (id: string): Node => ({ id, metadata: { NAMESPACE: 'shop' } });
const lie = (node: Node): Claim => ({ node, owner: undefined });

const claims: Readonly<Record<string, Claim>> = {
  'web, by its account': { node: web({ SERVICE_ACCOUNT: 'default' }), owner: 'shop/default', labels: { app: 'web' } },
  'web, without an account': { node: web({}), owner: 'shop/default', labels: { app: 'web' } },
  'web, with an empty account': { node: web({ SERVICE_ACCOUNT: '' }), owner: 'shop/default' },
  'web, of this cluster': { node: web({ CLUSTER_ID: 'Kubernetes' }), owner: 'shop/default' },
  reviews: { node: nodeOf('shop/reviews', '10.1.0.2', { SERVICE_ACCOUNT: 'reviews' }), owner: 'shop/reviews' },
  teller: { node: nodeOf('bank/teller', '10.1.0.3'), owner: 'bank/default' },
  'the gateway': { node: nodeOf('edge/gate', '10.1.0.4', {}, 'router'), owner: 'edge/gate' },
  'web with the labels of the gateway': {
    node: web({ LABELS: { istio: 'ingressgateway' } }),
    owner: 'shop/default',
    labels: { app: 'web' },
  },
  'a pod that nobody injected, as a gateway with labels of another': {
    node: nodeOf('shop/plain', '10.1.0.5', { LABELS: { istio: 'ingressgateway' } }, 'router'),
    owner: 'shop/default',
    labels: { app: 'plain' },
  },
  'web in another namespace': lie(web({ NAMESPACE: 'bank' })),
  'web in the root namespace': lie(web({ NAMESPACE: 'istio-system' })),
  'web with a namespace of another kind': lie({
    id: 'sidecar~10.1.0.1~web.shop~bank.svc.cluster.local',
    metadata: { NAMESPACE: 7 },
  }),
  'web of another account': lie(web({ SERVICE_ACCOUNT: 'admin' })),
  'web of another cluster': lie(web({ CLUSTER_ID: 'other' })),
  'web at the address of another namespace': lie(nodeOf('shop/web', '10.1.0.3')),
  'web at the address of another account': lie(nodeOf('shop/web', '10.1.0.2')),
  'web at its own address and another’s': lie(web({ INSTANCE_IPS: '10.1.0.1,10.1.0.3' })),
  'web at an address that is nobody’s': lie(nodeOf('shop/web', '10.99.0.1')),
  'web by the name of another namespace': lie(webId('sidecar~10.1.0.1~teller.bank~shop.svc.cluster.local')),
  'web by the name of a pod of another account': lie(webId('sidecar~10.1.0.1~reviews.shop~shop.svc.cluster.local')),
  'web in the domain of another namespace': lie(webId('sidecar~10.1.0.1~web.shop~bank.svc.cluster.local')),
  'web as a gateway': lie(nodeOf('shop/web', '10.1.0.1', {}, 'router')),
  'the gateway as a sidecar': lie(nodeOf('edge/gate', '10.1.0.4')),
  'a pod that nobody knows': lie(nodeOf('shop/ghost', '10.99.0.2', { LABELS: { istio: 'ingressgateway' } }, 'router')),
  'web with a megabyte of metadata': lie(web({ JUNK: 'x'.repeat(1024 * 1024) })),
};

const callers = [
  'nobody',
  'somebody of another mesh',
  'shop/default of another domain',
  'shop/default',
  'shop/reviews',
  'bank/default',
  'edge/gate',
  'istio-system/default',
] as const;

function pairOf(mesh: SecureMesh, caller: (typeof callers)[number]): ClientTls['pair'] {
  if (caller === 'nobody') return undefined;
  if (caller === 'shop/default of another domain') return mesh.pair('shop/default', { trustDomain: 'evil.example' });
  const other = testRoot('cluster.local', Date.now());
  if (caller === 'somebody of another mesh')
    return mesh.pair('shop/default', { signer: other, roots: other.certificate });
  return mesh.pair(caller);
}

test('S1: of 200 pairs of a credential and a claim, only those of the owner get anything', async () => {
  const mesh = await SecureMesh.start(world);
  const odd: string[] = [];
  let pairs = 0;
  let denied = 0;
  for (const caller of callers) {
    const client = mesh.client(pairOf(mesh, caller));
    for (const [name, claim] of Object.entries(claims)) {
      pairs += 1;
      if (claim.owner !== caller) denied += 1;
      const tried = await attempt(mesh, client, claim);
      const expected = claim.owner === caller ? servedAs(claim) : codeFor(caller, name);
      if (!isDeepStrictEqual(tried, expected)) odd.push(`${caller} as ${name}: ${JSON.stringify(tried)}`);
    }
  }
  expect(odd).toEqual([]);
  expect([pairs, denied]).toEqual([200, 191]);
});

/** What came of a claim: how it was refused, or as whom it was served. */
type Tried = {
  readonly code: number;
  readonly counted: number;
  readonly identity?: string;
  readonly labels?: Readonly<Record<string, string>>;
};

async function attempt(mesh: SecureMesh, client: RpcClient, { node, labels }: Claim): Promise<Tried> {
  const { pilot } = mesh.process.xebec;
  const before = await mesh.total('pilot_xds_unauthorized_total');
  let proxy: Proxy | undefined;
  const outcome = await mesh.ask(client, node, {
    onAnswer: () => {
      proxy = pilot.proxies().find(({ id }) => id === node.id);
    },
  });
  const counted = (await mesh.total('pilot_xds_unauthorized_total')) - before;
  if (outcome.kind === 'refused') return { code: outcome.status.code, counted };
  const identity = proxy?.identity === undefined ? 'nobody' : spiffeId(proxy.identity);
  return {
    code: RpcStatusCode.OK,
    counted,
    identity,
    ...(labels === undefined ? {} : { labels: proxy?.labels ?? {} }),
  };
}

function servedAs({ owner = '', labels }: Claim): Tried {
  const identity = `spiffe://cluster.local/ns/${owner.replace('/', '/sa/')}`;
  return { code: RpcStatusCode.OK, counted: 0, identity, ...(labels === undefined ? {} : { labels }) };
}

/** A certificate of another mesh does not even make a connection; of nobody not even the request is read. */
function codeFor(caller: (typeof callers)[number], claim: string): Tried {
  if (caller === 'somebody of another mesh') return { code: RpcStatusCode.UNAVAILABLE, counted: 0 };
  if (caller === 'nobody' || caller === 'shop/default of another domain')
    return { code: RpcStatusCode.UNAUTHENTICATED, counted: 1 };
  if (claim === 'web with a megabyte of metadata') return { code: RpcStatusCode.RESOURCE_EXHAUSTED, counted: 0 };
  const isUnknown = claim === 'a pod that nobody knows' && caller.startsWith('shop/');
  return { code: isUnknown ? RpcStatusCode.UNAVAILABLE : RpcStatusCode.PERMISSION_DENIED, counted: 1 };
}

test('a mesh whose workloads are believed vouches for nobody who wants configuration', async () => {
  const other = testRoot('cluster.local', Date.now());
  const folder = await mkdtemp(join(tmpdir(), 'xebec-roots-'));
  onTestFinished(() => rm(folder, { recursive: true }));
  const rootCertFile = join(folder, 'roots.pem');
  await writeFile(rootCertFile, other.certificate);
  const mesh = await SecureMesh.start(world, { config: { rootCertFile } });
  expect(mesh.issuer.roots).toContain(other.certificate);
  const pair = mesh.pair('shop/default', { signer: other, roots: other.certificate });
  expect(await mesh.ask(mesh.client(pair), web({}))).toMatchObject({
    kind: 'refused',
    status: { code: RpcStatusCode.UNAVAILABLE },
  });
  expect(await mesh.ask(mesh.client(mesh.pair('shop/default')), web({}))).toMatchObject({ kind: 'served' });
});
