// Who calls is who the tokens of a real API server say, judged with the rights of the chart.
import { X509Certificate } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { Authenticator } from '../../src/citadel/authn/authenticator.ts';
import { TokenReviews } from '../../src/citadel/authn/token-reviews.ts';
import { requestOf, requestPem } from '../../src/citadel/testing/hostile.ts';
import { systemClock } from '../../src/kit/system-clock.ts';
import type { KubeConnection } from '../../src/kube/connect.ts';
import { RpcClient } from '../../src/rpc/rpc-client.ts';
import { RpcStatusCode } from '../../src/rpc/status.ts';
import { ask, bearer } from '../feature/citadel/support/csr-world.ts';
import { type Manifest, object } from '../feature/pilot/support/manifests.ts';
import { apiServerOfFile } from './api-server-of-file.ts';
import { connectAs, eventually } from './kube-copy.ts';
import { renderChart } from './support/chart.ts';
import { InProcess } from './support/in-process.ts';
import { Objects } from './support/objects.ts';

const server = apiServerOfFile({ controllers: true });
const ends: (() => Promise<void> | void)[] = [];
const csr = requestPem(requestOf());
let objects: Objects;
let admin: KubeConnection;

const account = (name: string): Manifest => object('v1', 'ServiceAccount', name, {});

/** On a node, though no kubelet runs it. */
function podOf(name: string, serviceAccountName: string, nodeName: string): Manifest {
  return object('v1', 'Pod', name, {
    spec: { serviceAccountName, nodeName, containers: [{ name: 'app', image: 'none', resources: {} }] },
  });
}

type TokenSpec = { readonly audiences?: readonly string[]; readonly pod?: string };

/** A token of an account, as a kubelet asks for it. */
async function tokenOf(name: string, { audiences = ['istio-ca'], pod }: TokenSpec = {}): Promise<string> {
  const [namespace = '', own = ''] = name.split('/');
  const boundObjectRef = pod === undefined ? {} : { boundObjectRef: { kind: 'Pod', apiVersion: 'v1', name: pod } };
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/${own}/token`;
  const reply = await server().call('POST', path, { spec: { audiences, expirationSeconds: 600, ...boundObjectRef } });
  if (reply.status !== 201) throw new Error(reply.body);
  return (JSON.parse(reply.body) as { readonly status: { readonly token: string } }).status.token;
}

beforeAll(async () => {
  await server().applyCrds();
  admin = await connectAs(server().kubeconfig, { atEnd: (end) => void ends.push(end) });
  objects = new Objects(admin);
  await objects.put(
    ...(await renderChart({ release: 'xebec', files: ['rbac.yaml', 'state.yaml'], values: [] })),
    ...['shop/web', 'shop/job', 'shop/gone', 'bank/teller', 'istio-system/ztunnel'].map(account),
    podOf('shop/web-1', 'web', 'a'),
    podOf('shop/web-2', 'web', 'a'),
    podOf('bank/teller-1', 'teller', 'b'),
    podOf('istio-system/ztunnel-a', 'ztunnel', 'a'),
  );
});

afterAll(async () => {
  for (const end of ends) await end();
});

/** A xebec with the rights of the chart, and how to ask it for certificates. */
async function start() {
  const kubeconfig = server().tokenKubeconfig(await server().tokenFor('istio-system/xebec'));
  const xebec = await InProcess.start({
    kubeconfig,
    config: { xds: { host: '127.0.0.1', port: 0 }, trustedNodeAccounts: ['istio-system/ztunnel'] },
  });
  await xebec.ready();
  const issuer = xebec.xebec.citadel?.issuer.current();
  if (issuer === undefined) throw new Error('nobody signs');
  const client = new RpcClient(`127.0.0.1:${xebec.secureXdsPort}`, {
    tls: { roots: issuer.roots, serverName: 'istiod.istio-system.svc' },
  });
  onTestFinished(() => client.close());
  const nameFor = async (token: string, impersonated?: string): Promise<string> => {
    const metadata = impersonated && { fields: { ImpersonatedIdentity: { stringValue: impersonated } } };
    const { chain, status } = await ask(client, metadata ? { csr, metadata } : { csr }, bearer(token));
    return chain[0] === undefined ? `code ${status.code}` : (new X509Certificate(chain[0]).subjectAltName ?? '');
  };
  return { xebec, nameFor };
}

const UNAUTHENTICATED = `code ${RpcStatusCode.UNAUTHENTICATED}`;
const DENIED = `code ${RpcStatusCode.PERMISSION_DENIED}`;

describe('certificates by the tokens of an API server', () => {
  test('an account gets its own identity, with a token of its pod or without', async () => {
    const { nameFor } = await start();
    expect(await nameFor(await tokenOf('shop/web'))).toBe('URI:spiffe://cluster.local/ns/shop/sa/web');
    expect(await nameFor(await tokenOf('shop/web', { pod: 'web-1' }))).toBe(
      'URI:spiffe://cluster.local/ns/shop/sa/web',
    );
    expect(await nameFor(await tokenOf('bank/teller'))).toBe('URI:spiffe://cluster.local/ns/bank/sa/teller');
  });

  test('a token for another audience gets nothing, nor one that is meant for all and forever', async () => {
    const { nameFor } = await start();
    expect(await nameFor(await tokenOf('shop/web', { audiences: ['vault'] }))).toBe(UNAUTHENTICATED);
    expect(await nameFor(await server().tokenFor('shop/web'))).toBe(UNAUTHENTICATED);
    const legacy = {
      ...object('v1', 'Secret', 'shop/legacy', { type: 'kubernetes.io/service-account-token' }),
      metadata: { namespace: 'shop', name: 'legacy', annotations: { 'kubernetes.io/service-account.name': 'web' } },
    };
    await objects.put(legacy);
    let token = '';
    await eventually('a legacy token', async () => {
      const { data } = (await objects.get(legacy)) as { readonly data?: Readonly<Record<string, string>> };
      token = Buffer.from(data?.['token'] ?? '', 'base64').toString();
      return token !== '';
    });
    expect(await nameFor(token)).toBe(UNAUTHENTICATED);
  });

  test('a token that was tampered with, or is of another cluster, gets nothing', async () => {
    const { nameFor } = await start();
    const [head, body = '', signature = ''] = (await tokenOf('shop/web')).split('.');
    const claims = Buffer.from(body, 'base64url').toString().replaceAll('shop', 'bank');
    expect(await nameFor(`${head}.${Buffer.from(claims).toString('base64url')}.${signature}`)).toBe(UNAUTHENTICATED);
    const none = Buffer.from('{"alg":"none"}').toString('base64url');
    expect(await nameFor(`${none}.${body}.${signature}`)).toBe(UNAUTHENTICATED);
    expect(await nameFor(`${head}.${body}.${signature.split('').reverse().join('')}`)).toBe(UNAUTHENTICATED);
  });

  test('a token dies with its pod, and with its account', async () => {
    const { nameFor } = await start();
    const ofPod = await tokenOf('shop/web', { pod: 'web-2' });
    const ofAccount = await tokenOf('shop/gone');
    await server().call('DELETE', '/api/v1/namespaces/shop/pods/web-2', { gracePeriodSeconds: 0 });
    await objects.delete(account('shop/gone'));
    await eventually('both are gone', async () => {
      return (await nameFor(ofPod)) === UNAUTHENTICATED && (await nameFor(ofAccount)) === UNAUTHENTICATED;
    });
  });

  test('a token that has expired is not even shown to the API server', async () => {
    const token = await tokenOf('shop/web');
    const late = { ...systemClock, now: () => Date.now() + 700_000 };
    const tokens = new TokenReviews({ kube: admin, audiences: ['istio-ca'], clock: late });
    const authenticator = new Authenticator({ trustDomains: () => ['cluster.local'], tokens, clock: late });
    const credentials = { transport: 'tls', certificate: undefined, authorization: [`Bearer ${token}`] } as const;
    expect(await authenticator.authenticate(credentials)).toEqual({ kind: 'unknown', reason: 'the token has expired' });
  });

  test('a proxy of a node gets certificates of the pods there, by a token that says where it is', async () => {
    const { xebec, nameFor } = await start();
    const token = await tokenOf('istio-system/ztunnel', { pod: 'ztunnel-a' });
    const web = 'spiffe://cluster.local/ns/shop/sa/web';
    await eventually('pods are known', () => xebec.xebec.galley.snapshot()?.objects.Pod.length !== 0);
    expect(await nameFor(token, web)).toBe(`URI:${web}`);
    expect(await nameFor(token, 'spiffe://cluster.local/ns/bank/sa/teller')).toBe(DENIED);
    expect(await nameFor(token, 'spiffe://cluster.local/ns/shop/sa/job')).toBe(DENIED);
    expect(await nameFor(await tokenOf('istio-system/ztunnel'), web)).toBe(DENIED);
    expect(await nameFor(await tokenOf('shop/web', { pod: 'web-1' }), web)).toBe(DENIED);
  });
});
