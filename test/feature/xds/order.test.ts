import { beforeEach, describe, expect, it } from 'vitest';
import type { RawStream, ResponseText } from './support/raw-stream.ts';
import { startServer, type TestServer } from './support/server.ts';

let server: TestServer;

beforeEach(async () => {
  server = await startServer();
  server.world
    .put('cluster', 'a')
    .put('route', 'r', { clusters: ['a'] })
    .put('listener', 'l', { clusters: ['a'], route: 'r' });
});

const subscriptions = {
  delta: [
    { type: 'cluster' },
    { type: 'endpoint', subscribe: ['a'] },
    { type: 'listener' },
    { type: 'route', subscribe: ['r'] },
  ],
  sotw: [
    { type: 'cluster' },
    { type: 'endpoint', names: ['a'] },
    { type: 'listener' },
    { type: 'route', names: ['r'] },
  ],
} as const;

/** A client that has everything and confirmed it. */
async function connected(protocol: 'delta' | 'sotw'): Promise<RawStream> {
  const stream = server.connect(protocol);
  for (const subscription of subscriptions[protocol]) {
    const response = await stream.ask(subscription);
    await stream.ack(response, 'names' in subscription ? subscription.names : undefined);
  }
  await stream.expectNothing();
  return stream;
}

/** Moves listener and route to a new cluster, and the old one away: the change for which order matters most. */
function moveToB(): void {
  server.world
    .put('cluster', 'b')
    .put('route', 'r', { clusters: ['b'] })
    .put('listener', 'l', { clusters: ['b'] });
  server.world.remove('cluster', 'a');
  server.changed();
}

function text({ type, names, removed }: ResponseText): string {
  return `${type} +${names.join()} -${removed.join()}`;
}

describe('a change of all types, delta', () => {
  it('goes out as the client confirms: cluster, its endpoints, listener and route, removals', async () => {
    const stream = await connected('delta');
    moveToB();
    const clusters = await stream.next();
    expect(text(clusters)).toBe('cluster +b -');
    await stream.expectNothing();
    await stream.ack(clusters);
    await stream.expectNothing();
    const endpoints = await stream.ask({ type: 'endpoint', subscribe: ['b'] });
    expect(text(endpoints)).toBe('endpoint +b -');
    await stream.expectNothing();
    await stream.ack(endpoints);
    const [listeners, routes] = [await stream.next(), await stream.next()];
    expect([text(listeners), text(routes)]).toEqual(['listener +l -', 'route +r -']);
    await stream.ack(listeners);
    await stream.expectNothing();
    await stream.ack(routes);
    const removal = await stream.next();
    expect(text(removal)).toBe('cluster + -a');
    await stream.expectNothing();
    await stream.ack(removal);
    expect(text(await stream.next())).toBe('endpoint + -a');
  });

  it('does not make a changed route wait for anything that it does not name', async () => {
    const stream = await connected('delta');
    server.world.put('cluster', 'b').put('route', 'r');
    server.changed();
    expect([text(await stream.next()), text(await stream.next())]).toEqual(['cluster +b -', 'route +r -']);
  });

  it('merges what comes while it waits: only the newest is sent', async () => {
    const stream = await connected('delta');
    moveToB();
    const clusters = await stream.next();
    for (let n = 0; n < 5; n += 1) {
      server.world.put('cluster', 'c').put('endpoint', 'b');
      server.changed();
    }
    await stream.expectNothing();
    await stream.ack(clusters);
    expect(text(await stream.next())).toBe('cluster +c -');
    await stream.expectNothing();
  });

  it('does not send a cluster away that came back meanwhile', async () => {
    const stream = await connected('delta');
    moveToB();
    const clusters = await stream.next();
    await stream.ack(clusters);
    const endpoints = await stream.ask({ type: 'endpoint', subscribe: ['b'] });
    server.world.put('cluster', 'a');
    server.changed();
    const [again, changedEndpoints] = [await stream.next(), await stream.ack(endpoints).then(() => stream.next())];
    expect([text(again), text(changedEndpoints)]).toEqual(['cluster +a -', 'endpoint +a -']);
  });
});

describe('a change of one type', () => {
  it.each(['cluster', 'endpoint', 'route', 'listener'] as const)('goes out at once: %s', async (kind) => {
    const stream = await connected('delta');
    server.world.put(kind, { cluster: 'a', endpoint: 'a', route: 'r', listener: 'l' }[kind]);
    server.changed();
    expect((await stream.next()).type).toBe(kind);
  });

  it('that only removes goes out at once', async () => {
    server.world.put('cluster', 'unused');
    const stream = await connected('delta');
    server.world.remove('cluster', 'unused');
    server.changed();
    expect(text(await stream.next())).toBe('cluster + -unused');
  });
});

describe('a cluster that changed', () => {
  it.each(['delta', 'sotw'] as const)(
    'is followed by its endpoints though they did not change, %s',
    async (protocol) => {
      const stream = await connected(protocol);
      server.world.put('cluster', 'a');
      server.changed();
      expect([(await stream.next()).type, text(await stream.next())]).toEqual(['cluster', 'endpoint +a -']);
    },
  );
});

describe('a change of all types, state of the world', () => {
  it('keeps what is still in use in the first response and omits it in the last', async () => {
    const stream = await connected('sotw');
    moveToB();
    const clusters = await stream.next();
    expect(clusters.names).toEqual(['b', 'a']);
    await stream.ack(clusters);
    const endpoints = await stream.ask({ type: 'endpoint', names: ['a', 'b'] });
    expect(endpoints.names).toEqual(['b']);
    await stream.ack(endpoints, ['a', 'b']);
    const [listeners, routes] = [await stream.next(), await stream.next()];
    expect([listeners.names, routes.names]).toEqual([['l'], ['r']]);
    await stream.ack(listeners);
    await stream.ack(routes, ['r']);
    expect(await stream.next()).toMatchObject({ type: 'cluster', names: ['b'] });
  });

  it('keeps the old form of a listener whose new one has to wait', async () => {
    server.world.put('listener', 'other');
    const stream = await connected('sotw');
    server.world
      .put('cluster', 'b')
      .put('listener', 'l', { clusters: ['b'] })
      .put('listener', 'other');
    server.changed();
    await stream.next();
    const listeners = await stream.next();
    expect(listeners.names).toEqual(['l', 'other']);
    expect(listeners.contents[0]).toContain('"clusters":["a"]');
  });
});

describe('listeners', () => {
  it('are all in the first answer, or it waits', async () => {
    server.world.put('listener', 'independent');
    const stream = server.connect('delta');
    const clusters = await stream.ask({ type: 'cluster' });
    await stream.send({ type: 'listener' });
    await stream.expectNothing();
    await stream.ack(clusters);
    await stream.ack(await stream.ask({ type: 'endpoint', subscribe: ['a'] }));
    expect((await stream.next()).names).toEqual(['l', 'independent']);
  });

  it('leave after what replaces them works', async () => {
    const stream = await connected('delta');
    server.world.remove('listener', 'l').put('listener', 'new');
    server.changed();
    const added = await stream.next();
    expect(text(added)).toBe('listener +new -');
    await stream.expectNothing();
    await stream.ack(added);
    expect(text(await stream.next())).toBe('listener + -l');
  });
});

describe('a client that asks for one thing after another', () => {
  it.each(['delta', 'sotw'] as const)('never waits, %s', async (protocol) => {
    const stream = server.connect(protocol);
    for (const [type, name] of [
      ['listener', 'l'],
      ['route', 'r'],
      ['cluster', 'a'],
      ['endpoint', 'a'],
    ] as const) {
      const response = await stream.ask({ type, names: [name], subscribe: [name] });
      expect(response.names).toEqual([name]);
      await stream.ack(response, [name]);
    }
    server.world.put('cluster', 'b').put('route', 'r', { clusters: ['b'] });
    server.changed();
    const route = await stream.next();
    expect(route).toMatchObject({ type: 'route', names: ['r'] });
    await stream.ack(route, ['r']);
    expect(await stream.ask({ type: 'cluster', names: ['a', 'b'], subscribe: ['b'] })).toMatchObject({
      type: 'cluster',
    });
  });
});

describe('a client that does not confirm', () => {
  it('is waited for, but not for ever', async () => {
    const stream = await connected('delta');
    moveToB();
    await stream.next();
    await server.clock.advance(9000);
    await stream.expectNothing();
    await server.clock.advance(2000);
    expect([text(await stream.next()), text(await stream.next())]).toEqual(['listener +l -', 'route +r -']);
    expect(await server.metric('xebec_xds_overdue_total{type="cds"}')).toBe(1);
  });

  it('keeps nobody else waiting', async () => {
    const [silent, other] = [await connected('delta'), await connected('delta')];
    moveToB();
    await silent.next();
    await other.ack(await other.next());
    await other.ack(await other.ask({ type: 'endpoint', subscribe: ['b'] }));
    expect((await other.next()).type).toBe('listener');
  });

  it('may confirm late', async () => {
    const stream = await connected('delta');
    server.world.put('route', 'r');
    server.changed();
    const route = await stream.next();
    await server.clock.advance(60_000);
    await stream.ack(route);
    expect(server.acks.at(-1)?.resources.map(({ name }) => name)).not.toEqual(['r']);
    await stream.expectNothing();
    expect(server.acks.map(({ resources }) => resources.map(({ name }) => name).join())).toContain('r');
    expect(await server.metric('pilot_xds_expired_nonce{type="rds"}')).toBe(0);
  });

  it('that has no use for endpoints holds back only the first time', async () => {
    const stream = server.connect('delta');
    await stream.ack(await stream.ask({ type: 'cluster' }));
    await stream.send({ type: 'listener' });
    await stream.expectNothing();
    await server.clock.advance(11_000);
    await stream.ack(await stream.next());
    server.world.put('listener', 'l');
    server.changed();
    expect(text(await stream.next())).toBe('listener +l -');
  });
});

describe('an edit of several objects, one after the other', () => {
  it('shows no route that leads nowhere: it comes with its cluster', async () => {
    const stream = await connected('delta');
    server.world.put('route', 'r', { clusters: ['b'] });
    server.changed();
    await stream.expectNothing();
    server.world.put('cluster', 'b');
    server.changed();
    await stream.ack(await stream.next());
    await stream.ack(await stream.ask({ type: 'endpoint', subscribe: ['b'] }));
    expect(text(await stream.next())).toBe('route +r -');
  });

  it.each(['delta', 'sotw'] as const)('keeps a cluster that routes still name, %s', async (protocol) => {
    const stream = await connected(protocol);
    server.world.remove('cluster', 'a');
    server.changed();
    await stream.expectNothing();
    server.world.put('route', 'r', { clusters: [] }).put('listener', 'l', { clusters: [] });
    server.changed();
    await stream.ack(await stream.next());
    await stream.ack(await stream.next(), ['r']);
    const clusters = await stream.next();
    expect([clusters.type, clusters.names]).toEqual(['cluster', []]);
  });

  it('is waited for only so long, and once', async () => {
    const stream = await connected('delta');
    server.world.put('route', 'r', { clusters: ['b'] });
    server.changed();
    await server.clock.advance(4000);
    await stream.expectNothing();
    await server.clock.advance(2000);
    await stream.ack(await stream.next());
    server.world.put('route', 'r');
    server.changed();
    expect(text(await stream.next())).toBe('route +r -');
  });

  it('that stays unfinished costs the cluster in the end', async () => {
    const stream = await connected('delta');
    server.world.remove('cluster', 'a');
    server.changed();
    await server.clock.advance(4000);
    await stream.expectNothing();
    await server.clock.advance(2000);
    expect(text(await stream.next())).toBe('cluster + -a');
  });

  it('keeps no newcomer waiting', async () => {
    server.world.put('route', 'r', { clusters: ['b'] });
    await connected('delta');
  });
});
