import { setTimeout as sleep } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../src/kit/system-clock.ts';
import { connectKubeApi, type KubeConnection } from '../../src/kube/connect.ts';
import { silentLogger } from '../../src/telemetry/logger.ts';
import { PromMetrics } from '../../src/telemetry/prom-metrics.ts';
import { type Manifest, service, virtualService } from '../feature/pilot/support/manifests.ts';
import type { ModelEnvoy } from '../feature/pilot/support/model-envoy.ts';
import { node, TestProcess } from '../feature/pilot/support/process.ts';
import { apiServerOfFile } from './api-server-of-file.ts';

// What people see of an object's status: kubectl against a real API server, model Envoys against a real xebec.

const server = apiServerOfFile();
const HOST = 'reviews.shop.svc.cluster.local';
const PATH = '/apis/networking.istio.io/v1/namespaces/shop/virtualservices/reviews';

type Body = {
  readonly metadata: Readonly<Record<string, unknown>> & {
    readonly resourceVersion: string;
    readonly generation: number;
    readonly managedFields: readonly Readonly<Record<string, unknown>>[];
  };
  readonly status?: {
    readonly observedGeneration: unknown;
    readonly programmed: unknown;
    readonly validationMessages?: readonly unknown[];
    readonly conditions: readonly Readonly<Record<string, unknown>>[];
  };
};

const connections: KubeConnection[] = [];

beforeAll(async () => {
  await server().applyCrds();
  await kubectl(['create', 'namespace', 'shop']);
  await kubectl(['create', 'namespace', 'istio-system']);
  await apply(service('shop/reviews', [{ name: 'http', port: 80, targetPort: 8080 }], { clusterIP: 'None' }));
});

beforeEach(async () => {
  await kubectl(['delete', 'virtualservices', '--all', '-n', 'shop', '--ignore-not-found']);
  await kubectl(['delete', 'leases', '--all', '-n', 'istio-system', '--ignore-not-found']);
});

afterAll(async () => {
  for (const connection of connections) await connection.close();
});

async function kubectl(args: readonly string[], stdin?: object): Promise<string> {
  const { status, stdout, stderr } = await server().kubectl(args, stdin && JSON.stringify(stdin));
  if (status !== 0) throw new Error(`kubectl ${args.join(' ')}: ${stderr}`);
  return stdout;
}

function apply(manifest: Manifest): Promise<string> {
  return kubectl(['apply', '-f', '-'], manifest);
}

async function startXebec(replica: string): Promise<TestProcess> {
  const connected = await connectKubeApi({
    access: { kind: 'kubeconfig', path: server().kubeconfig },
    clock: systemClock,
    log: silentLogger,
    metrics: new PromMetrics(),
    userAgent: 'status-test',
  });
  if (!connected.ok) throw new Error(connected.error);
  connections.push(connected.value);
  const config = { source: undefined, kubernetes: true, replica, debounceAfterMs: 5, debounceMaxMs: 100 };
  return await TestProcess.start([], { kube: connected.value, config });
}

function client(index: number): ReturnType<typeof node> {
  return node(`shop/web-${index}`, `10.1.7.${index}`, { labels: { app: 'web' } });
}

function reviews(uri: Manifest): Manifest {
  const http = [{ match: [{ uri }], route: [{ destination: { host: HOST } }] }];
  return virtualService('shop/reviews', { hosts: [HOST], http });
}

async function read(path = PATH): Promise<Body> {
  const { status, body } = await server().call('GET', path);
  if (status !== 200) throw new Error(`${path}: ${status}`);
  return JSON.parse(body) as Body;
}

/** The status once it is about the newest generation and a condition has a reason. */
async function until(type: string, reason: string): Promise<Body> {
  for (let tries = 0; ; tries += 1) {
    const body = await read();
    const condition = body.status?.conditions.find((each) => each['type'] === type);
    const isNewest = body.status?.observedGeneration === body.metadata.generation;
    if (isNewest && condition?.['reason'] === reason) return body;
    if (tries > 300) throw new Error(`never ${type} ${reason}: ${JSON.stringify(body.status)}`);
    await sleep(100);
  }
}

function messageOf({ status }: Body, type: string): string {
  return String(status?.conditions.find((each) => each['type'] === type)?.['message']);
}

function dislikes(envoy: ModelEnvoy, text: string): void {
  envoy.judge = (kind, { message }) =>
    kind === 'route' && JSON.stringify(message).includes(text)
      ? `regex '${text}.*' RE2 program size of 5210 > max program size of 100 set for the error level threshold`
      : undefined;
}

async function eventsOf(reason: string): Promise<string> {
  for (let tries = 0; tries < 50; tries += 1) {
    const events = await kubectl(['get', 'events', '-n', 'shop', '--field-selector', `reason=${reason}`, '-o', 'json']);
    if ((JSON.parse(events) as { readonly items: readonly unknown[] }).items.length > 0) return events;
    await sleep(100);
  }
  return '';
}

describe('the status of an object', () => {
  test('is what kubectl shows and waits for', async () => {
    const mesh = await startXebec('a');
    for (const index of [1, 2]) await mesh.connect(client(index));
    await apply(reviews({ prefix: '/a' }));
    await kubectl(['wait', '--for=condition=Programmed', 'vs/reviews', '-n', 'shop', '--timeout=30s']);
    const [head = '', row = ''] = (await kubectl(['get', 'vs', '-n', 'shop'])).trim().split('\n');
    expect(head.split(/\s+/)).toEqual(['NAME', 'GATEWAYS', 'HOSTS', 'ACCEPTED', 'PROGRAMMED', 'AGE']);
    expect(row).toMatch(/^reviews\s+\["reviews\.shop\.svc\.cluster\.local"\]\s+True\s+2\/2\s+\d+s$/);
  });

  test('is written by server-side apply, by its own manager, and not again while nothing changes', async () => {
    const mesh = await startXebec('a');
    await mesh.connect(client(1));
    await apply(reviews({ prefix: '/a' }));
    const before = await until('Programmed', 'Programmed');
    const own = before.metadata.managedFields.filter(({ manager }) => manager === 'xebec-status');
    expect(own).toMatchObject([{ operation: 'Apply', subresource: 'status', apiVersion: 'networking.istio.io/v1' }]);
    const seen = mesh.xebec.pilot.mesh();
    await sleep(5_000);
    expect((await read()).metadata.resourceVersion).toBe(before.metadata.resourceVersion);
    expect(mesh.xebec.pilot.mesh()).toBe(seen);
    expect(await kubectl(['apply', '-f', '-'], reviews({ prefix: '/a' }))).toContain('unchanged');
  });

  test('follows the generation, and its times move with the status only', async () => {
    const mesh = await startXebec('a');
    await mesh.connect(client(1));
    await apply(reviews({ prefix: '/a' }));
    const first = await until('Programmed', 'Programmed');
    await sleep(2_100);
    await apply(reviews({ prefix: '/b' }));
    const second = await until('Programmed', 'Programmed');
    expect(second.metadata.generation).toBe(first.metadata.generation + 1);
    expect(second.status?.observedGeneration).toBe(second.metadata.generation);
    const timeOf = ({ status }: Body): unknown =>
      status?.conditions.find(({ type }) => type === 'Accepted')?.['lastTransitionTime'];
    expect(timeOf(second)).toBe(timeOf(first));
  });

  test('says what is invalid, and that the version before stays in force', async () => {
    const mesh = await startXebec('a');
    const envoy = await mesh.connect(client(1));
    await apply(reviews({ prefix: '/good' }));
    await until('Programmed', 'Programmed');
    const http = [{ route: [{ destination: { host: HOST }, weight: -5 }, { destination: { host: HOST } }] }];
    await apply(virtualService('shop/reviews', { hosts: [HOST], http: [{ ...http[0], retries: { attempts: -1 } }] }));
    const body = await until('Accepted', 'Invalid');
    expect(messageOf(body, 'Accepted')).toMatch(/^spec\.http\[0\]\..*; generation 1 stays in force$/);
    expect(messageOf(body, 'Programmed')).toContain('generation 1 stays in force');
    expect(body.status).not.toHaveProperty('programmed');
    expect(body.status?.validationMessages).toEqual(
      expect.arrayContaining([expect.objectContaining({ level: 'ERROR' })]),
    );
    expect(JSON.stringify(envoy.store.route.get('80')?.content.message)).toContain('/good');
    await apply(reviews({ prefix: '/good' }));
    const repaired = await until('Programmed', 'Programmed');
    expect(repaired.status).not.toHaveProperty('validationMessages');
  });

  test('has the words of a proxy that refuses, on the object and as an Event, until they are withdrawn', async () => {
    const mesh = await startXebec('a');
    const envoy = await mesh.connect(client(1));
    await apply(reviews({ prefix: '/good' }));
    await until('Programmed', 'Programmed');
    dislikes(envoy, '/bad');
    await apply(reviews({ regex: '/bad.*' }));
    const body = await until('Programmed', 'Rejected');
    expect(messageOf(body, 'Programmed')).toMatch(
      /^1 of 1 proxies refused it: spec\.http\[0\]\.match\[0\]\.uri\.regex: regex .* \(pod web-1\)$/,
    );
    expect(body.status?.programmed).toBe('0/1');
    expect(await eventsOf('RejectedByProxy')).toContain('spec.http[0].match[0].uri.regex');
    await apply(reviews({ prefix: '/better' }));
    await until('Programmed', 'Programmed');
    expect(await eventsOf('AcceptedAgain')).toContain('VirtualService');
  });

  test('says what is missing, and is clear once it is there', async () => {
    await startXebec('a');
    const spec = {
      hosts: ['web.example.com'],
      gateways: ['front'],
      http: [{ route: [{ destination: { host: HOST } }] }],
    };
    await apply(virtualService('shop/reviews', spec));
    const body = await until('ResolvedRefs', 'RefNotFound');
    expect(messageOf(body, 'ResolvedRefs')).toMatch(/^spec\.gateways\[0\]: /);
    expect(messageOf(body, 'Programmed')).toMatch(/^no proxy uses this object/);
    expect(body.status?.programmed).toBe('0/0');
    expect(await eventsOf('ReferenceMissing')).toContain('spec.gateways[0]');
    await apply(virtualService('shop/reviews', { ...spec, gateways: ['mesh'] }));
    await until('ResolvedRefs', 'ResolvedRefs');
  });

  test('is not made for an object that is gone', async () => {
    const mesh = await startXebec('a');
    await mesh.connect(client(1));
    for (let round = 0; round < 3; round += 1) {
      await apply(reviews({ prefix: `/round${round}` }));
      await kubectl(['delete', 'vs', 'reviews', '-n', 'shop']);
    }
    await sleep(3_000);
    expect((await server().call('GET', PATH)).status).toBe(404);
    expect(mesh.log.filter((line) => line.includes('"level":"error"'))).toEqual([]);
  });

  test('is written by one replica, and by the other once that is gone', async () => {
    const first = await startXebec('a');
    const second = await startXebec('b');
    await first.connect(client(1));
    await apply(reviews({ prefix: '/a' }));
    await until('Programmed', 'Programmed');
    await second.connect(client(2));
    await first.stop();
    await apply(reviews({ prefix: '/b' }));
    const body = await until('Programmed', 'Programmed');
    expect(body.status?.programmed).toBe('1/1');
    expect(body.metadata.managedFields.filter(({ manager }) => manager === 'xebec-status')).toHaveLength(1);
  });
});

test('a status that other tools write beside ours stays', async () => {
  const mesh = await startXebec('a');
  onTestFinished(() => mesh.stop());
  await mesh.connect(client(1));
  await apply(reviews({ prefix: '/a' }));
  await until('Programmed', 'Programmed');
  const condition = { type: 'Reconciled', status: 'True', lastTransitionTime: '2026-01-01T00:00:00Z', reason: 'Ours' };
  await kubectl(['apply', '--server-side', '--subresource=status', '--field-manager=other', '-f', '-'], {
    ...reviews({ prefix: '/a' }),
    spec: undefined,
    status: { conditions: [condition] },
  });
  await apply(reviews({ prefix: '/b' }));
  const body = await until('Programmed', 'Programmed');
  expect(body.status?.conditions.map(({ type }) => type)).toEqual(expect.arrayContaining(['Reconciled', 'Programmed']));
});
