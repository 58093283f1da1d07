import { once } from 'node:events';
import { type ClientHttp2Session, connect } from 'node:http2';
import { setTimeout as wait } from 'node:timers/promises';
import { describe, expect, it } from 'vitest';
import { encodeMessage } from '../../../src/gen/codec.ts';
import { TypeUrls } from '../../../src/xds/type-urls.ts';
import { adsMethods } from '../../../src/xds/xds.ts';
import { startServer, type TestServer } from './support/server.ts';

const UNAVAILABLE = 14;
const PERMISSION_DENIED = 7;
const bulk = 'type.googleapis.com/test.Bulk';

/** A client that asks for much and reads nothing, so that the window of its connection fills. */
async function openStalled({ port }: TestServer, count = 1): Promise<ClientHttp2Session> {
  const session = connect(`http://127.0.0.1:${port}`);
  session.on('error', () => undefined);
  const body = Buffer.from(
    encodeMessage('envoy.service.discovery.v3.DeltaDiscoveryRequest', { node: { id: 'stalled' }, typeUrl: bulk }),
  );
  const frame = Buffer.concat([Buffer.from([0, 0, 0, 0, body.length]), body]);
  for (let n = 0; n < count; n += 1) {
    const path = adsMethods.find(({ protocol }) => protocol === 'delta')?.path ?? '';
    const request = session.request({
      ':method': 'POST',
      ':path': path,
      'content-type': 'application/grpc',
      te: 'trailers',
    });
    request.on('error', () => undefined);
    request.write(frame);
  }
  await once(session, 'connect');
  return session;
}

function putBulk(server: TestServer, megabytes: number): void {
  const names = Array.from({ length: megabytes * 4 }, (_, at) => `bulk${at}`);
  server.world.putExtra(bulk, names, 'x'.repeat(250_000));
}

describe('a large answer', () => {
  it('comes in parts of about a megabyte, each after the one before was confirmed', async () => {
    const server = await startServer();
    putBulk(server, 3);
    const stream = server.connect('delta');
    const names: string[] = [];
    await stream.send({ type: bulk });
    while (names.length < 12) {
      const part = await stream.next();
      expect(part.bytes).toBeLessThan(1_100_000);
      names.push(...part.names);
      if (names.length < 12) await stream.ack(part);
    }
    expect(names).toEqual(Array.from({ length: 12 }, (_, at) => `bulk${at}`));
  });

  it('is not completed with what is gone meanwhile', async () => {
    const server = await startServer();
    putBulk(server, 2);
    const stream = server.connect('delta');
    const first = await stream.ask({ type: bulk });
    putBulk(server, 1);
    server.changed();
    await stream.ack(first);
    await stream.expectNothing();
  });
});

describe('a client that does not read', () => {
  it('is let go after a while, and nobody waits for it', async () => {
    const server = await startServer();
    putBulk(server, 4);
    server.world.put('cluster', 'a');
    const sessions = await Promise.all(Array.from({ length: 20 }, () => openStalled(server)));
    await expect.poll(() => server.xds.streams().filter(({ isWriting }) => isWriting).length).toBe(8);
    // Eight lanes are taken by clients that do not read, but not for long.
    const stream = server.connect('delta');
    const answer = stream.ask({ type: 'cluster' });
    for (let n = 0; n < 16; n += 1) {
      await wait(10);
      await server.clock.advance(300);
    }
    expect((await answer).names).toEqual(['a']);
    await expect.poll(() => server.xds.streams().filter(({ isWriting }) => isWriting).length).toBe(20);
    await server.clock.advance(32_000);
    expect(await server.metric('pilot_xds_write_timeout')).toBe(20);
    for (const session of sessions) session.destroy();
    await expect.poll(() => server.xds.streams().length).toBe(1);
    expect(server.openHandles).toBe(1);
  });

  it('is let go sooner when many of them take too much memory together, the slowest first', async () => {
    const server = await startServer({ settings: { unreadBytes: 3_500_000, lanes: 100 } });
    putBulk(server, 4);
    const sessions = await Promise.all(Array.from({ length: 6 }, () => openStalled(server)));
    await expect.poll(() => server.xds.streams().filter(({ isWriting }) => isWriting).length).toBe(6);
    await server.clock.advance(3000);
    expect(await server.metric('pilot_xds_write_timeout')).toBe(3);
    for (const session of sessions) session.destroy();
  });
});

describe('the server', () => {
  it('sends streams away until it is ready', async () => {
    const server = await startServer();
    server.isReady = false;
    const early = server.connect('delta');
    expect(await early.status).toMatchObject({ code: UNAVAILABLE });
    server.isReady = true;
    expect((await server.connect('delta').ask({ type: 'cluster' })).names).toEqual([]);
  });

  it('refuses whom the source refuses, with its reason', async () => {
    const refused = {
      kind: 'refused',
      status: { code: PERMISSION_DENIED, message: 'namespace and certificate differ' },
    } as const;
    const server = await startServer({ open: (node) => Promise.resolve(node.id === 'liar' ? refused : undefined) });
    const liar = server.connect('delta', 'liar');
    await liar.send({ type: 'cluster' });
    expect(await liar.status).toMatchObject(refused.status);
    expect((await server.connect('delta').ask({ type: 'cluster' })).names).toEqual([]);
  });

  it('waits for a source that must look first, and loses no request meanwhile', async () => {
    const gate = Promise.withResolvers<undefined>();
    const server = await startServer({ open: () => gate.promise });
    server.world.put('cluster', 'a');
    const stream = server.connect('delta');
    await stream.send({ type: 'cluster' });
    await stream.send({ type: 'endpoint', subscribe: ['a'] });
    gate.resolve(undefined);
    expect([(await stream.next()).type, (await stream.next()).type]).toEqual(['cluster', 'endpoint']);
  });

  it('lets its clients go one after the other when it stops', async () => {
    const server = await startServer({ settings: { drainMs: 1000 } });
    const streams = Array.from({ length: 4 }, () => server.connect('delta'));
    for (const stream of streams) await stream.ack(await stream.ask({ type: 'cluster' }));
    const ends: number[] = [];
    const ended = streams.map((stream) => stream.status.then(({ code }) => ends.push(code)));
    const stopped = server.stop();
    await Promise.all(ended);
    await stopped;
    expect(ends).toEqual([UNAVAILABLE, UNAVAILABLE, UNAVAILABLE, UNAVAILABLE]);
  });

  it('forgets streams that are gone, and tells the source', async () => {
    const server = await startServer();
    const streams = Array.from({ length: 10 }, () => server.connect('delta'));
    for (const stream of streams) await stream.ask({ type: 'cluster' });
    expect([server.xds.streams().length, server.openHandles]).toEqual([10, 10]);
    expect(await server.metric('pilot_xds')).toBe(10);
    for (const stream of streams) stream.call.cancel();
    await expect.poll(() => [server.xds.streams().length, server.openHandles]).toEqual([0, 0]);
    const said = Map.groupBy(server.log, (line) => (JSON.parse(line) as { readonly msg: string }).msg);
    expect([said.get('proxy connected')?.length, said.get('proxy disconnected')?.length]).toEqual([10, 10]);
  });
});

describe('what people see of streams', () => {
  it('is who is connected, what was sent and confirmed, and what is wrong', async () => {
    const server = await startServer();
    server.world.put('cluster', 'a').put('listener', 'l');
    const stream = server.connect('delta', 'sidecar~10.0.0.9~x.ns~ns.svc.cluster.local');
    const clusters = await stream.ask({ type: 'cluster' });
    await stream.ack(clusters);
    await stream.nack(await stream.ask({ type: 'listener' }), 'wrong');
    const unread = await stream.ask({ type: 'endpoint', subscribe: ['a'] });
    const [status] = server.xds.streams();
    expect(status).toMatchObject({
      proxy: 'sidecar~10.0.0.9~x.ns~ns.svc.cluster.local',
      protocol: 'delta',
      connectedAt: server.clock.now(),
      isWriting: false,
    });
    const byType = new Map(status?.types.map((type) => [type.typeUrl, type]));
    expect(byType.get(TypeUrls.cluster)).toMatchObject({
      wildcard: true,
      sentNonce: clusters.nonce,
      ackedNonce: clusters.nonce,
      isAwaitingAnswer: false,
      lastError: undefined,
    });
    expect(byType.get(TypeUrls.cluster)?.ackedVersion).toBe(byType.get(TypeUrls.cluster)?.targetVersion);
    expect(byType.get(TypeUrls.listener)).toMatchObject({ lastError: 'wrong', ackedNonce: '' });
    expect(byType.get(TypeUrls.endpoint)).toMatchObject({
      names: 1,
      wildcard: false,
      sentNonce: unread.nonce,
      ackedNonce: '',
      isAwaitingAnswer: true,
    });
  });

  it('is also counted', async () => {
    const server = await startServer();
    server.world.put('cluster', 'a');
    const stream = server.connect('delta');
    await stream.ack(await stream.ask({ type: 'cluster' }));
    server.world.put('cluster', 'a');
    server.changed();
    await stream.ack(await stream.next());
    await stream.expectNothing();
    expect(await server.metric('pilot_xds_pushes{type="cds"}')).toBe(2);
    expect(await server.metric('pilot_proxy_convergence_time_count')).toBe(1);
    expect(await server.metric('xebec_xds_ack_seconds_count')).toBe(1);
    expect(await server.metric('xebec_xds_sent_bytes_total{type="cds"}')).toBeGreaterThan(100);
  });
});
