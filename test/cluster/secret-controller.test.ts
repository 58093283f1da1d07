// Who gives identities, with the rights that the chart grants, on a real API server with its garbage collector.
import { X509Certificate } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { testIssuer } from '../../src/citadel/testing/issuers.ts';
import type { KubeApi } from '../../src/kube/api.ts';
import { asRecord, textIn } from '../../src/kube/json.ts';
import { eventually } from './kube-copy.ts';
import { renderChart } from './support/chart.ts';
import {
  accounts,
  bundle,
  configMaps,
  demand,
  fileIn,
  forever,
  isGood,
  namespaces,
  otherRoot,
  root,
  secrets,
  useIdentityCluster,
} from './support/identity-cluster.ts';
import { Objects } from './support/objects.ts';

const shop = useIdentityCluster();

test('an account has its identity as long as it lives, and what is done to its Secret is undone', async () => {
  const { namespace } = shop();
  const replica = await shop().lead();
  await shop().makeAccounts('web');
  const first = await shop().good('web');
  expect(first).toMatchObject({ type: 'istio.io/key-and-cert' });
  expect(new X509Certificate(fileIn(first, 'cert-chain.pem')).subjectAltName).toBe(
    `URI:spiffe://cluster.local/ns/${namespace}/sa/web`,
  );
  // Kubernetes makes one itself.
  await shop().good('default');
  const key = fileIn(first, 'key.pem');

  await shop().remove(secrets, 'istio.web');
  await eventually('restored', async () => isGood(await shop().secretOf('web')));
  expect(await shop().fileOf('web', 'key.pem')).not.toBe(key);
  await shop().edit(secrets, 'istio.web', (secret) => ({
    ...secret,
    data: { ...asRecord(secret['data']), 'key.pem': 'bm9uc2Vuc2U=' },
  }));
  await eventually('with its key', async () => (await shop().fileOf('web', 'key.pem')).includes('PRIVATE KEY'));
  const kept = await shop().fileOf('web', 'key.pem');
  await shop().edit(secrets, 'istio.web', (secret) => ({
    ...secret,
    data: { ...asRecord(secret['data']), 'root-cert.pem': 'bm9uc2Vuc2U=' },
  }));
  await eventually('with its roots', async () => (await shop().fileOf('web', 'root-cert.pem')) === root.certificate);
  expect(await shop().fileOf('web', 'key.pem')).toBe(kept);

  await shop().edit(secrets, 'istio.web', (secret) => ({ ...secret, immutable: true }));
  await eventually('mutable', async () => {
    const secret = await shop().secretOf('web');
    return secret !== undefined && secret['immutable'] !== true;
  });
  expect(await shop().fileOf('web', 'key.pem')).toBe(kept);
  await eventually('told', async () => (await shop().eventsOf('web')).includes('IdentitySecretReplaced'));

  await shop().remove(accounts, 'web');
  await eventually('gone', async () => (await shop().secretOf('web')) === undefined);
  expect(replica.errors()).toEqual([]);
});

test('accounts that come again get another key, and an account that goes while nobody leads loses its Secret later', async () => {
  const { namespace } = shop();
  const replica = await shop().lead();
  await shop().makeAccounts('web', 'gone');
  const before = fileIn(await shop().good('web'), 'key.pem');
  await shop().good('gone');
  await replica.stop();
  for (const name of ['web', 'gone']) await demand(shop().api.delete(accounts, { namespace, name }, forever));
  await shop().makeAccounts('web');
  await shop().lead('two');
  await eventually('another key', async () => ![before, ''].includes(await shop().fileOf('web', 'key.pem')));
  await eventually('gone', async () => (await shop().secretOf('gone')) === undefined);
});

test('labels of a namespace decide, and what is there stays when they change', async () => {
  const closed = shop().namespace;
  const open = await shop().makeNamespace();
  await shop().relabel({ 'ca.istio.io/override': 'false' });
  await shop().lead();
  await shop().makeAccounts('web');
  shop().namespace = open;
  await shop().makeAccounts('web');
  await shop().good('web');
  shop().namespace = closed;
  expect(await shop().secretOf('web')).toBeUndefined();
  await shop().relabel({ 'ca.istio.io/override': 'true' });
  const made = await shop().good('web');
  await shop().relabel({ 'ca.istio.io/override': 'false' });
  await shop().setFile('web', 'root-cert.pem', 'nonsense');
  shop().namespace = open;
  await shop().makeAccounts('later');
  await shop().good('later');
  shop().namespace = closed;
  expect(await shop().fileOf('web', 'root-cert.pem')).toBe('nonsense');
  expect(await shop().fileOf('web', 'key.pem')).toBe(fileIn(made, 'key.pem'));
});

test('the roots are told to every namespace but those of Kubernetes, and told again when they are changed', async () => {
  const { namespace } = shop();
  const replica = await shop().lead();
  await eventually('told', async () => (await shop().rootIn()) === root.certificate);
  await shop().edit(configMaps, 'istio-ca-root-cert', (map) => ({
    ...map,
    data: { 'root-cert.pem': 'nonsense', more: 'mine' },
  }));
  await eventually('put right', async () => (await shop().rootIn()) === root.certificate);
  const map = await demand(shop().api.get(configMaps, { namespace, name: 'istio-ca-root-cert' }, forever));
  expect(map).toMatchObject({ data: { more: 'mine' }, metadata: { labels: { 'istio.io/config': 'true' } } });
  await shop().remove(configMaps, 'istio-ca-root-cert');
  await eventually('restored', async () => (await shop().rootIn()) === root.certificate);
  await shop().edit(configMaps, 'istio-ca-root-cert', (object) => ({ ...object, immutable: true }));
  shop().issuers.use(testIssuer(root, { roots: bundle }));
  await eventually('made anew', async () => (await shop().rootIn()) === bundle);
  await eventually('in ours', async () => (await shop().rootIn('istio-system')) === bundle);
  const classic = await demand(
    shop().api.get(configMaps, { namespace: 'istio-system', name: 'istio-security' }, forever),
  );
  expect(Buffer.from(textIn(asRecord(classic['data']), 'caTLSRootCert'), 'base64').toString()).toBe(bundle);
  for (const place of ['kube-public', 'kube-node-lease', 'kube-system'])
    expect(await shop().rootIn(place)).not.toContain('BEGIN');
  expect(replica.errors()).toEqual([]);
});

test('a namespace that goes makes no trouble', async () => {
  const { namespace } = shop();
  const replica = await shop().lead();
  await shop().makeAccounts('web', 'bank');
  await shop().good('bank');
  await demand(shop().api.delete(namespaces, { namespace: '', name: namespace }, forever));
  await eventually(
    'gone',
    async () => !(await shop().api.get(namespaces, { namespace: '', name: namespace }, forever)).ok,
  );
  expect(replica.log.filter((line) => line.includes(namespace) && /"level":(40|50)/.test(line))).toEqual([]);
});

test('two replicas never both write: the second begins when the first ends, and has nothing to do', async () => {
  const { namespace } = shop();
  const first = await shop().lead('one');
  await shop().makeAccounts('web', 'bank');
  await shop().good('web');
  await shop().good('bank');
  const second = await shop().lead('two');
  await shop().remove(secrets, 'istio.web');
  await shop().good('web');
  expect(second.writes).toEqual([]);
  await eventually('the roots are told', async () => (await shop().rootIn()) === root.certificate);
  const written = first.writes.length;
  await first.stop();
  await eventually('two leads', () => second.elector.isLeader);
  await shop().remove(secrets, 'istio.bank');
  await shop().good('bank');
  expect(second.writes).toEqual([`create ${namespace}/istio.bank`]);
  expect(first.writes).toHaveLength(written);
});

test('R12: what a leader sends too late is refused, and the other’s stays', async () => {
  let letGo: () => void = () => undefined;
  const held = new Promise<void>((resolve) => {
    letGo = resolve;
  });
  const late: string[] = [];
  const first = await shop().lead('one', {
    through: (own) => ({
      ...bound(own),
      // On its way for so long that another leads when it arrives.
      update: async (type, object) => {
        await held;
        const result = await own.update(type, object, forever);
        late.push(result.ok ? 'taken' : result.error.reason);
        return result;
      },
    }),
  });
  await shop().makeAccounts('web');
  await shop().good('web');
  shop().issuers.use(testIssuer(otherRoot, { roots: bundle }));
  await eventually('on its way', async () => (await shop().secretOf('web')) !== undefined);
  await sleep(500);
  const ended = first.stop();
  const second = await shop().lead('two');
  await eventually('renewed by the other', async () => isGood(await shop().secretOf('web'), otherRoot));
  const renewed = await shop().fileOf('web', 'key.pem');
  letGo();
  await ended;
  expect(new Set(late)).toEqual(new Set(['conflict']));
  expect(await shop().fileOf('web', 'key.pem')).toBe(renewed);
  expect(second.errors()).toEqual([]);
});

test('only the namespaces that are listened to, with rights in them alone', async () => {
  const { namespace } = shop();
  const other = await shop().makeNamespace();
  const values = [`citadel.namespaces={${namespace}}`, 'fullnameOverride=narrow'];
  await new Objects(shop().api).put(
    ...(await renderChart({ release: 'narrow', files: ['rbac.yaml', 'state.yaml'], values })),
  );
  const narrow = shop().server.tokenKubeconfig(await shop().server.tokenFor('istio-system/narrow'));
  // Its Lease has another name; that of the others is not its own.
  await new Objects(shop().api).put(...(await renderChart({ release: 'xebec', files: ['state.yaml'] })));
  const allowLease = {
    apiVersion: 'rbac.authorization.k8s.io/v1',
    kind: 'RoleBinding',
    metadata: { namespace: 'istio-system', name: 'narrow-lease' },
    roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name: 'xebec' },
    subjects: [{ kind: 'ServiceAccount', name: 'narrow', namespace: 'istio-system' }],
  };
  await new Objects(shop().api).put(allowLease);
  const replica = await shop().lead('narrow', { kubeconfig: narrow, rules: { listened: [namespace] } });
  await shop().makeAccounts('web');
  await shop().good('web');
  await eventually('the roots', async () => (await shop().rootIn()) === root.certificate);
  expect(await shop().rootIn(other)).toBe('');
  await shop().remove(accounts, 'web');
  await eventually('gone', async () => (await shop().secretOf('web')) === undefined);
  expect(replica.log.filter((line) => /"level":(40|50)/.test(line))).toEqual([]);
});

function bound(own: KubeApi): KubeApi {
  return {
    get: (...args) => own.get(...args),
    list: (...args) => own.list(...args),
    watch: (...args) => own.watch(...args),
    create: (...args) => own.create(...args),
    update: (...args) => own.update(...args),
    apply: (...args) => own.apply(...args),
    patch: (...args) => own.patch(...args),
    delete: (...args) => own.delete(...args),
    getPath: (...args) => own.getPath(...args),
  };
}
