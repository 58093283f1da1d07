import { beforeEach, describe, expect, it } from 'vitest';
import { TypeUrls } from '../../../src/xds/type-urls.ts';
import { startServer, type TestServer } from './support/server.ts';

let server: TestServer;

beforeEach(async () => {
  server = await startServer();
});

function convicted(): readonly string[] {
  return server.nacks.map(({ resource, scope }) => `${resource.name} for ${scope}`);
}

describe('a rejected response', () => {
  it('convicts the resource that the message names, and brings the others again', async () => {
    server.world.put('listener', 'good').put('listener', 'bad').put('listener', 'fine');
    const stream = server.connect('delta');
    await stream.nack(
      await stream.ask({ type: 'listener' }),
      'Error adding/updating listener(s) bad: no such filter\n',
    );
    expect((await stream.next()).names).toEqual(['good', 'fine']);
    expect(convicted()).toEqual(['bad for everybody']);
    expect(server.nacks[0]).toMatchObject({
      typeUrl: 'type.googleapis.com/envoy.config.listener.v3.Listener',
      error: 'Error adding/updating listener(s) bad: no such filter\n',
      origins: [{ kind: 'VirtualService', namespace: 'default', name: 'object-of-bad', path: 'spec' }],
    });
    expect(await server.metric('pilot_xds_lds_reject')).toBe(1);
  });

  it('of secrets says nothing to others, and is offered again to the proxy that lacks a file', async () => {
    server.world.putExtra(TypeUrls.secret, ['file-cert:a']);
    const stream = server.connect('delta');
    const offered = await stream.ask({ type: 'secret', subscribe: ['file-cert:a'] });
    await stream.nack(offered, 'Invalid path: a');
    await stream.expectNothing();
    expect(convicted()).toEqual(['file-cert:a for this proxy']);
    const other = server.connect('delta', 'router~2~b.ns~d');
    const seen = await other.ask({ type: 'secret', subscribe: ['file-cert:a'] });
    expect(seen.names).toEqual(['file-cert:a']);
    await server.clock.advance(4000);
    const again = await stream.next();
    expect(again.names).toEqual(['file-cert:a']);
    await stream.ack(again);
    await server.clock.advance(120_000);
    await stream.expectNothing();
  });

  it('for a file that the proxy lacks says nothing to others, and lets what is wrong beside it be known', async () => {
    server.world.put('cluster', 'a').put('cluster', 'b').put('cluster', 'c');
    const stream = server.connect('delta');
    const missing = "paths must refer to an existing path in the system: '/etc/certs/sds-cert.yaml' does not exist";
    await stream.nack(
      await stream.ask({ type: 'cluster' }),
      `Error adding/updating cluster(s) a: ${missing}, b: no such field, c: ${missing}`,
    );
    await stream.expectNothing();
    expect(convicted()).toEqual(['a for this proxy', 'b for everybody', 'c for this proxy']);
    const other = server.connect('delta', 'sidecar~10.0.0.2~b.ns~d');
    expect((await other.ask({ type: 'cluster' })).names).toEqual(['a', 'c']);
  });

  it('convicts its only resource, whatever the message', async () => {
    server.world.put('cluster', 'a');
    const stream = server.connect('delta');
    await stream.nack(await stream.ask({ type: 'cluster' }), '');
    await stream.expectNothing();
    expect(convicted()).toEqual(['a for everybody']);
  });

  it.each(['delta', 'sotw'] as const)(
    'is sent again in halves when the message names nothing, until the guilty one is found, %s',
    async (protocol) => {
      const names = Array.from({ length: 64 }, (_, at) => `c${at}`);
      for (const name of names) server.world.put('cluster', name);
      const stream = server.connect(protocol);
      const accepted = new Set<string>();
      await stream.send({ type: 'cluster' });
      let responses = 0;
      let isAlone = false;
      for (; accepted.size < 63 || !isAlone; responses += 1) {
        const response = await stream.next();
        const fresh = response.names.filter((name) => !accepted.has(name));
        if (fresh.includes('c37')) {
          isAlone = fresh.length === 1;
          await stream.nack(response, 'something is wrong');
        } else {
          for (const name of fresh) accepted.add(name);
          await stream.ack(response);
        }
      }
      await stream.expectNothing();
      expect(convicted()).toEqual(['c37 for everybody']);
      expect(responses).toBeLessThan(20);
    },
  );

  it('finds several that are guilty without end of tries', async () => {
    const names = Array.from({ length: 100 }, (_, at) => `c${at}`);
    for (const name of names) server.world.put('cluster', name);
    const guilty = new Set(['c3', 'c4', 'c50', 'c99']);
    const stream = server.connect('delta');
    let response = await stream.ask({ type: 'cluster' });
    const accepted = new Set<string>();
    for (let responses = 0; accepted.size + server.nacks.length < 100; responses += 1) {
      expect(responses).toBeLessThan(80);
      if (response.names.some((name) => guilty.has(name))) {
        await stream.nack(response, 'no');
      } else {
        for (const name of response.names) accepted.add(name);
        await stream.ack(response);
      }
      if (accepted.size < 96) response = await stream.next();
      else await stream.expectNothing();
    }
    expect(new Set(server.nacks.map(({ resource }) => resource.name))).toEqual(guilty);
  });

  it('does not keep the phases after it waiting', async () => {
    server.world.put('cluster', 'a').put('route', 'r', { clusters: ['a'] });
    const stream = server.connect('delta');
    const clusters = await stream.ask({ type: 'cluster' });
    await stream.send({ type: 'route', subscribe: ['r'] });
    await stream.expectNothing();
    await stream.nack(clusters, 'no');
    expect((await stream.next()).names).toEqual(['r']);
  });

  it('ends in nothing for a client that rejects everything', async () => {
    for (const name of ['a', 'b', 'c']) server.world.put('cluster', name);
    const stream = server.connect('delta');
    await stream.send({ type: 'cluster' });
    for (let n = 0; n < 5; n += 1) await stream.nack(await stream.next(), 'never');
    await stream.expectNothing();
    expect(convicted().length).toBe(3);
  });
});

describe('a rejected version', () => {
  it('is not sent to anybody else, who get the last accepted one', async () => {
    server.world.put('cluster', 'a').put('cluster', 'b');
    const first = server.connect('delta', 'sidecar~1~first.ns~d');
    const accepted = await first.ask({ type: 'cluster' });
    await first.ack(accepted);
    server.world.put('cluster', 'a');
    server.changed();
    await first.nack(await first.next(), 'no');
    await first.expectNothing();

    const later = await server.connect('delta', 'sidecar~2~later.ns~d').ask({ type: 'cluster' });
    expect(later.versions).toEqual(accepted.versions);
    const sotw = await server.connect('sotw', 'sidecar~3~later.ns~d').ask({ type: 'cluster' });
    expect(sotw.contents).toEqual(accepted.contents);
  });

  it('is left out when none was ever accepted', async () => {
    server.world.put('cluster', 'a').put('cluster', 'b');
    const first = server.connect('delta', 'one');
    await first.nack(await first.ask({ type: 'cluster' }), "cluster 'a' is wrong");
    await first.ack(await first.next());
    await first.expectNothing();
    expect((await server.connect('delta', 'two').ask({ type: 'cluster' })).names).toEqual(['b']);
  });

  it('is replaced when its content changes', async () => {
    server.world.put('cluster', 'a');
    const stream = server.connect('delta');
    await stream.nack(await stream.ask({ type: 'cluster' }), 'no');
    await stream.expectNothing();
    server.world.put('cluster', 'a');
    server.changed();
    expect((await stream.next()).names).toEqual(['a']);
  });

  it('is kept from the one that rejects it only, when others run it', async () => {
    server.world.put('cluster', 'a');
    const good = server.connect('delta', 'good');
    await good.ack(await good.ask({ type: 'cluster' }));
    await good.expectNothing();
    const bad = server.connect('delta', 'bad');
    await bad.nack(await bad.ask({ type: 'cluster' }), 'no');
    await bad.expectNothing();
    expect(convicted()).toEqual(['a for this proxy']);
    expect((await server.connect('delta', 'third').ask({ type: 'cluster' })).names).toEqual(['a']);
  });

  it('is given to all who lack it once somebody accepts it after all', async () => {
    server.world.put('cluster', 'a');
    const [hostile, slow] = [server.connect('delta', 'hostile'), server.connect('delta', 'slow')];
    const underWay = await slow.ask({ type: 'cluster' });
    await hostile.nack(await hostile.ask({ type: 'cluster' }), 'no');
    await hostile.expectNothing();
    const waiting = server.connect('delta', 'waiting');
    await waiting.ack(await waiting.ask({ type: 'cluster' }));
    await slow.ack(underWay);
    expect((await waiting.next()).names).toEqual(['a']);
    await hostile.expectNothing();
  });

  it('is tried with one other client after a while', async () => {
    server.world.put('cluster', 'a');
    const hostile = server.connect('delta', 'hostile');
    await hostile.nack(await hostile.ask({ type: 'cluster' }), 'no');
    await hostile.expectNothing();
    const [one, two] = [server.connect('delta', 'one'), server.connect('delta', 'two')];
    for (const stream of [one, two]) await stream.ack(await stream.ask({ type: 'cluster' }));
    await two.expectNothing();
    await server.clock.advance(32_000);
    const trial = await one.next();
    expect(trial.names).toEqual(['a']);
    await two.expectNothing();
    await one.ack(trial);
    expect((await two.next()).names).toEqual(['a']);
  });

  it('of a proxy that was overruled before counts for that proxy only', async () => {
    server.world.put('cluster', 'a');
    const [hostile, slow] = [server.connect('delta', 'hostile'), server.connect('delta', 'slow')];
    const underWay = await slow.ask({ type: 'cluster' });
    await hostile.nack(await hostile.ask({ type: 'cluster' }), 'no');
    await hostile.expectNothing();
    await slow.ack(underWay);
    await slow.expectNothing();
    server.world.put('cluster', 'b');
    await hostile.send({ type: 'endpoint' });
    server.changed();
    await hostile.nack(await hostile.next(), 'no again');
    await hostile.expectNothing();
    expect(convicted()).toEqual(['a for everybody', 'b for this proxy']);
  });
});

describe('a listener that is rejected while another is about to go', () => {
  it('is tried again once that one is gone: they may have one address', async () => {
    server.world.put('listener', 'old');
    const stream = server.connect('delta');
    await stream.ack(await stream.ask({ type: 'listener' }));
    server.world.remove('listener', 'old').put('listener', 'new');
    server.changed();
    await stream.nack(
      await stream.next(),
      "Error adding/updating listener(s) new: has duplicate address as existing listener 'old'",
    );
    const removal = await stream.next();
    expect(removal).toMatchObject({ names: [], removed: ['old'] });
    await stream.ack(removal);
    const again = await stream.next();
    expect(again.names).toEqual(['new']);
    expect(server.nacks).toEqual([]);
    await stream.nack(again, 'Error adding/updating listener(s) new: really bad');
    await stream.expectNothing();
    expect(convicted()).toEqual(['new for everybody']);
  });
});

describe('what a rejected change would have stopped using', () => {
  it('stays at the client that still uses it', async () => {
    server.world.put('cluster', 'a').put('route', 'r', { clusters: ['a'] });
    const stream = server.connect('delta');
    await stream.ack(await stream.ask({ type: 'cluster' }));
    await stream.ack(await stream.ask({ type: 'endpoint', subscribe: ['a'] }));
    await stream.ack(await stream.ask({ type: 'route', subscribe: ['r'] }));
    server.world.put('route', 'r', { clusters: [] }).remove('cluster', 'a');
    server.changed();
    await stream.nack(await stream.next(), 'no');
    await stream.expectNothing();
    await server.clock.advance(60_000);
    await stream.expectNothing();
    server.world.put('route', 'r', { clusters: [] });
    server.changed();
    await stream.ack(await stream.next());
    expect((await stream.next()).removed).toEqual(['a']);
  });
});
