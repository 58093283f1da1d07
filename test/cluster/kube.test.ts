import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { ManualClock } from '../../src/kit/manual-clock.ts';
import { systemClock } from '../../src/kit/system-clock.ts';
import type { KubeObject } from '../../src/kube/api.ts';
import { connectKubeApi } from '../../src/kube/connect.ts';
import { ApiEventRecorder } from '../../src/kube/events.ts';
import { asRecord, resourceVersionOf } from '../../src/kube/json.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';
import { PromMetrics } from '../../src/telemetry/prom-metrics.ts';
import { apiServerOfFile } from './api-server-of-file.ts';
import { holdElection } from './election.ts';
import { connectAs, eventually, keepCopy } from './kube-copy.ts';

const server = apiServerOfFile({ controllers: true });
const never = new AbortController().signal;
const configMaps = { group: '', version: 'v1', plural: 'configmaps' };
const probes = { group: 'test.example', version: 'v1', plural: 'probes' };

const probeDefinition = {
  apiVersion: 'apiextensions.k8s.io/v1',
  kind: 'CustomResourceDefinition',
  metadata: { name: 'probes.test.example' },
  spec: {
    group: 'test.example',
    names: { kind: 'Probe', plural: 'probes' },
    scope: 'Namespaced',
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        subresources: { status: {} },
        schema: {
          openAPIV3Schema: {
            type: 'object',
            properties: {
              spec: { type: 'object', properties: { level: { type: 'integer', maximum: 9 } } },
              status: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true },
            },
          },
        },
      },
    ],
  },
};

async function kubectl(args: readonly string[], stdin?: object): Promise<string> {
  const { status, stdout, stderr } = await server().kubectl(
    args,
    stdin === undefined ? undefined : JSON.stringify(stdin),
  );
  if (status !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`);
  return stdout;
}

async function defineProbes(): Promise<void> {
  await kubectl(['apply', '-f', '-'], probeDefinition);
  await kubectl(['wait', '--for=condition=Established', '--timeout=60s', 'crd/probes.test.example']);
}

/** A namespace of its own for each test. */
async function makeNamespace(name: string): Promise<string> {
  await kubectl(['create', 'namespace', name]);
  return name;
}

async function put(namespace: string, name: string, value = '0'): Promise<void> {
  const metadata = { name, namespace };
  await kubectl(['apply', '-f', '-'], { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { value } });
}

/** The ConfigMaps of a namespace behind a proxy that fails, in time that a test may let go on. */
async function copyBehindProxy(namespace: string, kubeconfigOf?: (url: string) => string) {
  const proxy = await server().flakyProxy();
  const clock = new ManualClock();
  const url = proxy.url;
  const api = await connectAs(kubeconfigOf?.(url) ?? server().userKubeconfig('root', ['system:masters'], url), {
    clock,
  });
  const read = (object: KubeObject): unknown => asRecord(object['data'])['value'];
  const copy = keepCopy({ api, type: configMaps, namespace, read });
  const own = (): Readonly<Record<string, unknown>> =>
    Object.fromEntries([...copy.objects].filter(([name]) => name !== 'kube-root-ca.crt'));
  await eventually('the copy is synced', () => copy.synced.count > 0);
  return { proxy, clock, copy, own };
}

/** Since when, and what of, watches are kept on which little or nothing happens. */
const quiet: { since: number; copies: ReturnType<typeof keepCopy>[] } = { since: 0, copies: [] };
const ends: (() => Promise<void> | void)[] = [];

beforeAll(async () => {
  const atEnd = (end: () => Promise<void> | void): void => void ends.push(end);
  const api = await connectAs(server().kubeconfig, { atEnd });
  for (const plural of ['priorityclasses', 'csidrivers']) {
    const group = plural === 'csidrivers' ? 'storage.k8s.io' : 'scheduling.k8s.io';
    quiet.copies.push(keepCopy({ api, type: { group, version: 'v1', plural }, atEnd }));
  }
  quiet.since = performance.now();
});
afterAll(async () => {
  for (const end of ends.toReversed()) await end();
});

describe('the API', () => {
  test('objects are written, with locks, and refused for the reasons there are', async () => {
    await defineProbes();
    const namespace = await makeNamespace('write');
    const api = await connectAs(server().kubeconfig);
    const name = { namespace, name: 'one' };
    const probe = { apiVersion: 'test.example/v1', kind: 'Probe', metadata: name, spec: { level: 1 } };
    expect(await api.create(probes, probe, never, true)).toMatchObject({ ok: true });
    expect(await api.get(probes, name, never)).toMatchObject({ error: { reason: 'not-found', status: 404 } });
    const created = await api.create(probes, probe, never);
    if (!created.ok) throw new Error(created.error.message);
    expect(await api.create(probes, probe, never)).toMatchObject({ error: { reason: 'already-exists' } });
    expect((await api.update(probes, { ...created.value, spec: { level: 2 } }, never)).ok).toBe(true);
    expect(await api.update(probes, { ...created.value, spec: { level: 3 } }, never)).toMatchObject({
      error: { reason: 'conflict', status: 409 },
    });
    const level = { op: 'replace', path: '/spec/level', value: 4 } as const;
    const lock = { op: 'test', path: '/metadata/resourceVersion', value: resourceVersionOf(created.value) } as const;
    expect(await api.patch(probes, name, [lock, level], never)).toMatchObject({ error: { reason: 'invalid' } });
    expect(await api.patch(probes, name, [level], never)).toMatchObject({ value: { spec: { level: 4 } } });
    const bad = { ...probe, metadata: { namespace, name: 'bad' }, spec: { level: 10 } };
    expect(await api.create(probes, bad, never)).toMatchObject({
      error: { reason: 'invalid', status: 422, message: expect.stringContaining('spec.level') },
    });
    expect(await api.delete(probes, name, never)).toEqual({ ok: true, value: undefined });
    expect(await api.getPath('/version', never)).toMatchObject({ value: { major: '1' } });
  });

  test('an apply owns its fields, also of a status, and takes others only by force', async () => {
    await defineProbes();
    const namespace = await makeNamespace('apply');
    const api = await connectAs(server().kubeconfig);
    const name = { namespace, name: 'one' };
    const probe = { apiVersion: 'test.example/v1', kind: 'Probe', metadata: name };
    const write = { fieldManager: 'xebec', force: false };
    expect((await api.apply(probes, { ...probe, spec: { level: 1 } }, write, never)).ok).toBe(true);
    const status = { ...probe, status: { phase: 'good' } };
    expect((await api.apply(probes, status, { ...write, subresource: 'status' }, never)).ok).toBe(true);
    const other = { ...probe, status: { phase: 'bad' } };
    const asOther = { fieldManager: 'other', force: false, subresource: 'status' } as const;
    expect(await api.apply(probes, other, asOther, never)).toMatchObject({
      error: { reason: 'conflict', message: expect.stringContaining('"xebec"') },
    });
    expect((await api.apply(probes, other, { ...asOther, force: true, dryRun: true }, never)).ok).toBe(true);
    expect(await api.get(probes, name, never)).toMatchObject({
      value: { spec: { level: 1 }, status: { phase: 'good' } },
    });
    expect((await api.apply(probes, other, { ...asOther, force: true }, never)).ok).toBe(true);
    expect(await api.get(probes, name, never)).toMatchObject({ value: { status: { phase: 'bad' } } });
  });

  test('a service account is who it is, by files as a pod has them', async () => {
    const directory = await mkdtemp(join(tmpdir(), 'xebec-account-'));
    onTestFinished(() => rm(directory, { recursive: true, force: true }));
    await writeFile(join(directory, 'token'), await server().tokenFor('default/xebec'));
    await writeFile(join(directory, 'ca.crt'), server().keys.authority.certificate);
    const { port } = new URL(server().url);
    const made = await connectKubeApi({
      access: { kind: 'in-cluster', host: '127.0.0.1', port, directory },
      clock: systemClock,
      log: silentLogger,
      metrics: new PromMetrics(),
      userAgent: 'xebec-test',
    });
    if (!made.ok) throw new Error(made.error);
    onTestFinished(() => made.value.close());
    const reviews = { group: 'authentication.k8s.io', version: 'v1', plural: 'selfsubjectreviews' };
    const review = { apiVersion: 'authentication.k8s.io/v1', kind: 'SelfSubjectReview' };
    expect(await made.value.create(reviews, review, never)).toMatchObject({
      value: { status: { userInfo: { username: 'system:serviceaccount:default:xebec' } } },
    });
    await writeFile(join(directory, 'token'), 'nobody');
    // The copy is a minute old at most; a server that refuses it is asked once more with what is there now.
    const other = await connectKubeApi({
      access: { kind: 'in-cluster', host: '127.0.0.1', port, directory },
      clock: systemClock,
      log: silentLogger,
      metrics: new PromMetrics(),
      userAgent: 'xebec-test',
    });
    if (!other.ok) throw new Error(other.error);
    onTestFinished(() => other.value.close());
    expect(await other.value.getPath('/version', never)).toMatchObject({ error: { reason: 'unauthorized' } });
    await writeFile(join(directory, 'token'), await server().tokenFor('default/xebec'));
    expect((await other.value.create(reviews, review, never)).ok).toBe(true);
  });

  test('Events are where kubectl looks for them, once, with their count', async () => {
    const namespace = await makeNamespace('events');
    const api = await connectAs(server().kubeconfig);
    const clock = new ManualClock(Date.now());
    const deps = { api, clock, log: silentLogger, metrics: new PromMetrics() };
    const recorder = new ApiEventRecorder(deps, { controller: 'xebec.dev/control-plane', instance: 'xebec-0' });
    const stop = new AbortController();
    const running = recorder.run(stop.signal);
    onTestFinished(async () => {
      stop.abort();
      await running;
    });
    const subject = { apiVersion: 'v1', kind: 'ConfigMap', namespace, name: 'one', uid: undefined };
    const note = { type: 'Warning', reason: 'Refused', message: 'by 1 of 12 proxies', action: 'Program' } as const;
    const seen = async (): Promise<string> =>
      await kubectl(['get', 'events', '-n', namespace, '--no-headers', '-o', 'wide']);
    recorder.record(subject, note);
    await eventually('the event is there', async () => (await seen()).includes('by 1 of 12 proxies'));
    await eventually('the recorder rests', () => clock.sleeping === 1);
    for (let count = 0; count < 20; count += 1) recorder.record(subject, note);
    await clock.advance(600_000);
    await eventually('the repeats are counted', async () => / 21 /.test(await seen()));
    expect((await seen()).trim().split('\n')).toEqual([
      expect.stringMatching(/Warning +Refused +configmap\/one .*by 1 of 12 proxies/),
    ]);
    recorder.record({ ...subject, kind: 'Namespace', namespace: '', name: namespace }, note);
    const inDefault = async (): Promise<string> => await kubectl(['get', 'events', '-n', 'default']);
    await eventually('events of namespaces are in default', async () =>
      (await inDefault()).includes(`namespace/${namespace}`),
    );
  });
});

test('however leaders are frozen, cut off, killed and ended: another leads, and never do two', async () => {
  const election = await holdElection(server(), 3);
  const faults = ['freeze', 'kill', 'stall', 'end', 'freeze', 'cut off', 'freeze', 'kill'] as const;
  for (const fault of faults) {
    const { leader } = election;
    const proxy = election.proxies.get(leader);
    if (fault === 'freeze') election.signal(leader, 'SIGSTOP');
    else if (fault === 'stall') proxy?.stall();
    else if (fault === 'cut off') proxy?.refuse();
    else election.signal(leader, fault === 'kill' ? 'SIGKILL' : 'SIGTERM');
    await eventually(`another leads after: ${fault}`, () => election.leader !== leader);
    if (fault === 'freeze') election.signal(leader, 'SIGCONT');
    else if (fault === 'stall' || fault === 'cut off') proxy?.resume();
    else await election.join();
    // Whoever came back has time to do what it must not.
    const before = election.terms.length;
    await eventually('the leader goes on', () => {
      const last = election.terms.at(-1);
      return last !== undefined && last.last - last.first > 500_000_000n;
    });
    expect(election.overlaps).toEqual([]);
    expect(election.terms.length).toBeGreaterThanOrEqual(before);
  }
  expect(election.terms.length).toBeGreaterThan(faults.length);
  const { stdout } = await server().kubectl(['get', 'lease', 'election', '-o', 'jsonpath={.spec.holderIdentity}']);
  expect(stdout).toBe(election.leader);
});

describe('a copy of what the API server has', () => {
  test('comes in pages, and follows what changes', async () => {
    const namespace = await makeNamespace('pages');
    const items = Array.from({ length: 1_200 }, (_, index) => ({
      apiVersion: 'v1',
      kind: 'ConfigMap',
      metadata: { namespace, name: `c${index}` },
    }));
    await kubectl(['create', '-f', '-'], { apiVersion: 'v1', kind: 'List', items });
    const api = await connectAs(server().kubeconfig);
    const copy = keepCopy({ api, type: configMaps, namespace });
    await eventually('all are there', () => copy.synced.count === 1);
    expect(copy.objects.size).toBeGreaterThanOrEqual(1_200);
    await kubectl(['delete', 'configmap', '-n', namespace, 'c7', 'c8']);
    await eventually('two are gone', () => !copy.objects.has('c7') && !copy.objects.has('c8'));
    expect(await copy.counted('xebec_kube_lists_total')).toBe(1);
  });

  test('outlives connections that are cut, without a new list', async () => {
    const namespace = await makeNamespace('cut');
    await put(namespace, 'a');
    const { proxy, copy, own } = await copyBehindProxy(namespace);
    for (let round = 1; round <= 3; round += 1) {
      proxy.refuse();
      await put(namespace, 'a', String(round));
      proxy.resume();
      await eventually('the change is there', () => own()['a'] === String(round));
    }
    expect(await copy.counted('xebec_kube_lists_total')).toBe(1);
    expect(copy.deletes).toEqual([]);
  });

  test('outlives a watch that falls silent, and has one afterwards', async () => {
    const namespace = await makeNamespace('silent');
    await put(namespace, 'a');
    const { proxy, clock, copy, own } = await copyBehindProxy(namespace);
    await eventually('the watch is open', () => copy.states.at(-1)?.kind === 'synced' && clock.sleeping === 1);
    proxy.stall();
    await put(namespace, 'a', '1');
    await clock.advance(74_000);
    expect(own()).toEqual({ a: '0' });
    await clock.advance(1_000);
    await eventually(
      'the watch has been given up',
      async () => (await copy.counted('xebec_kube_watch_errors_total')) === 1,
    );
    proxy.resume();
    await eventually('the change is there', () => own()['a'] === '1');
    expect(await copy.counted('xebec_kube_lists_total')).toBe(1);
    await eventually('one watch and one idle connection', () => proxy.connections <= 2);
  });

  test('outlives a verb that is taken away and given back', async () => {
    const namespace = await makeNamespace('verbs');
    await put(namespace, 'a');
    const role = (verbs: string): Promise<string> =>
      kubectl(['apply', '-f', '-'], {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'Role',
        metadata: { namespace, name: 'reader' },
        rules: [{ apiGroups: [''], resources: ['configmaps'], verbs: verbs.split(' ') }],
      });
    await role('list watch');
    await kubectl(['create', 'rolebinding', '-n', namespace, 'reader', '--role=reader', '--user=reader']);
    const { proxy, copy, own } = await copyBehindProxy(namespace, (url) => server().userKubeconfig('reader', [], url));
    for (const left of ['list', 'get']) {
      await role(left);
      proxy.cut();
      await eventually('it is told', () => copy.states.at(-1)?.kind === 'forbidden');
      expect(copy.states.at(-1)).toMatchObject({ message: expect.stringContaining('User "reader" cannot watch') });
      expect(Object.keys(own())).toContain('a');
      await put(namespace, left, '1');
      await role('list watch');
      await eventually('it is synced again', () => copy.states.at(-1)?.kind === 'synced' && own()[left] === '1');
    }
    expect(copy.deletes).toEqual([]);
  });

  test('outlives a definition that goes and comes back', async () => {
    await defineProbes();
    const namespace = await makeNamespace('definition');
    const probe = (name: string): object => ({
      apiVersion: 'test.example/v1',
      kind: 'Probe',
      metadata: { namespace, name },
    });
    await kubectl(['apply', '-f', '-'], probe('one'));
    const api = await connectAs(server().kubeconfig);
    const copy = keepCopy({ api, type: probes, namespace });
    await eventually('it is there', () => copy.objects.has('one'));
    await kubectl(['delete', 'crd', 'probes.test.example']);
    await eventually('it is absent', () => copy.states.at(-1)?.kind === 'absent');
    expect(copy.deletes).toEqual(['one']);
    await defineProbes();
    await kubectl(['apply', '-f', '-'], probe('two'));
    await eventually('it is back', () => copy.objects.has('two'));
    expect(copy.states.at(-1)).toEqual({ kind: 'synced' });
  });

  test('on which nothing happens for minutes lives, whether the server sends bookmarks or not', async () => {
    await sleep(Math.max(0, quiet.since + 90_000 - performance.now()));
    for (const { counted, states } of quiet.copies) {
      expect(await counted('xebec_kube_watch_errors_total')).toBe(0);
      expect(await counted('xebec_kube_lists_total')).toBe(1);
      expect(states).toEqual([{ kind: 'synced' }]);
    }
  });

  test('outlives a restart of the API server, and loses nothing meanwhile', async () => {
    const namespace = await makeNamespace('restart');
    await put(namespace, 'a');
    const { copy, own } = await copyBehindProxy(namespace);
    await server().down();
    await eventually('it is told', () => copy.states.at(-1)?.kind === 'failing');
    expect(own()).toEqual({ a: '0' });
    await server().up();
    await put(namespace, 'b');
    await eventually('the copy follows again', () => own()['b'] === '0');
    expect(copy.deletes).toEqual([]);
    await eventually('it is told', () => copy.states.at(-1)?.kind === 'synced');
  });

  test('lists again when etcd has forgotten what it missed, and deletes what is gone', async () => {
    const namespace = await makeNamespace('compacted');
    for (const name of ['kept', 'gone', 'changed']) await put(namespace, name);
    const { proxy, copy, own } = await copyBehindProxy(namespace);
    proxy.refuse();
    await kubectl(['delete', 'configmap', '-n', namespace, 'gone']);
    await put(namespace, 'changed', '1');
    await server().compact();
    await server().restart();
    proxy.resume();
    await eventually('the copy is what there is', () => own()['changed'] === '1' && own()['gone'] === undefined);
    expect([own(), copy.deletes]).toEqual([{ kept: '0', changed: '1' }, ['gone']]);
    expect(await copy.counted('xebec_kube_watch_errors_total', 'expired')).toBeGreaterThan(0);
    expect(await copy.counted('xebec_kube_lists_total')).toBe(2);
  });
});
