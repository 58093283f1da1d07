import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { connect as connectTls, type TLSSocket } from 'node:tls';
import { describe, expect, onTestFinished, test } from 'vitest';
import type { Clock } from '../../../src/kit/clock.ts';
import { ManualClock } from '../../../src/kit/manual-clock.ts';
import { err, ok } from '../../../src/kit/result.ts';
import { systemClock } from '../../../src/kit/system-clock.ts';
import { type ClientTls, RpcClient } from '../../../src/rpc/rpc-client.ts';
import { RpcServer, type RpcServerDeps } from '../../../src/rpc/rpc-server.ts';
import type { PeerCredentials, ServerStream } from '../../../src/rpc/server-stream.ts';
import { RpcStatusCode } from '../../../src/rpc/status.ts';
import { unaryMethod } from '../../../src/rpc/unary.ts';
import { makePinoLogger } from '../../../src/telemetry/pino-logger.ts';
import { PromMetrics } from '../../../src/telemetry/prom-metrics.ts';
import { type Authority, createAuthority } from '../../support/certificates.ts';

const STREAM = '/test.Echo/Talk';
const UNARY = '/test.Echo/Once';
const identity = 'spiffe://cluster.local/ns/a/sa/b';

type Fixture = {
  readonly server: RpcServer;
  readonly root: Authority;
  readonly port: number;
  readonly log: string[];
  readonly seen: PeerCredentials[];
  metric(line: string): Promise<number>;
  client(tls: Partial<ClientTls>): RpcClient;
  serve(authority: Authority): void;
};

async function start(
  deps: Partial<RpcServerDeps> = {},
  clock: Clock = systemClock,
  host = '127.0.0.1',
): Promise<Fixture> {
  const root = createAuthority('mesh');
  const log: string[] = [];
  const seen: PeerCredentials[] = [];
  const metrics = new PromMetrics();
  const echo = async (stream: ServerStream): Promise<void> => {
    seen.push(stream.credentials);
    for await (const message of stream.requests) await stream.send(message);
  };
  const once = unaryMethod(UNARY, {
    admit: ({ credentials }) =>
      Promise.resolve(
        credentials.certificate === undefined
          ? err({ code: RpcStatusCode.RESOURCE_EXHAUSTED, message: 'later', retryAfterMs: 1234.5 })
          : ok(undefined),
      ),
    answer: (message) => Promise.resolve({ kind: 'answer', message: Buffer.concat([message, message]) }),
  });
  const server = new RpcServer({
    methods: [{ path: STREAM, serve: echo }, once],
    clock,
    log: makePinoLogger('info', (line) => log.push(line)),
    metrics,
    transport: 'tls',
    ...deps,
  });
  const serve = (authority: Authority): void => {
    const pair = root.issue(['127.0.0.1', 'istiod.istio-system.svc']);
    expect(server.useTls({ ...pair, roots: authority.certificate })).toEqual({ ok: true, value: undefined });
  };
  serve(root);
  const bound = await server.listen({ host, port: 0 });
  if (!bound.ok) throw new Error(bound.error.message);
  onTestFinished(async () => {
    const stopped = server.stop(10);
    if (clock instanceof ManualClock) await clock.advance(10);
    await stopped;
  });
  const { port } = bound.value;
  const client = (tls: Partial<ClientTls>): RpcClient => {
    const made = new RpcClient(`127.0.0.1:${port}`, { tls: { roots: root.certificate, ...tls } });
    onTestFinished(() => made.close());
    return made;
  };
  const metric = async (line: string): Promise<number> => {
    const lines = (await metrics.expose()).split('\n');
    return Number(lines.find((each) => each.startsWith(`${line} `))?.split(' ')[1] ?? 0);
  };
  return { server, root, port, log, seen, metric, client, serve };
}

async function echoed(client: RpcClient, text: string): Promise<string> {
  const call = client.open(STREAM);
  await call.send(Buffer.from(text));
  call.end();
  let received = '';
  for await (const message of call.messages) received += message.toString();
  return received === '' ? `status ${(await call.status).code}` : received;
}

const refused = (reason: string): string => `xebec_rpc_tls_refused_total{reason="${reason}"}`;

describe('a server of TLS', () => {
  test('hands on the certificate of a caller, byte by byte, and none of who showed none', async () => {
    const { client, root, seen } = await start();
    const pair = root.issue([identity]);
    expect(await echoed(client({ pair }), 'x'.repeat(100_000))).toBe('x'.repeat(100_000));
    expect(await echoed(client({}), 'hello')).toBe('hello');
    const der = Buffer.from(pair.certificate.replace(/-----[^-]+-----|\s/g, ''), 'base64');
    expect(seen).toEqual([
      { transport: 'tls', certificate: der, authorization: [] },
      { transport: 'tls', certificate: undefined, authorization: [] },
    ]);
  });

  // By address and port a call finds the connection that it came on, and its certificate.
  test('takes no second connection from an address and port that has one, by whichever address of its own it comes', async () => {
    const { port, root, client } = await start({}, systemClock, '0.0.0.0');
    const open = (host: string, localPort = 0): Socket => {
      const socket = connectTcp({ host, port, localAddress: '127.0.0.1', localPort });
      socket.on('error', () => undefined);
      onTestFinished(() => void socket.destroy());
      return socket;
    };
    const shake = (socket: Socket): TLSSocket =>
      connectTls({ socket, ca: root.certificate, ALPNProtocols: ['h2'], servername: 'istiod.istio-system.svc' });
    const first = open('127.0.0.1');
    await once(shake(first), 'secureConnect');
    const second = open('127.0.0.2', first.localPort);
    await new Promise((resolve) => second.once('close', resolve));
    expect(first.destroyed).toBe(false);
    expect(await echoed(client({}), 'hello')).toBe('hello');
  });

  test('refuses a certificate of another authority, says so once for a peer, and counts each', async () => {
    const { client, log, metric, seen } = await start();
    const pair = createAuthority('mesh').issue([identity]);
    for (let each = 0; each < 3; each += 1) {
      const status = await client({ pair }).open(STREAM).status;
      expect(status.code).toBe(RpcStatusCode.UNAVAILABLE);
    }
    expect(seen).toEqual([]);
    expect(log.filter((line) => line.includes('TLS connection refused'))).toHaveLength(1);
    expect(log.join()).toContain('"reason":"certificate"');
    expect(await metric(refused('certificate'))).toBeGreaterThanOrEqual(3);
  });

  test('takes new roots and a new pair for new connections, and lets those that exist live on', async () => {
    const { server, client, root, serve } = await start();
    const old = client({ pair: root.issue([identity]) });
    const call = old.open(STREAM);
    const messages = call.messages[Symbol.asyncIterator]();
    const roundTrip = async (): Promise<string> => {
      await call.send(Buffer.from('still here'));
      return String((await messages.next()).value);
    };
    expect(await roundTrip()).toBe('still here');
    const next = createAuthority('next');
    serve(next);
    expect(await roundTrip()).toBe('still here');
    expect(await echoed(client({ pair: next.issue([identity]) }), 'new')).toBe('new');
    expect(await echoed(client({ pair: root.issue([identity]) }), 'old')).toBe(`status ${RpcStatusCode.UNAVAILABLE}`);
    const unusable = server.useTls({ certificate: 'no', key: 'no', roots: next.certificate });
    expect(unusable.ok).toBe(false);
    expect(server.useTls({ ...root.issue(['a']), roots: '' })).toMatchObject({ ok: false });
    expect(await echoed(client({ pair: next.issue([identity]) }), 'as before')).toBe('as before');
  });

  test('has a caller whose certificate expired connect again', async () => {
    const clock = new ManualClock();
    const { client, root, seen, log } = await start({}, clock);
    const pair = root.issue([identity]);
    const call = client({ pair }).open(STREAM);
    await call.send(Buffer.from('x'));
    await expect.poll(() => seen.length).toBe(1);
    await clock.advance(Date.parse(new X509Certificate(pair.certificate).validTo) - clock.now());
    expect((await call.status).code).toBe(RpcStatusCode.UNAVAILABLE);
    expect(log.join('')).toContain('connection ended: the certificate of the caller has expired');
  });

  test('serves calls of one message, and asks to come again later', async () => {
    const { client, root } = await start();
    const known = client({ pair: root.issue([identity]) });
    expect(await known.call(UNARY, Buffer.from('ab'))).toEqual({
      status: { code: RpcStatusCode.OK, message: 'OK' },
      answer: Buffer.from('abab'),
    });
    const unknown = await client({}).call(UNARY, Buffer.from('ab'));
    expect(unknown.status).toEqual({ code: RpcStatusCode.RESOURCE_EXHAUSTED, message: 'later', retryAfterMs: 1235 });
    const nothing = known.open(UNARY);
    nothing.end();
    expect((await nothing.status).code).toBe(RpcStatusCode.INVALID_ARGUMENT);
  });

  test.each([
    ['garbage', Buffer.alloc(2000, 7), 'handshake'],
    ['plain HTTP/2', Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), 'handshake'],
    ['half a record', Buffer.from([22, 3, 1, 2, 0, 1]), 'slow'],
    ['nothing', Buffer.alloc(0), 'slow'],
  ])('closes on who sends %s', async (_, bytes, reason) => {
    const { port, metric, client } = await start({ tlsLimits: { handshakeMs: 200 } });
    const socket = await connected(port);
    socket.write(bytes);
    await once(socket, 'close');
    expect(await metric(refused(reason))).toBe(1);
    expect(await echoed(client({}), 'others')).toBe('others');
  });

  test('closes on who speaks no HTTP/2, and on TLS 1.1', async () => {
    const { port, metric } = await start();
    const other = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false });
    await once(other, 'close');
    expect(await metric(refused('protocol'))).toBe(1);
    const old = connectTls({
      port,
      host: '127.0.0.1',
      maxVersion: 'TLSv1.1',
      minVersion: 'TLSv1',
      ciphers: 'ALL:@SECLEVEL=0',
    });
    await once(old, 'error');
    expect(await metric(refused('handshake'))).toBe(1);
  });

  test('has who begins handshakes without end give way to others', async () => {
    const { port, client, metric, root } = await start({ tlsLimits: { handshakes: 20, anonymous: 20 } });
    const slow = await Promise.all(Array.from({ length: 60 }, () => connected(port)));
    await expect.poll(() => metric(refused('crowded'))).toBe(40);
    expect(await echoed(client({ pair: root.issue([identity]) }), 'me too')).toBe('me too');
    for (const socket of slow) socket.destroy();
  });

  test('holds 500 idle connections and serves others', async () => {
    const { port, client } = await start();
    const idle = await Promise.all(
      Array.from({ length: 500 }, async () => {
        const socket = connectTls({ port, host: '127.0.0.1', rejectUnauthorized: false, ALPNProtocols: ['h2'] });
        onTestFinished(() => void socket.destroy());
        await once(socket, 'secureConnect');
        return socket;
      }),
    );
    expect(await echoed(client({}), 'served')).toBe('served');
    expect(idle.filter(({ destroyed }) => destroyed)).toEqual([]);
  });

  test('lets nobody in before it has a certificate', async () => {
    const root = createAuthority();
    const server = new RpcServer({
      methods: [{ path: STREAM, serve: () => Promise.resolve() }],
      clock: systemClock,
      log: makePinoLogger('error', () => undefined),
      transport: 'tls',
    });
    const bound = await server.listen({ host: '127.0.0.1', port: 0 });
    if (!bound.ok) throw new Error(bound.error.message);
    onTestFinished(() => server.stop(10));
    const socket = await connected(bound.value.port);
    await once(socket, 'close');
    expect(server.useTls({ ...root.issue(['127.0.0.1']), roots: root.certificate }).ok).toBe(true);
  });
});

test('a server without TLS says that of every caller', async () => {
  const seen: PeerCredentials[] = [];
  const server = new RpcServer({
    methods: [{ path: STREAM, serve: async ({ credentials }) => void seen.push(await Promise.resolve(credentials)) }],
    clock: systemClock,
    log: makePinoLogger('error', () => undefined),
  });
  const bound = await server.listen({ host: '127.0.0.1', port: 0 });
  if (!bound.ok) throw new Error(bound.error.message);
  onTestFinished(() => server.stop(10));
  const client = new RpcClient(`127.0.0.1:${bound.value.port}`);
  onTestFinished(() => client.close());
  await client.open(STREAM, { authorization: 'Bearer x' }).status;
  expect(seen).toEqual([{ transport: 'plaintext', certificate: undefined, authorization: ['Bearer x'] }]);
  expect(server.useTls({ certificate: '', key: '', roots: '' })).toEqual({
    ok: false,
    error: 'this server speaks no TLS',
  });
});

async function connected(port: number): Promise<Socket> {
  const socket = connectTcp(port, '127.0.0.1');
  socket.on('error', () => undefined);
  onTestFinished(() => void socket.destroy());
  await once(socket, 'connect');
  return socket;
}
