import { expect, onTestFinished, test } from 'vitest';
import { ManualClock } from '../../kit/manual-clock.ts';
import { asRecord, textIn } from '../../kube/json.ts';
import { countingLog } from '../../kube/testing/copy.ts';
import { PromMetrics } from '../../telemetry/prom-metrics.ts';
import type { NamespaceRules } from '../secrets/namespaces.ts';
import { TestIssuers, testIssuer } from '../testing/issuers.ts';
import { MemoryKube, start } from '../testing/memory-kube.ts';
import { otherRoot, root } from '../testing/secret-world.ts';
import { RootPublisher } from './root-publisher.ts';

const ROOT = 'istio-ca-root-cert';
const bundle = root.certificate + otherRoot.certificate;

function worldOf(own: Partial<NamespaceRules> = {}) {
  const kube = new MemoryKube();
  const clock = new ManualClock();
  const issuers = new TestIssuers(testIssuer(root));
  const { log, lines } = countingLog();
  const publisher = new RootPublisher({
    kube,
    reflect: kube.reflect,
    leadership: { whileLeading: (work, signal) => work(signal) },
    issuers,
    rules: { ownNamespace: 'istio-system', listened: [], enabledByDefault: true, ...own },
    clock,
    random: () => 0.5,
    log,
    metrics: new PromMetrics(),
  });
  let end: (() => Promise<void>) | undefined;
  const lead = (): void => void (end ??= start(publisher));
  const resign = async (): Promise<void> => {
    await end?.();
    end = undefined;
  };
  onTestFinished(resign);
  const settle = async (): Promise<void> => {
    for (let turn = 0; turn < 60; turn += 1) await clock.yield();
  };
  const pass = async (ms: number, steps: number): Promise<void> => {
    for (let step = 0; step < steps; step += 1) {
      await clock.advance(ms / steps);
      await settle();
    }
  };
  const namespace = (name: string, metadata: object = {}): void =>
    void kube.put('namespaces', { metadata: { name, ...metadata } });
  const told = (place: string, name = ROOT, key = 'root-cert.pem'): string =>
    textIn(asRecord(kube.find('configmaps', place, name)?.['data']), key);
  return { kube, clock, issuers, lines, lead, resign, settle, pass, namespace, told };
}

test('every namespace is told the roots, but for those of Kubernetes and those that go', async () => {
  const { kube, lead, settle, namespace, told } = worldOf();
  for (const name of ['shop', 'kube-public', 'kube-system', 'local-path-storage', 'istio-system']) namespace(name);
  namespace('going', { deletionTimestamp: '2026-01-01T00:00:00Z' });
  lead();
  await settle();
  expect(kube.writes.toSorted()).toEqual([
    `create configmaps istio-system/${ROOT}`,
    'create configmaps istio-system/istio-security',
    `create configmaps shop/${ROOT}`,
  ]);
  expect(told('shop')).toBe(root.certificate);
  expect(Buffer.from(told('istio-system', 'istio-security', 'caTLSRootCert'), 'base64').toString()).toBe(
    root.certificate,
  );
  expect(kube.find('configmaps', 'shop', ROOT)).toMatchObject({ metadata: { labels: { 'istio.io/config': 'true' } } });
  namespace('new');
  await settle();
  expect(told('new')).toBe(root.certificate);
});

test('what was edited, deleted or made immutable is put right, and what others added stays', async () => {
  const { kube, lead, settle, namespace, told } = worldOf();
  namespace('shop');
  kube.put('configmaps', {
    metadata: { namespace: 'shop', name: ROOT, labels: { team: 'shop' } },
    data: { 'root-cert.pem': 'of somebody else', notes: 'mine' },
  });
  lead();
  await settle();
  expect(kube.writes.splice(0)).toEqual([`apply configmaps shop/${ROOT}`]);
  expect(kube.find('configmaps', 'shop', ROOT)).toMatchObject({
    metadata: { labels: { team: 'shop' } },
    data: { 'root-cert.pem': root.certificate, notes: 'mine' },
  });
  kube.remove('configmaps', { namespace: 'shop', name: ROOT });
  await settle();
  expect(kube.writes.splice(0)).toEqual([`create configmaps shop/${ROOT}`]);
  kube.put('configmaps', { ...kube.find('configmaps', 'shop', ROOT), immutable: true });
  await settle();
  expect(kube.writes.splice(0)).toEqual([`delete configmaps shop/${ROOT}`, `create configmaps shop/${ROOT}`]);
  expect(told('shop')).toBe(root.certificate);
});

test('new roots reach all, and whoever leads next has nothing to write', async () => {
  const { kube, issuers, lead, resign, settle, namespace, told } = worldOf();
  for (const name of ['shop', 'bank', 'istio-system']) namespace(name);
  lead();
  await settle();
  kube.writes.length = 0;
  issuers.use(testIssuer(root, { roots: bundle }));
  await settle();
  expect(kube.writes).toHaveLength(4);
  expect([told('shop'), told('bank')]).toEqual([bundle, bundle]);
  kube.writes.length = 0;
  // The same again, and a touch that changes nothing.
  issuers.use(testIssuer(root, { roots: bundle }));
  kube.put('configmaps', { ...kube.find('configmaps', 'shop', ROOT) });
  namespace('shop', { annotations: { note: 'mine' } });
  await settle();
  await resign();
  lead();
  await settle();
  expect(kube.writes).toEqual([]);
});

test('only the namespaces that are listened to and our own, and nothing before there are roots', async () => {
  const { kube, issuers, lead, settle, namespace } = worldOf({ listened: ['bank'] });
  issuers.use(undefined);
  for (const name of ['shop', 'bank', 'istio-system']) namespace(name);
  lead();
  await settle();
  expect(kube.writes).toEqual([]);
  issuers.use(testIssuer(root));
  await settle();
  expect(kube.writes.toSorted()).toEqual([
    `create configmaps bank/${ROOT}`,
    `create configmaps istio-system/${ROOT}`,
    'create configmaps istio-system/istio-security',
  ]);
});

test('a namespace that refuses keeps no other waiting, and is tried again', async () => {
  const { kube, lead, settle, pass, namespace, lines } = worldOf();
  for (const name of ['full', 'shop']) namespace(name);
  kube.refuse = ({ name }) => (name.namespace === 'full' ? 'forbidden' : undefined);
  lead();
  await settle();
  expect(kube.writes).toEqual([`create configmaps shop/${ROOT}`]);
  await pass(300_000, 30);
  expect(lines.filter((line) => line.startsWith('warn'))).toHaveLength(1);
  kube.refuse = () => undefined;
  await pass(300_000, 30);
  expect(kube.writes).toContain(`create configmaps full/${ROOT}`);
  expect(lines.at(-1)).toContain('can be told to a namespace again');
});

test('whoever changes them again and again is not fought in a circle', async () => {
  const { kube, lead, pass, settle, namespace } = worldOf();
  namespace('shop');
  lead();
  await settle();
  for (let second = 0; second < 300; second += 1) {
    kube.put('configmaps', { metadata: { namespace: 'shop', name: ROOT }, data: { 'root-cert.pem': String(second) } });
    await pass(1_000, 1);
  }
  expect(kube.writes.length).toBeGreaterThan(5);
  expect(kube.writes.length).toBeLessThan(20);
});
