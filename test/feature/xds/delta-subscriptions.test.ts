import { beforeEach, describe, expect, it } from 'vitest';
import { startServer, type TestServer } from './support/server.ts';
import { encode } from './support/world.ts';

let server: TestServer;

beforeEach(async () => {
  server = await startServer({
    missing: (_, name) =>
      name.startsWith('routes-') ? encode('route', name, { revision: 0, clusters: [], route: undefined }) : undefined,
  });
  server.world.put('cluster', 'a').put('cluster', 'b').put('route', 'r').put('listener', 'l', { route: 'r' });
});

describe('a delta subscription', () => {
  it('to nothing at first is one to everything, for clusters and listeners', async () => {
    const stream = server.connect('delta');
    const clusters = await stream.ask({ type: 'cluster' });
    expect(clusters).toMatchObject({ type: 'cluster', names: ['a', 'b'], removed: [] });
    await stream.ack(clusters);
    expect(await stream.ask({ type: 'listener' })).toMatchObject({ names: ['l'] });
  });

  it('to nothing at first is one to nothing, for endpoints, routes, secrets and extensions', async () => {
    const stream = server.connect('delta');
    for (const type of ['endpoint', 'route', 'secret', 'extensionConfig']) await stream.send({ type });
    await stream.expectNothing();
  });

  it('to everything may be asked for by name, and is answered even when there is nothing', async () => {
    const stream = server.connect('delta');
    expect(await stream.ask({ type: 'cluster', subscribe: ['*'] })).toMatchObject({ names: ['a', 'b'] });
    expect(await stream.ask({ type: 'type.googleapis.com/test.Unknown', subscribe: ['*'] })).toMatchObject({
      names: [],
      removed: [],
    });
  });

  it('to everything ends when it is taken back; names that were asked for stay', async () => {
    const stream = server.connect('delta');
    await stream.ack(await stream.ask({ type: 'cluster', subscribe: ['*', 'a'] }));
    await stream.send({ type: 'cluster', unsubscribe: ['*'] });
    await stream.expectNothing();
    server.world.put('cluster', 'a').put('cluster', 'b').put('cluster', 'c');
    server.changed();
    expect(await stream.next()).toMatchObject({ type: 'cluster', names: ['a'], removed: [] });
  });

  it('by name is answered with what there is, and says what there is not', async () => {
    const stream = server.connect('delta');
    const response = await stream.ask({ type: 'endpoint', subscribe: ['a', 'nobody'] });
    expect(response).toMatchObject({ names: ['a'], removed: ['nobody'] });
    await stream.ack(response);
    server.world.put('cluster', 'nobody');
    server.changed();
    expect(await stream.next()).toMatchObject({ type: 'endpoint', names: ['nobody'] });
  });

  it('can grow and shrink in one request', async () => {
    const stream = server.connect('delta');
    await stream.ack(await stream.ask({ type: 'endpoint', subscribe: ['a'] }));
    expect(await stream.ask({ type: 'endpoint', subscribe: ['b'], unsubscribe: ['a'] })).toMatchObject({
      names: ['b'],
      removed: [],
    });
  });

  it('that only shrinks is not answered, and what it dropped is sent no more', async () => {
    const stream = server.connect('delta');
    await stream.ack(await stream.ask({ type: 'endpoint', subscribe: ['a', 'b'] }));
    await stream.send({ type: 'endpoint', unsubscribe: ['a'] });
    await stream.expectNothing();
    server.world.put('endpoint', 'a');
    server.changed();
    await stream.expectNothing();
  });

  it('to a known name is answered again', async () => {
    const stream = server.connect('delta');
    const first = await stream.ask({ type: 'endpoint', subscribe: ['a'] });
    await stream.ack(first);
    expect(await stream.ask({ type: 'endpoint', subscribe: ['a'] })).toMatchObject({
      names: ['a'],
      versions: first.versions,
    });
  });

  it('that takes a name back while everything is subscribed to learns what is left of the name', async () => {
    const stream = server.connect('delta');
    const first = await stream.ask({ type: 'cluster', subscribe: ['*', 'a', 'nobody'] });
    expect(first).toMatchObject({ names: ['a', 'b'], removed: ['nobody'] });
    await stream.ack(first);
    expect(await stream.ask({ type: 'cluster', unsubscribe: ['a', 'nobody'] })).toMatchObject({
      names: ['a'],
      removed: ['nobody'],
    });
  });

  it('to a name for which the source has a stand-in gets that, until the real one comes and after it is gone', async () => {
    const stream = server.connect('delta');
    const standIn = await stream.ask({ type: 'route', subscribe: ['routes-1'] });
    expect(standIn).toMatchObject({ names: ['routes-1'], removed: [] });
    await stream.ack(standIn);
    server.world.put('route', 'routes-1');
    server.changed();
    const real = await stream.next();
    expect(real.names).toEqual(['routes-1']);
    await stream.ack(real);
    server.world.remove('route', 'routes-1');
    server.changed();
    expect(await stream.next()).toMatchObject({ names: ['routes-1'], removed: [], versions: standIn.versions });
  });

  it('may come with the acknowledgement of a response', async () => {
    const stream = server.connect('delta');
    const first = await stream.ask({ type: 'endpoint', subscribe: ['a'] });
    expect(await stream.ask({ type: 'endpoint', nonce: first.nonce, subscribe: ['b'] })).toMatchObject({
      names: ['b'],
    });
  });

  it('counts even when it comes with a stale nonce, which is no acknowledgement', async () => {
    const stream = server.connect('delta');
    await stream.ask({ type: 'endpoint', subscribe: ['a'] });
    await stream.send({ type: 'endpoint', nonce: 'of-another-time', subscribe: ['b'] });
    await stream.expectNothing();
    expect(await server.metric('pilot_xds_expired_nonce{type="eds"}')).toBe(1);
  });
});
