import { describe, expect, test } from 'vitest';
import { ManualClock } from '../../../src/kit/manual-clock.ts';
import {
  destinationRule,
  gateway,
  type Manifest,
  object,
  serviceEntry,
  sidecar,
  virtualService,
} from '../pilot/support/manifests.ts';
import { ModelEnvoy } from '../pilot/support/model-envoy.ts';
import { node, TestProcess } from '../pilot/support/process.ts';
import { bankClient, ingress, ingressPod, REVIEWS, reviewSubsets, shop, shopClient } from '../pilot/support/shop.ts';
import { conditionOf, fromApi, programmedOf } from './support/statuses.ts';
import { WrittenMesh } from './support/written.ts';

const to = [{ destination: { host: REVIEWS } }];

function reviews(prefix: string, more: Manifest = {}): Manifest {
  const http = [{ match: [{ uri: { prefix } }], route: to }];
  return virtualService('shop/reviews', { hosts: [REVIEWS], http, ...more });
}

const vs = ['VirtualService', 'shop/reviews'] as const;

describe('a proxy counts for', () => {
  test('every kind that something in its configuration comes from', async () => {
    const mesh = await TestProcess.start([
      ...shop,
      ...ingress,
      reviews('/a'),
      reviewSubsets('v1', 'v2'),
      serviceEntry('shop/api', {
        hosts: ['api.example.com'],
        ports: [{ number: 443, name: 'tls', protocol: 'TLS' }],
        resolution: 'DNS',
      }),
    ]);
    await mesh.connect(shopClient);
    await mesh.connect(bankClient);
    await mesh.connect(ingressPod);
    expect(await programmedOf(mesh, ...vs)).toBe('2/2');
    expect(await programmedOf(mesh, 'DestinationRule', 'shop/reviews')).toBe('3/3');
    expect(await programmedOf(mesh, 'Gateway', 'shop/front')).toBe('1/1');
    expect(await programmedOf(mesh, 'ServiceEntry', 'shop/api')).toBe('3/3');
  });

  test('a Sidecar that decides what it sees', async () => {
    const mesh = await TestProcess.start([...shop, sidecar('shop/small', { egress: [{ hosts: ['./*'] }] })]);
    await mesh.connect(shopClient);
    await mesh.connect(bankClient);
    expect(await programmedOf(mesh, 'Sidecar', 'shop/small')).toBe('1/1');
    expect(await conditionOf(mesh, ['Sidecar', 'shop/small'])).toMatchObject({ status: 'True', reason: 'Programmed' });
  });

  test('a VirtualService that delegates, and its delegate', async () => {
    const root = virtualService('shop/root', { hosts: [REVIEWS], http: [{ delegate: { name: 'leaf' } }] });
    const mesh = await TestProcess.start([...shop, root, virtualService('shop/leaf', { http: [{ route: to }] })]);
    await mesh.connect(shopClient);
    expect(await programmedOf(mesh, 'VirtualService', 'shop/root')).toBe('1/1');
    expect(await programmedOf(mesh, 'VirtualService', 'shop/leaf')).toBe('1/1');
  });

  test('a WorkloadEntry that it sends traffic to', async () => {
    const ports = [{ number: 80, name: 'http', protocol: 'HTTP' }];
    const spec = {
      hosts: ['vm.example.com'],
      ports,
      resolution: 'STATIC',
      workloadSelector: { labels: { app: 'vm' } },
    };
    const entry = (name: string, app: string): Manifest =>
      object('networking.istio.io/v1', 'WorkloadEntry', name, { spec: { address: '10.9.0.1', labels: { app } } });
    const mesh = await TestProcess.start([
      ...shop,
      serviceEntry('shop/vm', spec),
      entry('shop/vm', 'vm'),
      entry('shop/idle', 'idle'),
    ]);
    await mesh.connect(shopClient);
    expect(await programmedOf(mesh, 'WorkloadEntry', 'shop/vm')).toBe('1/1');
    expect(await programmedOf(mesh, 'WorkloadEntry', 'shop/idle')).toBe('0/0');
  });

  test('once, however many streams it has', async () => {
    const mesh = await TestProcess.start([...shop, reviews('/a')]);
    await mesh.connect(shopClient, 'delta');
    await mesh.connect(shopClient, 'sotw');
    expect(await programmedOf(mesh, ...vs)).toBe('1/1');
  });

  test('only what a gRPC client asks for, when it is one', async () => {
    const mesh = await TestProcess.start([
      ...shop,
      reviews('/a'),
      destinationRule('shop/db', { host: 'db', subsets: [{ name: 'v1' }] }),
    ]);
    const grpc = await mesh.connect(node('shop/grpc', '10.1.0.77', { metadata: { GENERATOR: 'grpc' } }));
    expect(await programmedOf(mesh, ...vs)).toBe('1/1');
    await mesh.disconnect(grpc);
    expect(await programmedOf(mesh, ...vs)).toBe('0/0');
  });
});

describe('a proxy that', () => {
  test('does not answer keeps an object pending, and becomes an exception in the end', async () => {
    const clock = new ManualClock();
    const written = await WrittenMesh.start([...shop, fromApi(reviews('/a'), 1)], clock);
    const { mesh } = written;
    for (let index = 1; index <= 4; index += 1) await mesh.connect(node(`shop/web-${index}`, `10.1.7.${index}`));
    const stream = mesh.open('delta');
    for (const request of new ModelEnvoy('delta', node('shop/silent', '10.1.7.9')).start()) await stream.send(request);
    await mesh.until('connected', () => mesh.xebec.xds.streams().length === 5);
    written.send(fromApi(reviews('/b'), 2));
    await written.pass(4_000);
    const status = (): Manifest => written.body('shop/reviews')['status'] as Manifest;
    const programmed = (): Manifest | undefined =>
      (status()['conditions'] as readonly Manifest[]).find(({ type }) => type === 'Programmed');
    expect(status()['programmed']).toBe('4/5');
    expect(programmed()).toMatchObject({
      status: 'Unknown',
      reason: 'Pending',
      message: '1 of 5 proxies have not confirmed it yet',
    });
    await written.pass(40_000);
    expect(programmed()).toMatchObject({ status: 'True', reason: 'ProgrammedWithExceptions' });
    expect(status()['programmed']).toBe('4/5');
    stream.cancel();
    await mesh.until('gone', () => mesh.xebec.xds.streams().length === 4);
    await written.pass(4_000);
    expect(programmed()).toMatchObject({ status: 'True', reason: 'Programmed' });
  });

  test('comes after a refusal is held back, and counts as such', async () => {
    const mesh = await TestProcess.start([...shop, fromApi(reviews('/good'), 1)]);
    const first = await mesh.connect(shopClient);
    expect(await programmedOf(mesh, ...vs)).toBe('1/1');
    first.judge = (kind, { message }) =>
      kind === 'route' && JSON.stringify(message).includes('/bad') ? 'no' : undefined;
    await mesh.apply(fromApi(reviews('/bad'), 2));
    await mesh.connect(node('shop/later', '10.1.0.32', { labels: { app: 'client' } }));
    expect(await programmedOf(mesh, ...vs)).toBe('0/2');
    const condition = await conditionOf(mesh, vs);
    expect(condition).toMatchObject({ status: 'False', reason: 'Rejected' });
    expect(condition?.message).toMatch(
      /1 of 2 proxies refused it \(the others keep the form before\): spec\.http\[0\]/,
    );
    first.judge = () => undefined;
    await mesh.apply(fromApi(reviews('/better'), 3));
    expect(await conditionOf(mesh, vs)).toMatchObject({ status: 'True', reason: 'Programmed' });
    expect(await programmedOf(mesh, ...vs)).toBe('2/2');
  });

  test('refuses a listener never asks for its routes, so whoever is in them waits', async () => {
    const host = 'shop.example.com';
    const mesh = await TestProcess.start([
      ...shop,
      ...ingress,
      fromApi(virtualService('shop/web', { hosts: [host], gateways: ['shop/front'], http: [{ route: to }] }), 1),
    ]);
    const envoy = await mesh.connect(ingressPod);
    envoy.judge = (kind, { name }) => (kind === 'listener' && name.includes('9090') ? 'no' : undefined);
    const servers = [{ port: { number: 9090, name: 'http', protocol: 'HTTP' }, hosts: [host] }];
    await mesh.apply(
      fromApi(gateway('shop/other', { selector: { app: 'ingress' }, servers }), 1),
      fromApi(virtualService('shop/more', { hosts: [host], gateways: ['shop/other'], http: [{ route: to }] }), 1),
    );
    expect(await conditionOf(mesh, ['Gateway', 'shop/other'])).toMatchObject({ status: 'False', reason: 'Rejected' });
    expect(await conditionOf(mesh, ['VirtualService', 'shop/more'])).toMatchObject({
      status: 'Unknown',
      reason: 'Pending',
    });
    expect(await conditionOf(mesh, ['VirtualService', 'shop/web'])).toMatchObject({
      status: 'True',
      reason: 'Programmed',
    });
  });
});

test.each([
  ['networking.istio.io/v1alpha3', 'EnvoyFilter', { configPatches: [] }],
  ['networking.istio.io/v1beta1', 'ProxyConfig', { concurrency: 2 }],
] as const)('a kind that nothing acts on says so: %s %s', async (apiVersion, kind, spec) => {
  const mesh = await TestProcess.start([...shop, object(apiVersion, kind, 'shop/idle', { spec })]);
  await mesh.connect(shopClient);
  expect(await conditionOf(mesh, [kind, 'shop/idle'], 'Accepted')).toMatchObject({ status: 'True' });
  expect(await conditionOf(mesh, [kind, 'shop/idle'])).toMatchObject({ status: 'False', reason: 'NotEnforcedYet' });
  expect(await programmedOf(mesh, kind, 'shop/idle')).toBe('');
});

test('a policy that protects a workload counts the proxies that have it', async () => {
  const mesh = await TestProcess.start([
    ...shop,
    object('security.istio.io/v1', 'AuthorizationPolicy', 'shop/nobody', { spec: {} }),
  ]);
  await mesh.connect(shopClient);
  expect(await conditionOf(mesh, ['AuthorizationPolicy', 'shop/nobody'])).toMatchObject({
    status: 'True',
    reason: 'Programmed',
  });
  expect(await programmedOf(mesh, 'AuthorizationPolicy', 'shop/nobody')).toBe('1/1');
});
