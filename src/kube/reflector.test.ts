import { describe, expect, test } from 'vitest';
import { clusterOf } from './testing/cluster-of.ts';
import { copyOf, countingLog, gateway, gateways, keep } from './testing/copy.ts';
import { type Respond, refuse, statusOf } from './testing/fake-api-server.ts';
import type { FakeCluster } from './testing/fake-cluster.ts';

const expired = statusOf({ code: 410, reason: 'Expired', message: 'too old resource version' });

function forbid(verb: 'list' | 'watch', cluster: FakeCluster): Respond {
  return (request, response) => {
    if ((request.query.get('watch') === 'true') === (verb === 'watch'))
      refuse(response, { code: 403, reason: 'Forbidden', message: `cannot ${verb}` });
    else cluster.respond(request, response);
  };
}

describe('a copy', () => {
  test('is what there is, and follows it', async () => {
    const { cluster, respond } = clusterOf('a', 'b');
    const copy = await copyOf(respond);
    await expect.poll(() => cluster.watches.size).toBe(1);
    expect([copy.specs(), copy.synced.count, copy.states]).toEqual([
      { 'shop/a': 0, 'shop/b': 0 },
      1,
      [{ kind: 'synced' }],
    ]);
    cluster.put('gateways', gateway('a', 1));
    cluster.put('gateways', gateway('c', 1));
    cluster.remove('gateways', 'shop', 'b');
    await expect.poll(copy.specs).toEqual({ 'shop/a': 1, 'shop/c': 1 });
    expect([copy.requests(false), copy.requests(true)]).toEqual([1, 1]);
  });

  test('comes page by page, each told as it arrives', async () => {
    const { respond } = clusterOf(...Array.from({ length: 1_200 }, (_, index) => `g${index}`));
    const copy = await copyOf(respond);
    await expect.poll(() => copy.synced.count).toBe(1);
    expect(copy.changes.map(({ upserts }) => upserts.length)).toEqual([500, 500, 200]);
  });

  test('is of one namespace where one is asked for', async () => {
    const { cluster, respond } = clusterOf('a');
    cluster.put('gateways', gateway('b', 0, 'other'));
    const copy = await copyOf(respond, { namespace: 'other' });
    await expect.poll(() => cluster.watches.size).toBe(1);
    cluster.put('gateways', gateway('c'));
    cluster.put('gateways', gateway('d', 0, 'other'));
    await expect.poll(copy.specs).toEqual({ 'other/b': 0, 'other/d': 0 });
  });

  test('resumes after the last event or bookmark, without a list', async () => {
    const { cluster, respond } = clusterOf('a');
    const copy = await copyOf(respond);
    await expect.poll(() => cluster.watches.size).toBe(1);
    cluster.put('gateways', gateway('b'));
    await expect.poll(() => copy.kept.size).toBe(2);
    cluster.version = 500;
    cluster.bookmark();
    await copy.clock.advance(10_000);
    for (const watch of cluster.watches) watch.end();
    await expect.poll(() => copy.requests(true)).toBe(2);
    expect(copy.server.requests.at(-1)?.query.get('resourceVersion')).toBe('500');
    expect(copy.requests(false)).toBe(1);
    cluster.put('gateways', gateway('c'));
    await expect.poll(() => copy.kept.size).toBe(3);
  });

  test('is watched for a minute at most until bookmarks come, and again once they fail to', async () => {
    const { cluster, respond } = clusterOf('a');
    const copy = await copyOf(respond, { random: () => 1 });
    const asked = (): unknown => copy.server.requests.at(-1)?.query.get('timeoutSeconds');
    await expect.poll(() => cluster.watches.size).toBe(1);
    expect(asked()).toBe('60');
    cluster.bookmark();
    for (const watch of cluster.watches) watch.end();
    await expect.poll(asked).toBe('600');
    await copy.clock.advance(75_000);
    await copy.wire.advance(75_000);
    await copy.pause(1_000);
    await expect.poll(asked).toBe('60');
    expect(copy.states).toEqual([{ kind: 'synced' }]);
  });

  test('tells each change once, however often it comes, and in whatever order', async () => {
    const { cluster, respond } = clusterOf('a', 'b');
    const copy = await copyOf(respond);
    await expect.poll(() => cluster.watches.size).toBe(1);
    const old = cluster.get('gateways', 'shop', 'a')!;
    const gone = cluster.get('gateways', 'shop', 'b')!;
    const changed = cluster.put('gateways', gateway('a', 1));
    cluster.remove('gateways', 'shop', 'b');
    const [watch] = cluster.watches;
    const told = cluster.last('gateways')!;
    for (const [type, object] of [
      ['MODIFIED', changed],
      ['ADDED', old],
      ['DELETED', told.object],
      ['MODIFIED', old],
      ['ADDED', gone],
      ['ADDED', gateway('versionless')],
    ] as const)
      watch!.event(type, object);
    cluster.put('gateways', gateway('last'));
    await expect.poll(copy.specs).toEqual({ 'shop/a': 1, 'shop/last': 0 });
    const rest = copy.changes.slice(1);
    expect(rest.flatMap(({ upserts }) => upserts.map(({ key }) => key)).toSorted()).toEqual(['shop/a', 'shop/last']);
    expect(rest.flatMap(({ deletes }) => deletes)).toEqual(['shop/b']);
  });

  test('after a gap deletes what is gone, and tells again only what changed', async () => {
    const { cluster, respond } = clusterOf('a', 'b', 'c');
    const copy = await copyOf(respond);
    await expect.poll(() => cluster.watches.size).toBe(1);
    cluster.compact();
    await expect.poll(() => cluster.watches.size).toBe(0);
    cluster.remove('gateways', 'shop', 'b');
    cluster.put('gateways', gateway('c', 1));
    cluster.put('gateways', gateway('d'));
    cluster.compact();
    // The short watch, and the expired one.
    await copy.pause(1_000);
    await copy.pause(1_000);
    await expect.poll(() => copy.synced.count).toBe(2);
    expect(copy.specs()).toEqual({ 'shop/a': 0, 'shop/c': 1, 'shop/d': 0 });
    expect(copy.changes.slice(1)).toEqual([
      { upserts: [keep(gateway('c', 1)), keep(gateway('d'))], deletes: ['shop/b'] },
    ]);
  });

  test('is smaller by what is of no interest, or is so no more', async () => {
    const { cluster, respond } = clusterOf('a');
    cluster.put('gateways', gateway('b', 'dull'));
    const copy = await copyOf(respond, {
      project: (object) => (object['spec'] === 'dull' ? undefined : keep(object)),
    });
    await expect.poll(() => cluster.watches.size).toBe(1);
    expect(copy.specs()).toEqual({ 'shop/a': 0 });
    cluster.put('gateways', gateway('a', 'dull'));
    cluster.put('gateways', gateway('b', 1));
    await expect.poll(copy.specs).toEqual({ 'shop/b': 1 });
  });
});

describe('trouble', () => {
  test('a hundred expired watches are no storm of lists', async () => {
    const { cluster, takeover, respond } = clusterOf('a');
    takeover.respond = (request, response) => {
      if (request.query.get('watch') !== 'true') cluster.respond(request, response);
      else response.writeHead(200).end(`${JSON.stringify({ type: 'ERROR', object: expired })}\n`);
    };
    const copy = await copyOf(respond, { random: () => 0 });
    const listedAt: number[] = [];
    const begin = copy.clock.monotonic();
    for (let watches = 1; watches <= 100; watches += 1) {
      await copy.pause(0);
      expect(copy.requests(true)).toBe(watches);
      listedAt.push(copy.clock.monotonic() - begin);
      await copy.pause(30_000, watches < 8 ? 125 : 1_000);
    }
    expect(listedAt.slice(0, 8)).toEqual([0, 250, 750, 1_750, 3_750, 7_750, 15_750, 30_750]);
    await copy.pause(0);
    expect(copy.requests(false)).toBe(101);
    takeover.respond = undefined;
    cluster.put('gateways', gateway('b'));
    await copy.pause(30_000);
    await expect.poll(copy.specs).toEqual({ 'shop/a': 0, 'shop/b': 0 });
    expect(copy.states).toEqual([{ kind: 'synced' }]);
  });

  test('an outage at the start is told, and ends by itself', async () => {
    const { cluster, takeover, respond } = clusterOf('a');
    takeover.respond = (_, response) =>
      refuse(response, { code: 503, reason: 'ServiceUnavailable', message: 'not yet' });
    const copy = await copyOf(respond);
    await expect.poll(() => copy.states).toEqual([{ kind: 'failing', message: 'not yet' }]);
    for (let count = 0; count < 40; count += 1) await copy.pause(8_000);
    expect([copy.synced.count, copy.changes]).toEqual([0, []]);
    await copy.pause(0);
    takeover.respond = undefined;
    await copy.pause(8_000);
    await expect.poll(copy.specs).toEqual({ 'shop/a': 0 });
    expect(copy.states).toEqual([{ kind: 'failing', message: 'not yet' }, { kind: 'synced' }]);
    await expect.poll(() => cluster.watches.size).toBe(1);
    expect(copy.lines.filter((line) => !line.startsWith('debug'))).toEqual([
      'warn a resource of the Kubernetes API cannot be read; what is known of it stays, and it is tried again',
      'info a resource of the Kubernetes API can be read again',
    ]);
  });

  test('an outage later deletes nothing, is told once, and is over within seconds of its end', async () => {
    const { cluster, takeover, respond } = clusterOf('a', 'b');
    const copy = await copyOf(respond);
    await expect.poll(() => cluster.watches.size).toBe(1);
    takeover.respond = (_, response) => void response.destroy();
    copy.server.cut();
    // Half an hour.
    for (let count = 0; count < 300; count += 1) await copy.pause(8_000);
    await copy.pause(0);
    expect(copy.specs()).toEqual({ 'shop/a': 0, 'shop/b': 0 });
    expect(copy.states.map(({ kind }) => kind)).toEqual(['synced', 'failing']);
    takeover.respond = undefined;
    cluster.remove('gateways', 'shop', 'b');
    await copy.pause(8_000);
    await expect.poll(copy.specs).toEqual({ 'shop/a': 0 });
    expect([copy.requests(false), copy.states.at(-1)]).toEqual([1, { kind: 'synced' }]);
  });

  test('a server that asks for patience gets it', async () => {
    const { cluster, takeover, respond } = clusterOf('a');
    takeover.respond = (_, response) =>
      refuse(response, { code: 429, reason: 'TooManyRequests', message: 'later' }, { 'retry-after': '20' });
    const copy = await copyOf(respond, { random: () => 0 });
    await copy.pause(0);
    takeover.respond = undefined;
    await copy.pause(19_999);
    expect(copy.server.requests.length).toBe(1);
    await copy.clock.advance(1);
    await expect.poll(() => cluster.watches.size).toBe(1);
  });

  test('a silent watch is replaced, and there is one afterwards', async () => {
    const { cluster, respond } = clusterOf('a');
    const copy = await copyOf(respond);
    await expect.poll(() => cluster.watches.size).toBe(1);
    await expect.poll(() => copy.states.length).toBe(1);
    const [silent] = cluster.watches;
    await copy.wire.advance(75_000);
    await copy.pause(1_000);
    await expect.poll(() => [...cluster.watches].filter((watch) => watch !== silent).length).toBe(1);
    await expect.poll(() => cluster.watches.size).toBe(1);
    cluster.put('gateways', gateway('b'));
    await expect.poll(() => copy.kept.size).toBe(2);
  });

  test('a resource that is not there is looked for until it is', async () => {
    const { takeover, respond } = clusterOf('a');
    takeover.respond = (_, response) => void response.writeHead(404).end('404 page not found\n');
    const copy = await copyOf(respond);
    await expect.poll(() => copy.states).toEqual([{ kind: 'absent', message: 'HTTP 404: 404 page not found' }]);
    takeover.respond = undefined;
    await copy.pause(1_000);
    await expect.poll(copy.specs).toEqual({ 'shop/a': 0 });
    expect(copy.states.at(-1)).toEqual({ kind: 'synced' });
  });

  test('a resource that goes leaves what is known of it', async () => {
    const { cluster, takeover, respond } = clusterOf('a');
    const copy = await copyOf(respond);
    await expect.poll(() => cluster.watches.size).toBe(1);
    takeover.respond = (_, response) => void response.writeHead(404).end();
    for (const watch of cluster.watches) watch.end();
    for (let count = 0; count < 10; count += 1) await copy.pause(30_000);
    expect([copy.states.at(-1)?.kind, copy.specs()]).toEqual(['absent', { 'shop/a': 0 }]);
  });

  test.each(['list', 'watch'] as const)('a verb (%s) that is taken away and given back', async (verb) => {
    const { cluster, takeover, respond } = clusterOf('a');
    takeover.respond = forbid(verb, cluster);
    const copy = await copyOf(respond);
    const message = `cannot ${verb}`;
    await expect.poll(() => copy.states.at(-1)).toEqual({ kind: 'forbidden', message });
    for (let count = 0; count < 20; count += 1) await copy.pause(30_000);
    await copy.pause(0);
    expect(copy.requests(false)).toBeLessThan(25);
    expect(copy.specs()).toEqual(verb === 'list' ? {} : { 'shop/a': 0 });
    takeover.respond = undefined;
    await copy.pause(30_000);
    await expect.poll(() => cluster.watches.size).toBe(1);
    await expect.poll(() => copy.states.at(-1)).toEqual({ kind: 'synced' });
    expect(copy.specs()).toEqual({ 'shop/a': 0 });
  });

  test('a watch that cannot be resumed is followed by a list in the end', async () => {
    const { cluster, takeover, respond } = clusterOf('a');
    const copy = await copyOf(respond);
    await expect.poll(() => cluster.watches.size).toBe(1);
    takeover.respond = (request, response) => {
      if (request.query.get('watch') === 'true') response.writeHead(200).end('{"no event\n');
      else cluster.respond(request, response);
    };
    for (const watch of cluster.watches) watch.raw('{"no event\n');
    for (let count = 0; count < 5; count += 1) await copy.pause(8_000);
    await copy.pause(0);
    expect(copy.requests(false)).toBe(2);
  });

  test('a page that is too large is asked for in halves', async () => {
    const { cluster, takeover, respond } = clusterOf(...Array.from({ length: 40 }, (_, index) => `g${index}`));
    takeover.respond = (request, response) => {
      if (Number(request.query.get('limit')) <= 15) cluster.respond(request, response);
      else refuse(response, { code: 413, reason: 'RequestEntityTooLarge', message: 'too much' });
    };
    const copy = await copyOf(respond);
    await expect.poll(() => copy.synced.count).toBe(1);
    expect(copy.kept.size).toBe(40);
  });

  test('a list that expires between two pages begins anew, and tells nothing twice', async () => {
    const { cluster, takeover, respond } = clusterOf(...Array.from({ length: 700 }, (_, index) => `g${index}`));
    takeover.respond = (request, response) => {
      if (request.query.get('continue') !== null) {
        takeover.respond = undefined;
        cluster.compact();
      }
      cluster.respond(request, response);
    };
    const copy = await copyOf(respond);
    await copy.pause(0);
    expect([copy.kept.size, copy.synced.count]).toEqual([500, 0]);
    await copy.pause(1_000);
    await expect.poll(() => copy.synced.count).toBe(1);
    expect(copy.changes.map(({ upserts, deletes }) => [upserts.length, deletes.length])).toEqual([
      [500, 0],
      [200, 0],
    ]);
  });
});

describe('a reflector', () => {
  test('that is stopped leaves no timer, no connection in use and no late word', async () => {
    const { cluster, respond } = clusterOf('a');
    const copy = await copyOf(respond);
    await expect.poll(() => cluster.watches.size).toBe(1);
    await copy.end();
    cluster.put('gateways', gateway('b'));
    await expect.poll(() => cluster.watches.size).toBe(0);
    expect([copy.clock.sleeping, copy.specs()]).toEqual([0, { 'shop/a': 0 }]);
  });

  test('counts what it does, by resource and reason, never by object', async () => {
    const { cluster, respond } = clusterOf('a');
    const copy = await copyOf(respond);
    await expect.poll(() => cluster.watches.size).toBe(1);
    cluster.put('gateways', gateway('b'));
    await expect.poll(() => copy.kept.size).toBe(2);
    copy.server.cut();
    await copy.pause(0);
    const text = await copy.metrics.expose();
    const resource = `${gateways.plural}.${gateways.group}`;
    for (const line of [
      `xebec_kube_lists_total{resource="${resource}"} 1`,
      `xebec_kube_watches_total{resource="${resource}"} 1`,
      `xebec_kube_watch_events_total{resource="${resource}",type="ADDED"} 1`,
      `xebec_kube_watch_errors_total{resource="${resource}",reason="unreachable"} 1`,
      `xebec_kube_objects{resource="${resource}"} 2`,
    ])
      expect(text).toContain(line);
    expect(text).not.toContain('shop');
    expect(countingLog().lines).toEqual([]);
  });
});
