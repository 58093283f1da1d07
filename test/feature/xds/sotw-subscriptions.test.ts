import { beforeEach, describe, expect, it } from 'vitest';
import { startServer, type TestServer } from './support/server.ts';

let server: TestServer;

beforeEach(async () => {
  server = await startServer();
  server.world.put('cluster', 'a').put('cluster', 'b').put('route', 'r').put('listener', 'l', { route: 'r' });
});

describe('a state-of-the-world subscription', () => {
  it('without names is one to everything, for clusters and listeners, until names are given', async () => {
    const stream = server.connect('sotw');
    const all = await stream.ask({ type: 'cluster' });
    expect(all.names).toEqual(['a', 'b']);
    await stream.ack(all);
    await stream.expectNothing();
    server.world.put('cluster', 'c');
    server.changed();
    const more = await stream.next();
    expect(more.names).toEqual(['a', 'b', 'c']);
    await stream.ack(more, ['a']);
    await stream.expectNothing();
    server.world.put('cluster', 'b');
    server.changed();
    await stream.expectNothing();
  });

  it('without names is one to nothing, for endpoints and routes', async () => {
    const stream = server.connect('sotw');
    await stream.send({ type: 'endpoint' });
    await stream.send({ type: 'route' });
    await stream.expectNothing();
  });

  it('to everything is answered even when there is nothing', async () => {
    const stream = server.connect('sotw');
    server.world.remove('listener', 'l');
    expect(await stream.ask({ type: 'listener' })).toMatchObject({ type: 'listener', names: [] });
  });

  it('to clusters by name gets all of these each time, and by their absence learns what nobody has', async () => {
    const stream = server.connect('sotw');
    const first = await stream.ask({ type: 'cluster', names: ['a', 'nobody'] });
    expect(first.names).toEqual(['a']);
    await stream.ack(first, ['a', 'nobody']);
    const second = await stream.ask({ type: 'cluster', nonce: first.nonce, names: ['a', 'b'] });
    expect(second.names).toEqual(['a', 'b']);
    await stream.ack(second, ['a', 'b']);
    expect((await stream.ask({ type: 'cluster', nonce: second.nonce, names: ['a', 'b', 'nobody'] })).names).toEqual([
      'a',
      'b',
    ]);
  });

  it('to endpoints gets only what is new, and no word about what nobody has', async () => {
    const stream = server.connect('sotw');
    const first = await stream.ask({ type: 'endpoint', names: ['a', 'nobody'] });
    expect(first.names).toEqual(['a']);
    await stream.ack(first, ['a', 'nobody']);
    const second = await stream.ask({ type: 'endpoint', nonce: first.nonce, names: ['a', 'b', 'nobody'] });
    expect(second.names).toEqual(['b']);
    await stream.ack(second, ['a', 'b', 'nobody']);
    server.world.put('endpoint', 'a');
    server.changed();
    expect((await stream.next()).names).toEqual(['a']);
  });

  it('that shrinks is not answered; a name that comes back is', async () => {
    const stream = server.connect('sotw');
    const first = await stream.ask({ type: 'endpoint', names: ['a', 'b'] });
    await stream.ack(first, ['b']);
    await stream.expectNothing();
    expect((await stream.ask({ type: 'endpoint', nonce: first.nonce, names: ['a', 'b'] })).names).toEqual(['a']);
  });

  it('that shrinks to nothing ends', async () => {
    const stream = server.connect('sotw');
    const first = await stream.ask({ type: 'cluster', names: ['a'] });
    await stream.ack(first, []);
    server.world.put('cluster', 'a');
    server.changed();
    await stream.expectNothing();
  });

  it('starts anew on a new stream, whatever nonce and names it brings', async () => {
    const first = await server.connect('sotw').ask({ type: 'endpoint', names: ['a'] });
    const again = server.connect('sotw');
    expect((await again.ask({ type: 'endpoint', nonce: first.nonce, names: ['a', 'b'] })).names).toEqual(['a', 'b']);
  });

  it('ignores an acknowledgement of another response', async () => {
    const stream = server.connect('sotw');
    const first = await stream.ask({ type: 'cluster' });
    await stream.send({ type: 'cluster', nonce: 'of-another-time' });
    server.world.put('cluster', 'c');
    server.changed();
    await stream.expectNothing();
    expect(await server.metric('pilot_xds_expired_nonce{type="cds"}')).toBe(1);
    await stream.ack(first);
    expect((await stream.next()).names).toEqual(['a', 'b', 'c']);
  });

  it('takes the nonce of another type for a stale one', async () => {
    const stream = server.connect('sotw');
    const clusters = await stream.ask({ type: 'cluster' });
    const listeners = await stream.ask({ type: 'endpoint', names: ['a'] });
    await stream.send({ type: 'cluster', nonce: listeners.nonce });
    server.world.put('cluster', 'c');
    server.changed();
    await stream.expectNothing();
    await stream.ack(clusters);
    expect((await stream.next()).names).toEqual(['a', 'b', 'c']);
  });
});
