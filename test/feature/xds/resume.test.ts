import { describe, expect, it } from 'vitest';
import { Verdicts } from '../../../src/xds/verdicts.ts';
import { startServer } from './support/server.ts';
import { World } from './support/world.ts';

describe('a delta client that comes back', () => {
  it('to a server that was restarted gets only the differences', async () => {
    const before = await startServer();
    before.world.put('cluster', 'same').put('cluster', 'changed').put('cluster', 'gone');
    const stream = before.connect('delta');
    const first = await stream.ask({ type: 'cluster' });
    await stream.ack(first);
    await before.stop();

    const after = await startServer({
      world: new World(new Verdicts()).put('cluster', 'same').put('cluster', 'changed'),
    });
    after.world.put('endpoint', 'x').put('cluster', 'changed').put('cluster', 'new');
    const again = after.connect('delta');
    const second = await again.ask({ type: 'cluster', versions: first.versions });
    expect(second).toMatchObject({ names: ['changed', 'new'], removed: [] });
    await again.ack(second);
    await again.send({ type: 'listener', subscribe: ['*'], versions: { l: 'x' } });
    await again.send({ type: 'route' });
    expect(await again.next()).toMatchObject({ type: 'listener', removed: ['l'] });
  });

  it('gets nothing when nothing has changed', async () => {
    const server = await startServer();
    server.world.put('cluster', 'a').put('cluster', 'b');
    const clusters = await server.connect('delta').ask({ type: 'cluster' });
    const endpoints = await server.connect('delta').ask({ type: 'endpoint', subscribe: ['a', 'b'] });
    const again = server.connect('delta');
    await again.send({ type: 'cluster', versions: clusters.versions });
    await again.send({ type: 'endpoint', subscribe: ['a', 'b'], versions: endpoints.versions });
    await again.expectNothing();
    server.world.put('endpoint', 'b');
    server.changed();
    expect((await again.next()).names).toEqual(['b']);
  });

  it('loses what is gone only when it is known that nothing it has needs that', async () => {
    const server = await startServer();
    server.world.put('cluster', 'a').put('route', 'r', { clusters: ['a'] });
    const stream = server.connect('delta');
    await stream.send({ type: 'cluster', versions: { a: 'old', gone: 'old' } });
    await stream.ack(await stream.next());
    await stream.expectNothing();
    await stream.send({ type: 'listener', versions: {} });
    await stream.ack(await stream.next());
    await stream.expectNothing();
    await stream.send({ type: 'endpoint', subscribe: ['a'] });
    await stream.ack(await stream.next());
    await stream.send({ type: 'route', subscribe: ['r'], versions: { r: 'names a cluster that is gone, perhaps' } });
    const routes = await stream.next();
    expect(routes.names).toEqual(['r']);
    await stream.expectNothing();
    await stream.ack(routes);
    expect(await stream.next()).toMatchObject({ type: 'cluster', removed: ['gone'] });
  });

  it('counts as one that accepted what it says it has', async () => {
    const server = await startServer();
    server.world.put('cluster', 'a');
    const version = server.world.resource('cluster', 'a')?.version ?? '';
    const veteran = server.connect('delta', 'veteran');
    await veteran.send({ type: 'cluster', versions: { a: version } });
    await veteran.expectNothing();
    const hostile = server.connect('delta', 'hostile');
    await hostile.nack(await hostile.ask({ type: 'cluster' }), 'no');
    await hostile.expectNothing();
    expect(server.nacks.map(({ scope }) => scope)).toEqual(['this proxy']);
  });

  it('in the middle of a change gets the endpoints for which its cluster waits', async () => {
    const server = await startServer();
    server.world.put('cluster', 'a');
    const stream = server.connect('delta');
    await stream.ack(await stream.ask({ type: 'cluster' }));
    const endpoints = await stream.ask({ type: 'endpoint', subscribe: ['a'] });
    await stream.ack(endpoints);
    server.world.put('cluster', 'a');
    server.changed();
    const changed = await stream.next();
    stream.call.cancel();
    await expect.poll(() => server.xds.streams().length).toBe(0);
    const again = server.connect('delta');
    await again.send({ type: 'cluster', versions: changed.versions });
    expect((await again.ask({ type: 'endpoint', subscribe: ['a'], versions: endpoints.versions })).names).toEqual([
      'a',
    ]);
  });
});
