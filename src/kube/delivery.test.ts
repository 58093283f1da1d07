import { describe, expect, test } from 'vitest';
import { clusterOf } from './testing/cluster-of.ts';
import { copyOf, gateway, keep } from './testing/copy.ts';

describe('a receiver that throws', () => {
  test('loses only the object it threw for, and gets it again', async () => {
    const { cluster, respond } = clusterOf('a', 'b', 'bad', 'c');
    let isBroken = true;
    const copy = await copyOf(respond, {
      before: ({ upserts }) => {
        if (isBroken && upserts.some(({ key }) => key === 'shop/bad')) throw new Error('a bug');
      },
    });
    await expect.poll(() => cluster.watches.size).toBe(1);
    expect(copy.specs()).toEqual({ 'shop/a': 0, 'shop/b': 0, 'shop/c': 0 });
    expect(copy.lines.filter((line) => line.startsWith('error')).length).toBe(1);
    cluster.put('gateways', gateway('d'));
    await expect.poll(() => copy.kept.size).toBe(4);
    isBroken = false;
    cluster.put('gateways', gateway('unrelated'));
    cluster.bookmark();
    cluster.version += 1;
    cluster.bookmark();
    await expect.poll(copy.specs).toEqual({
      'shop/a': 0,
      'shop/b': 0,
      'shop/bad': 0,
      'shop/c': 0,
      'shop/d': 0,
      'shop/unrelated': 0,
    });
    expect(await copy.metrics.expose()).toContain(
      'xebec_kube_callback_failures_total{resource="gateways.networking.istio.io"} 1',
    );
  });

  test('while it reads an object keeps what it has of it', async () => {
    const { cluster, respond } = clusterOf('a');
    const copy = await copyOf(respond, {
      project: (object) => {
        if (object['spec'] === 'odd') throw new Error('a bug');
        return keep(object);
      },
    });
    await expect.poll(() => cluster.watches.size).toBe(1);
    cluster.put('gateways', gateway('a', 'odd'));
    cluster.put('gateways', gateway('b'));
    await expect.poll(copy.specs).toEqual({ 'shop/a': 0, 'shop/b': 0 });
  });
});
