import { describe, expect, test } from 'vitest';
import { ManualClock } from '../../../src/kit/manual-clock.ts';
import type { Content, Kind } from '../pilot/support/contents.ts';
import { type Manifest, serviceEntry, virtualService } from '../pilot/support/manifests.ts';
import type { ModelEnvoy } from '../pilot/support/model-envoy.ts';
import { node, TestProcess } from '../pilot/support/process.ts';
import { bankClient, REVIEWS, reviewsPod, shop, shopClient } from '../pilot/support/shop.ts';
import { conditionOf, fromApi, programmedOf, statusOf } from './support/statuses.ts';
import { WrittenMesh } from './support/written.ts';

type Status = {
  readonly observedGeneration: unknown;
  readonly programmed: unknown;
  readonly conditions: readonly Readonly<
    Record<'type' | 'status' | 'reason' | 'message' | 'observedGeneration', unknown>
  >[];
};

function external(index: number, host = `e${index}.example.com`): Manifest {
  return {
    hosts: [host],
    ports: [{ number: 80, name: 'http', protocol: 'HTTP' }],
    resolution: 'DNS',
    location: 'MESH_EXTERNAL',
  };
}

const vs = ['VirtualService', 'shop/reviews'] as const;

function client(index: number): Parameters<TestProcess['connect']>[0] {
  return node(`shop/web-${index}`, `10.1.7.${index}`, { labels: { app: 'web' } });
}

async function clients(mesh: TestProcess, count: number): Promise<readonly ModelEnvoy[]> {
  const envoys: ModelEnvoy[] = [];
  for (let index = 1; index <= count; index += 1) envoys.push(await mesh.connect(client(index)));
  return envoys;
}

/** Envoy's words about a route in which it finds a text. */
function dislikes(text: string, words: string) {
  return (kind: Kind, { message }: Content): string | undefined =>
    kind === 'route' && JSON.stringify(message).includes(text) ? words : undefined;
}

function reviews(uri: Manifest, more: Manifest = {}): Manifest {
  const http = [{ match: [{ uri }], route: [{ destination: { host: REVIEWS } }] }];
  return virtualService('shop/reviews', { hosts: [REVIEWS], http, ...more });
}

const tooLarge = "regex '/bad.*' RE2 program size of 5210 > max program size of 100 set for the error level threshold";

describe('rules of status', () => {
  test('1: only proxies that have something of an object count', async () => {
    const mesh = await TestProcess.start([...shop, fromApi(reviews({ prefix: '/a' }, { exportTo: ['.'] }), 1)]);
    await mesh.connect(shopClient);
    await mesh.connect(bankClient);
    expect(await programmedOf(mesh, ...vs)).toBe('1/1');
    await mesh.apply(fromApi(reviews({ prefix: '/a' }), 2));
    expect(await programmedOf(mesh, ...vs)).toBe('2/2');
    await mesh.apply(
      fromApi(
        virtualService('shop/unused', {
          hosts: ['nobody.example.com'],
          gateways: ['shop/none'],
          http: [{ route: [{ destination: { host: REVIEWS } }] }],
        }),
        1,
      ),
    );
    const status = await statusOf(mesh, 'VirtualService', 'shop/unused');
    expect(status.programmed).toEqual({ programmed: 0, known: 0 });
    expect(status.conditions.at(-1)).toMatchObject({ type: 'Programmed', status: 'Unknown', reason: 'NoProxies' });
  });

  test('2: what was programmed once stays so for its generation, whoever comes and goes', async () => {
    const mesh = await TestProcess.start([...shop, fromApi(reviews({ prefix: '/a' }), 1)]);
    const [first] = await clients(mesh, 2);
    expect(await conditionOf(mesh, vs)).toMatchObject({ status: 'True', reason: 'Programmed' });
    const silent = mesh.open('delta');
    await mesh.connect(client(3));
    expect(await conditionOf(mesh, vs)).toMatchObject({ status: 'True', reason: 'Programmed' });
    expect(await programmedOf(mesh, ...vs)).toBe('3/3');
    if (first !== undefined) await mesh.disconnect(first);
    expect(await programmedOf(mesh, ...vs)).toBe('2/2');
    silent.cancel();
    await mesh.apply(fromApi(reviews({ prefix: '/b' }), 2));
    expect((await statusOf(mesh, ...vs)).generation).toBe(2);
    expect(await conditionOf(mesh, vs)).toMatchObject({ status: 'True', reason: 'Programmed' });
  });

  test('3: one bad proxy does not block, many do', async () => {
    const mesh = await TestProcess.start([...shop, fromApi(reviews({ prefix: '/good' }), 1)]);
    const envoys = await clients(mesh, 8);
    const [bad] = envoys;
    // The others accept first, so that the version is known to be good.
    await mesh.apply(fromApi(reviews({ regex: '/bad.*' }), 2));
    expect(await programmedOf(mesh, ...vs)).toBe('8/8');
    if (bad === undefined) throw new Error('no client');
    await mesh.disconnect(bad);
    const small = await mesh.connect(client(9));
    await mesh.disconnect(small);
    bad.judge = dislikes('/bad', tooLarge);
    bad.store.route.clear();
    await mesh.connect(bad);
    expect(await conditionOf(mesh, vs)).toMatchObject({ status: 'True', reason: 'ProgrammedWithExceptions' });
    expect(await programmedOf(mesh, ...vs)).toBe('7/8');
    for (const each of envoys.slice(1, 4)) {
      await mesh.disconnect(each);
      each.judge = dislikes('/bad', tooLarge);
      each.store.route.clear();
      await mesh.connect(each);
    }
    expect(await conditionOf(mesh, vs)).toMatchObject({ status: 'False', reason: 'Rejected' });
    expect(await programmedOf(mesh, ...vs)).toBe('4/8');
  });

  test('4: the message comes first, and names the field', async () => {
    const mesh = await TestProcess.start([...shop, fromApi(reviews({ prefix: '/good' }), 1)]);
    const [envoy] = await clients(mesh, 1);
    if (envoy !== undefined) envoy.judge = dislikes('/bad', tooLarge);
    await mesh.apply(fromApi(reviews({ regex: '/bad.*' }), 2));
    const { message } = (await conditionOf(mesh, vs)) ?? { message: '' };
    expect(message).toBe(`1 of 1 proxies refused it: spec.http[0].match[0].uri.regex: ${tooLarge} (pod web-1)`);
    const wordy = 'x'.repeat(2_000);
    if (envoy !== undefined) envoy.judge = dislikes('/worse', wordy);
    await mesh.apply(fromApi(reviews({ regex: '/worse.*' }), 3));
    const long = (await conditionOf(mesh, vs))?.message ?? '';
    expect(long.length).toBeLessThanOrEqual(256);
    expect(long).toMatch(/^1 of 1 proxies refused it: spec\.http\[0\]: x+… \(pod web-1\)$/);
    await mesh.apply(
      fromApi(virtualService('shop/reviews', { hosts: [REVIEWS], http: [{ retries: { attempts: 'many' } }] }), 4),
    );
    const accepted = await conditionOf(mesh, vs, 'Accepted');
    expect(accepted).toMatchObject({ status: 'False', reason: 'Invalid' });
    expect(accepted?.message).toMatch(/^spec\.http\[0\].*; generation 3 stays in force$/);
    expect(await conditionOf(mesh, vs)).toMatchObject({ status: 'False', reason: 'Invalid' });
  });

  test('5: observedGeneration is an integer and moves', async () => {
    const clock = new ManualClock();
    const written = await WrittenMesh.start([...shop, fromApi(reviews({ prefix: '/a' }), 1)], clock);
    await written.mesh.connect(shopClient);
    for (const generation of [1, 2, 3]) {
      await written.apply(fromApi(reviews({ prefix: `/v${generation}` }), generation));
      await written.pass(4_000);
      const status = written.body('shop/reviews')['status'] as Status;
      expect(status.observedGeneration).toBe(generation);
      expect(status.conditions.map((each) => each.observedGeneration)).toEqual([generation, generation, generation]);
      expect(status).toMatchObject({ programmed: '1/1', programmedProxies: 1, knownProxies: 1 });
    }
  });

  test('6: writes are few: one per object in two seconds, only on change, by server-side apply, by the leader', async () => {
    const clock = new ManualClock();
    const many = Array.from({ length: 60 }, (_, index) => fromApi(serviceEntry(`shop/e${index}`, external(index)), 1));
    const written = await WrittenMesh.start([...shop, ...many, fromApi(reviews({ prefix: '/a' }), 1)], clock, {
      leads: false,
    });
    const { kube, mesh } = written;
    await mesh.connect(shopClient);
    await written.pass(5_000);
    expect(kube.applies).toEqual([]);
    written.leadership.lead();
    await written.pass(1_500);
    expect(kube.applies.length).toBeGreaterThan(0);
    expect(kube.applies.length).toBeLessThanOrEqual(31);
    await written.pass(10_000);
    const names = kube.applies.map(({ object }) => String((object['metadata'] as Manifest)['name']));
    expect(names).toHaveLength(61);
    expect(new Set(names).size).toBe(61);
    for (const { options, object } of kube.applies) {
      expect(options).toEqual({ fieldManager: 'xebec-status', force: true, subresource: 'status' });
      expect(Object.keys(object).sort()).toEqual(['apiVersion', 'kind', 'metadata', 'status']);
      expect(JSON.stringify(object)).not.toContain('client.shop');
    }
    const before = mesh.xebec.pilot.mesh();
    await written.pass(60_000);
    expect(kube.applies).toHaveLength(61);
    expect(mesh.xebec.pilot.mesh()).toBe(before);
    for (let generation = 2; generation < 30; generation += 1) {
      await written.apply(fromApi(reviews({ prefix: `/v${generation}` }), generation));
      await written.pass(300);
    }
    await written.pass(5_000);
    const times = kube.of('shop/reviews').map(({ at }) => at);
    expect(times.length).toBeGreaterThan(2);
    for (const [index, at] of times.entries())
      if (index > 0) expect(at - (times[index - 1] ?? 0)).toBeGreaterThanOrEqual(2_000);
    written.leadership.lose();
    await written.apply(fromApi(reviews({ prefix: '/last' }), 30));
    const count = kube.applies.length;
    await written.pass(5_000);
    expect(kube.applies).toHaveLength(count);
  });

  test('7: a refusal finds the object and the field; where it fits several, each is told that it is suspected', async () => {
    const others = ['a', 'b', 'c'].map((name) =>
      fromApi(
        virtualService(`shop/${name}`, {
          hosts: [`${name}.example.com`],
          http: [{ route: [{ destination: { host: REVIEWS } }] }],
        }),
        1,
      ),
    );
    const hosts = ['a', 'b', 'c'].map((name, index) =>
      fromApi(serviceEntry(`shop/${name}`, external(index, `${name}.example.com`)), 1),
    );
    const mesh = await TestProcess.start([...shop, ...others, ...hosts, fromApi(reviews({ prefix: '/good' }), 1)]);
    const [envoy] = await clients(mesh, 1);
    if (envoy === undefined) throw new Error('no client');
    expect(await programmedOf(mesh, ...vs)).toBe('1/1');
    envoy.judge = dislikes('/bad', 'something is wrong');
    await mesh.apply(fromApi(reviews({ regex: '/bad.*' }), 2));
    // Words that name nothing fit every object of the route; but those that proxies had before are cleared.
    expect((await conditionOf(mesh, vs))?.message).toMatch(/^suspected: 1 of 1 proxies refused it: spec\.http\[0\]/);
    for (const name of ['a', 'b', 'c'])
      expect(await conditionOf(mesh, ['VirtualService', `shop/${name}`])).toMatchObject({
        status: 'True',
        reason: 'Programmed',
      });
    // One that is new, in the same route, is suspected too until somebody tells them apart.
    const late = virtualService('shop/a', {
      hosts: ['a.example.com'],
      http: [{ timeout: '3s', route: [{ destination: { host: REVIEWS } }] }],
    });
    await mesh.apply(fromApi(late, 2));
    for (const name of ['reviews', 'a'])
      expect((await conditionOf(mesh, ['VirtualService', `shop/${name}`]))?.message).toMatch(/^suspected: /);
    envoy.judge = dislikes('/bad', tooLarge);
    await mesh.apply(fromApi(reviews({ regex: '/bad.*' }, { exportTo: ['*'] }), 3));
    await mesh.apply(
      fromApi(
        virtualService('shop/b', {
          hosts: ['b.example.com'],
          http: [{ timeout: '4s', route: [{ destination: { host: REVIEWS } }] }],
        }),
        2,
      ),
    );
    expect((await conditionOf(mesh, vs))?.message).toMatch(
      /^1 of 1 proxies refused it: spec\.http\[0\]\.match\[0\]\.uri\.regex: /,
    );
    expect(await conditionOf(mesh, ['VirtualService', 'shop/b'])).toMatchObject({
      status: 'False',
      reason: 'HeldBack',
    });
    expect((await conditionOf(mesh, ['VirtualService', 'shop/b']))?.message).toContain('VirtualService shop/reviews');
  });

  test('8: confirmed is not working, and nothing says so', async () => {
    const mesh = await TestProcess.start([...shop, fromApi(reviews({ prefix: '/a' }), 1)]);
    await mesh.connect(shopClient);
    const { conditions } = await statusOf(mesh, ...vs);
    expect(conditions.map(({ type }) => type)).toEqual(['Accepted', 'ResolvedRefs', 'Programmed']);
    expect(JSON.stringify(conditions)).not.toMatch(/work|ready|healthy/i);
  });

  test('9: what was refused is not sent again and again, and its status says what is in force', async () => {
    const clock = new ManualClock();
    const written = await WrittenMesh.start([...shop, fromApi(reviews({ prefix: '/good' }), 1)], clock);
    const envoy = await written.mesh.connect(shopClient);
    const other = await written.mesh.connect(reviewsPod);
    for (const each of [envoy, other]) each.judge = dislikes('/bad', tooLarge);
    await written.apply(fromApi(reviews({ regex: '/bad.*' }), 2));
    await written.pass(120_000);
    expect(envoy.errors.length + other.errors.length).toBeLessThanOrEqual(1 + 120 / 30);
    const status = written.body('shop/reviews')['status'] as Status;
    expect(status.programmed).toBe('0/2');
    const condition = status.conditions.find(({ type }) => type === 'Programmed');
    expect(condition).toMatchObject({ status: 'False', reason: 'Rejected' });
    expect(condition?.message).toMatch(/refused it/);
  });

  test('10: the pages have the same, and every proxy by its name', async () => {
    const clock = new ManualClock();
    const written = await WrittenMesh.start([...shop, fromApi(reviews({ prefix: '/a' }), 1)], clock);
    const { mesh } = written;
    const envoy = await mesh.connect(shopClient);
    await written.pass(5_000);
    const statuses = JSON.parse((await mesh.page('/debug/statusz')).text) as readonly Manifest[];
    const own = statuses.find(({ name }) => name === 'reviews');
    const status = written.body('shop/reviews')['status'] as Status;
    const told = status.conditions.map(({ type, reason, message, status: value }) => ({
      type,
      status: value,
      reason,
      message,
    }));
    expect(own).toEqual({
      kind: 'VirtualService',
      namespace: 'shop',
      name: 'reviews',
      generation: 1,
      programmed: '1/1',
      conditions: told,
    });
    expect((await mesh.page('/debug/syncz')).text).toContain(envoy.id);
  });
});
