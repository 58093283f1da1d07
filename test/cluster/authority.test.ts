// The authority of the mesh in Secrets of a real API server: replicas that start together, lose it, rotate it, and are given another.
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'vitest';
import { textOf } from '../../src/citadel/authority/files.ts';
import { party, pluggedFiles } from '../../src/citadel/testing/pki.ts';
import { asRecord, textIn } from '../../src/kube/json.ts';
import type { Manifest } from '../feature/pilot/support/manifests.ts';
import { apiServerOfFile } from './api-server-of-file.ts';
import { connectAs, eventually } from './kube-copy.ts';
import { AuthorityReplica, type AuthorityState, ShiftedClock } from './support/authority-replica.ts';
import { InProcess } from './support/in-process.ts';
import { Objects } from './support/objects.ts';

const DAY_MS = 86_400_000;
const server = apiServerOfFile();
const ends: (() => Promise<void> | void)[] = [];
let objects: Objects;
let namespace = '';
let count = 0;

beforeAll(async () => {
  objects = new Objects(await connectAs(server().kubeconfig, { atEnd: (end) => void ends.push(end) }));
});

afterAll(async () => {
  for (const end of ends) await end();
});

beforeEach(async () => {
  count += 1;
  namespace = `mesh-${count}`;
  await server().call('POST', '/api/v1/namespaces', { metadata: { name: namespace } });
});

function secret(
  name: string,
  files: Readonly<Record<string, string>>,
  annotations: Readonly<Record<string, string>> = {},
): Manifest {
  const data = Object.entries(files).map(([key, text]) => [key, Buffer.from(text).toString('base64')]);
  return {
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name, namespace, annotations },
    type: name === 'cacerts' ? 'Opaque' : 'istio.io/ca-root',
    data: Object.fromEntries(data) as Readonly<Record<string, string>>,
  };
}

async function filesOf(name: string): Promise<Readonly<Record<string, string>>> {
  const data = asRecord((await objects.get(secret(name, {})))['data']);
  return Object.fromEntries(Object.keys(data).map((key) => [key, Buffer.from(textIn(data, key), 'base64').toString()]));
}

async function isThere(name: string): Promise<boolean> {
  const reply = await server().call('GET', `/api/v1/namespaces/${namespace}/secrets/${name}`);
  return reply.status === 200;
}

async function start(
  inputs: { readonly clock?: ShiftedClock; readonly leads?: boolean; readonly kubeconfig?: string } = {},
) {
  return await AuthorityReplica.start({ kubeconfig: server().kubeconfig, namespace, ...inputs });
}

/** A replica that signs. */
async function signing(inputs: Parameters<typeof start>[0] = {}): Promise<AuthorityReplica> {
  const replica = await start(inputs);
  await eventually('signing', () => replica.state !== undefined);
  return replica;
}

async function agree(
  replicas: readonly AuthorityReplica[],
  what: string,
  isTrue: (state: AuthorityState) => boolean,
): Promise<AuthorityState> {
  await eventually(what, () => replicas.every(({ state }) => state !== undefined && isTrue(state)));
  const [first, ...rest] = replicas.map(({ state }) => state);
  if (first === undefined) throw new Error('somebody signs');
  expect(rest).toEqual(rest.map(() => first));
  return first;
}

describe('a mesh without a root', () => {
  test('gets one, however many replicas start together, and each of them signs with it', async () => {
    const replicas = await Promise.all([start(), start({ leads: false }), start({ leads: false })]);
    await agree(replicas, 'all sign', () => true);
    expect(replicas.reduce((sum, replica) => sum + replica.count('root made'), 0)).toBe(1);
    const stored = await objects.get(secret('istio-ca-secret', {}));
    expect(stored['type']).toBe('istio.io/ca-root');
    expect(Object.keys(asRecord(stored['data'])).sort()).toEqual([
      'ca-cert.pem',
      'ca-key.pem',
      'cert-chain.pem',
      'key.pem',
      'root-cert.pem',
    ]);
  });

  test('gets one of a whole xebec', async () => {
    await server().applyCrds();
    const xebec = await InProcess.start({
      kubeconfig: server().kubeconfig,
      config: { namespace, controllers: ['citadel'] },
    });
    await eventually('signing', () => xebec.xebec.citadel?.issuer.current() !== undefined);
    const { signer, trustDomain } = xebec.xebec.citadel?.issuer.current() ?? {};
    expect(trustDomain).toBe('cluster.local');
    expect((await filesOf('istio-ca-secret'))['ca-cert.pem']).toBe(signer?.certificate);
    expect(xebec.xebec.citadel?.problem()).toBeUndefined();
  });
});

describe('a root that is lost', () => {
  test('by being deleted while it signs is put back', async () => {
    const replicas = [await signing(), await signing({ leads: false })];
    const before = await filesOf('istio-ca-secret');
    const issuers = replicas.map(({ authority }) => authority.current());
    await objects.delete(secret('istio-ca-secret', {}));
    await eventually('put back', () => isThere('istio-ca-secret'));
    expect(await filesOf('istio-ca-secret')).toEqual(before);
    await eventually('in order', () => replicas.every(({ problem }) => problem === ''));
    expect(replicas.map(({ authority }) => authority.current())).toEqual(issuers);
  });

  test('by being cut off signs on, stays as it is for a while, and then is put back', async () => {
    const clock = new ShiftedClock();
    const replica = await signing({ clock });
    const before = await filesOf('istio-ca-secret');
    const issuer = replica.authority.current();
    await objects.store(
      secret('istio-ca-secret', { ...before, 'ca-key.pem': before['ca-key.pem']?.slice(0, 60) ?? '' }),
    );
    await eventually('told', () => replica.problem.includes('ca-key.pem cannot be read'));
    expect(replica.authority.current()).toBe(issuer);
    const late = await start({ clock, leads: false });
    await eventually('told', () => late.problem.includes('ca-key.pem cannot be read'));
    expect(late.state).toBeUndefined();
    clock.shiftMs += 60_000;
    await eventually('in order', () => replica.problem === '' && late.problem === '');
    expect(await filesOf('istio-ca-secret')).toEqual(before);
    expect(late.state).toEqual(replica.state);
  });

  test('by being replaced signs on, and what was put there is left to who put it', async () => {
    const replica = await signing();
    const before = await filesOf('istio-ca-secret');
    const { state } = replica;
    const foreign = secret('istio-ca-secret', pluggedFiles(party('foreign', Date.now()), [], []));
    await objects.store(foreign);
    await eventually('told', () => replica.problem.includes('its roots are not what the mesh trusts'));
    expect(replica.state).toEqual(state);
    expect(replica.count('authority is degraded')).toBe(1);
    await objects.store(secret('istio-ca-secret', before));
    await eventually('in order', () => replica.problem === '');
    expect(replica.state).toEqual(state);
  });

  test('before the start is not made anew where workloads trust it, until a person says so', async () => {
    const former = party('former', Date.now());
    const workload: Manifest = {
      ...secret('istio.default', { 'root-cert.pem': former.certificate, 'cert-chain.pem': '', 'key.pem': '' }),
      type: 'istio.io/key-and-cert',
    };
    await objects.store(workload);
    try {
      const replica = await start();
      await eventually('told', () => replica.problem.includes('CN=former'));
      expect(replica.problem).toContain('restore the Secret from your copy');
      expect([replica.state, await isThere('istio-ca-secret')]).toEqual([undefined, false]);
      await objects.store(secret('istio-ca-secret', {}, { 'ca.xebec.dev/accept-root': 'true' }));
      await eventually('signing', () => replica.state !== undefined);
      // Whoever may write Secrets of a namespace could have written that root.
      expect(replica.state?.roots).toEqual([replica.state?.signer]);
      const written = await objects.get(secret('istio-ca-secret', {}));
      expect(asRecord(asRecord(written['metadata'])['annotations'])).toEqual({});
    } finally {
      await objects.delete(workload);
    }
  });

  test('before the start is not made anew where the ConfigMap of roots is left, and what is restored signs', async () => {
    const former = party('former', Date.now());
    await objects.put({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'istio-ca-root-cert', namespace },
      data: { 'root-cert.pem': former.certificate },
    });
    const replica = await start();
    await eventually('told', () => replica.problem.includes('the ConfigMap istio-ca-root-cert'));
    expect(await isThere('istio-ca-secret')).toBe(false);
    await objects.store(secret('istio-ca-secret', { 'ca-cert.pem': former.certificate, 'ca-key.pem': former.key }));
    await eventually('signing', () => replica.problem === '' && replica.state !== undefined);
    expect(replica.authority.current()?.signer.certificate).toBe(former.certificate);
  });

  test('for good is followed by a new one when a person says so, and what we had published stays trusted', async () => {
    const former = party('former', Date.now());
    await objects.put({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { name: 'istio-ca-root-cert', namespace },
      data: { 'root-cert.pem': former.certificate },
    });
    await objects.store(secret('istio-ca-secret', {}, { 'ca.xebec.dev/accept-root': 'true' }));
    const replica = await signing();
    expect(replica.state?.roots).toHaveLength(2);
    expect(textOf(await filesOf('istio-ca-secret'), 'roots')).toContain(former.certificate);
  });
});

test('a root is restored from a copy as docs/certificates.md says', async () => {
  const replica = await signing();
  const { state } = replica;
  const kubectl = async (args: readonly string[], stdin?: string): Promise<string> => {
    const { status, stdout, stderr } = await server().kubectl([...args, '-n', namespace], stdin);
    if (status !== 0) throw new Error(stderr);
    return stdout;
  };
  const yaml = await kubectl(['get', 'secret', 'istio-ca-secret', '-o', 'yaml']);
  const copy = yaml.replace(/^ {2}(creationTimestamp|resourceVersion|uid):.*\n/gm, '');
  await objects.put({
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: { name: 'istio-ca-root-cert', namespace },
    data: { 'root-cert.pem': replica.authority.current()?.roots ?? '' },
  });
  await replica.stop();
  await kubectl(['delete', 'secret', 'istio-ca-secret']);
  const restarted = await start();
  await eventually('told', () => restarted.problem.includes('restore the Secret from your copy'));
  expect(restarted.state).toBeUndefined();
  await kubectl(['apply', '-f', '-'], copy);
  await eventually('signing', () => restarted.state !== undefined);
  expect([restarted.state, restarted.problem]).toEqual([state, '']);
});

test('a root is rotated in three phases, by whoever leads at the time', async () => {
  const clock = new ShiftedClock();
  const [one, two] = [await signing({ clock }), await signing({ clock, leads: false })];
  const first = await agree([one, two], 'both sign', () => true);
  await objects.put({
    apiVersion: 'v1',
    kind: 'Secret',
    metadata: { name: 'istio-ca-secret', namespace, annotations: { 'ca.xebec.dev/rotate': 'monday' } },
  });
  const announced = await agree([one, two], 'announced', ({ roots }) => roots.length === 2);
  expect(announced.signer).toBe(first.signer);

  await one.stop();
  two.leads = true;
  const three = await signing({ clock, leads: false });
  expect(three.state).toEqual(announced);
  clock.shiftMs += 1.1 * DAY_MS;
  const switched = await agree([two, three], 'switched', ({ signer }) => signer !== first.signer);
  expect(switched.roots).toEqual(announced.roots);

  await two.stop();
  three.leads = true;
  clock.shiftMs += 91 * DAY_MS;
  const retired = await agree([three], 'retired', ({ roots }) => roots.length === 1);
  expect(retired).toEqual({ signer: switched.signer, roots: [switched.signer] });
  const files = await filesOf('istio-ca-secret');
  expect([files['root-cert.pem'], files['next-ca-key.pem']]).toEqual(['', undefined]);
  expect(three.problem).toBe('');
});

test('a plugged in authority comes when it trusts the root from before, and is followed each time it changes', async () => {
  const clock = new ShiftedClock();
  const replica = await signing({ clock });
  const own = replica.state?.signer ?? '';
  const ownRoot = (await filesOf('istio-ca-secret'))['ca-cert.pem'] ?? '';
  const root = party('root', Date.now());
  const signer = party('signer', Date.now(), root);
  const files = pluggedFiles(signer, [root], [root]);
  await objects.store(secret('cacerts', files));
  await eventually('told', () => replica.problem.includes('cacerts'));
  expect(replica.state).toEqual({ signer: own, roots: [own] });
  const both = root.certificate + ownRoot;
  await objects.store(secret('cacerts', { ...files, 'root-cert.pem': both }));
  await eventually('announced', () => replica.state?.roots.length === 2 && replica.problem === '');
  expect(replica.state?.signer).toBe(own);
  clock.shiftMs += 1.1 * DAY_MS;
  await eventually('signing', () => replica.authority.current()?.signer.certificate === signer.certificate);
  for (const name of ['second', 'third']) {
    const next = party(name, Date.now(), root);
    await objects.store(secret('cacerts', { ...pluggedFiles(next, [], [root]), 'root-cert.pem': both }));
    await eventually(name, () => replica.authority.current()?.signer.certificate === next.certificate);
  }
  expect(replica.problem).toBe('');
});

describe('a right that is missing', () => {
  /** Of what a replica needs, without some verbs of one rule. */
  async function account(without: readonly string[]): Promise<string> {
    const verbs = ['get', 'list', 'watch', 'create', 'update'].filter((verb) => !without.includes(verb));
    const name = 'xebec';
    const subjects = [{ kind: 'ServiceAccount', name, namespace }];
    const role = (kind: string, rules: readonly object[]): Manifest => ({
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind,
      metadata: kind === 'Role' ? { name: 'xebec', namespace } : { name: `${namespace}-xebec` },
      rules,
    });
    const binding = (kind: 'Role' | 'ClusterRole'): Manifest => ({
      apiVersion: 'rbac.authorization.k8s.io/v1',
      kind: `${kind}Binding`,
      metadata: kind === 'Role' ? { name: 'xebec', namespace } : { name: `${namespace}-xebec` },
      subjects,
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind, name: kind === 'Role' ? 'xebec' : `${namespace}-xebec` },
    });
    const token = await server().tokenFor(`${namespace}/${name}`);
    const listing = without.includes('list-all') ? [] : [{ apiGroups: [''], resources: ['secrets'], verbs: ['list'] }];
    for (const manifest of [
      role('Role', [{ apiGroups: [''], resources: ['secrets', 'configmaps'], verbs }]),
      role('ClusterRole', listing),
      binding('Role'),
      binding('ClusterRole'),
    ])
      await objects.store(manifest);
    return server().tokenKubeconfig(token);
  }

  test.each([
    ['get', "allow xebec's service account to get the Secret"],
    ['create', "allow xebec's service account to create the Secret istio-ca-secret in the namespace"],
    ['list-all', "allow xebec's service account to list Secrets"],
  ])('to %s is said clearly, once, and given it helps at once', async (verb, remedy) => {
    const replica = await start({ kubeconfig: await account([verb]) });
    await eventually('told', () => replica.problem.includes(remedy));
    expect(replica.state).toBeUndefined();
    expect(await isThere('istio-ca-secret')).toBe(false);
    await account([]);
    await eventually('signing', () => replica.state !== undefined && replica.problem === '');
  });

  test('to update is said when there is something to update', async () => {
    const replica = await signing({ kubeconfig: await account(['update']) });
    expect(replica.problem).toBe('');
    await objects.put({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'istio-ca-secret', namespace, annotations: { 'ca.xebec.dev/rotate': 'now' } },
    });
    await eventually('told', () => replica.problem.includes('to update the Secret istio-ca-secret'));
    expect(replica.state?.roots).toHaveLength(1);
    await account([]);
    await eventually('announced', () => replica.state?.roots.length === 2 && replica.problem === '');
  });

  test('to watch makes it slower, and nothing else', async () => {
    const replica = await signing({ kubeconfig: await account(['watch']) });
    await objects.put({
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'istio-ca-secret', namespace, annotations: { 'ca.xebec.dev/rotate': 'now' } },
    });
    await eventually('announced', () => replica.state?.roots.length === 2);
    expect(replica.problem).toBe('');
  });
});
