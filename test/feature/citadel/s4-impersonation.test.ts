import { X509Certificate } from 'node:crypto';
import { expect, test } from 'vitest';
import { requestOf, requestPem } from '../../../src/citadel/testing/hostile.ts';
import { RpcStatusCode } from '../../../src/rpc/status.ts';
import { ask, bearer, CsrWorld } from './support/csr-world.ts';

const { OK, PERMISSION_DENIED } = RpcStatusCode;
const csr = requestPem(requestOf());
const spiffe = (account: string, domain = 'cluster.local'): string => {
  const [namespace, name] = account.split('/');
  return `spiffe://${domain}/ns/${namespace}/sa/${name}`;
};

/** Two nodes: `a` with shop/web and shop/job, `b` with bank/teller and shop/web too. The proxies of nodes are istio-system/ztunnel. */
const pods = [
  { node: 'a', namespace: 'shop', serviceAccount: 'web' },
  { node: 'a', namespace: 'shop', serviceAccount: 'job' },
  { node: 'a', namespace: 'istio-system', serviceAccount: 'ztunnel' },
  { node: 'b', namespace: 'bank', serviceAccount: 'teller' },
  { node: 'b', namespace: 'shop', serviceAccount: 'web' },
  { node: 'b', namespace: 'istio-system', serviceAccount: 'ztunnel' },
  // Not scheduled yet.
  { node: '', namespace: 'shop', serviceAccount: 'pending' },
];

type Case = readonly [caller: string, node: string | undefined, wanted: string, code: number];

const ztunnel = 'istio-system/ztunnel';
const cases: readonly Case[] = [
  [ztunnel, 'a', spiffe('shop/web'), OK],
  [ztunnel, 'a', spiffe('shop/job'), OK],
  [ztunnel, 'b', spiffe('shop/web'), OK],
  [ztunnel, 'b', spiffe('bank/teller'), OK],
  [ztunnel, 'a', spiffe(ztunnel), OK],
  [ztunnel, 'a', spiffe('bank/teller'), PERMISSION_DENIED],
  [ztunnel, 'b', spiffe('shop/job'), PERMISSION_DENIED],
  [ztunnel, 'c', spiffe('shop/web'), PERMISSION_DENIED],
  [ztunnel, undefined, spiffe('shop/web'), PERMISSION_DENIED],
  [ztunnel, '', spiffe('shop/web'), PERMISSION_DENIED],
  [ztunnel, '', spiffe('shop/pending'), PERMISSION_DENIED],
  [ztunnel, 'a', spiffe('shop/pending'), PERMISSION_DENIED],
  [ztunnel, 'a', spiffe('kube-system/admin'), PERMISSION_DENIED],
  [ztunnel, 'a', spiffe('shop/web', 'elsewhere'), PERMISSION_DENIED],
  [ztunnel, 'a', 'shop/web', PERMISSION_DENIED],
  [ztunnel, 'a', '', PERMISSION_DENIED],
  [ztunnel, 'a', `${spiffe('shop/web')}/more`, PERMISSION_DENIED],
  [ztunnel, 'a', `${spiffe('shop/web')}?x`, PERMISSION_DENIED],
  [ztunnel, 'a', spiffe('shop/web').toUpperCase(), PERMISSION_DENIED],
  ['shop/web', 'a', spiffe('shop/web'), PERMISSION_DENIED],
  ['shop/web', 'a', spiffe('shop/job'), PERMISSION_DENIED],
  ['shop/ztunnel', 'a', spiffe('shop/web'), PERMISSION_DENIED],
  ['istio-system/default', 'a', spiffe('shop/web'), PERMISSION_DENIED],
  ['istio-system/ztunnel-x', 'a', spiffe('shop/web'), PERMISSION_DENIED],
];

test('S4: of 24 who ask for another’s certificate, only proxies of nodes get them, and of pods of their node', async () => {
  const world = await CsrWorld.start({ trustedAccounts: [ztunnel], pods });
  expect(cases).toHaveLength(24);
  for (const [caller, node, wanted, code] of cases) {
    const token = world.token(caller, node === undefined ? {} : { node });
    const metadata = { fields: { ImpersonatedIdentity: { stringValue: wanted } } };
    const { chain, status } = await ask(world.client(), { csr, metadata }, bearer(token));
    const names = chain.slice(0, 1).map((pem) => new X509Certificate(pem).subjectAltName);
    expect([caller, node, wanted, status.code, names]).toEqual([
      caller,
      node,
      wanted,
      code,
      code === OK ? [`URI:${wanted}`] : [],
    ]);
  }
  const denied = cases.filter(([, , , code]) => code === PERMISSION_DENIED).length;
  expect(await world.metric('citadel_server_id_extraction_err_count')).toBe(denied);
});

test('S4: a certificate does not say on which node its owner is, so it impersonates nobody', async () => {
  const world = await CsrWorld.start({ trustedAccounts: [ztunnel], pods });
  const metadata = { fields: { ImpersonatedIdentity: { stringValue: spiffe('shop/web') } } };
  const { status } = await ask(world.client(world.pair(ztunnel)), { csr, metadata });
  expect(status.code).toBe(PERMISSION_DENIED);
});
