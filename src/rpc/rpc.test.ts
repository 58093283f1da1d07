import { once } from 'node:events';
import { connect } from 'node:http2';
import { setTimeout as wait } from 'node:timers/promises';
import { afterEach, describe, expect, it } from 'vitest';
import type { Clock } from '../kit/clock.ts';
import { ManualClock } from '../kit/manual-clock.ts';
import { systemClock } from '../kit/system-clock.ts';
import { silentLogger } from '../telemetry/logger.ts';
import { RpcClient } from './rpc-client.ts';
import { RpcServer, type RpcServerOptions } from './rpc-server.ts';
import type { ServerStream } from './server-stream.ts';
import { RpcStatusCode } from './status.ts';

const path = '/test.Echo/Talk';
const started: { stop: () => Promise<void> }[] = [];

afterEach(async () => {
  for (const { stop } of started.splice(0)) await stop();
});

async function start(
  serve: (stream: ServerStream) => Promise<void>,
  options: Partial<RpcServerOptions> = {},
  clock: Clock = systemClock,
): Promise<{ client: RpcClient; port: number; server: RpcServer }> {
  const server = new RpcServer({ methods: [{ path, serve }], clock, log: silentLogger, options });
  const bound = await server.listen({ host: '127.0.0.1', port: 0 });
  if (!bound.ok) throw new Error(bound.error.message);
  const client = new RpcClient(`127.0.0.1:${bound.value.port}`);
  started.push({
    stop: async () => {
      client.close();
      const stopped = server.stop(100);
      if (clock instanceof ManualClock) await clock.advance(100);
      await stopped;
    },
  });
  return { client, port: bound.value.port, server };
}

async function echo(stream: ServerStream): Promise<void> {
  for await (const message of stream.requests) await stream.send(message);
}

describe('RpcServer', () => {
  it('carries bytes both ways and ends with OK when the handler does', async () => {
    const { client } = await start(echo);
    const call = client.open(path);
    await call.send(Buffer.from('one'));
    await call.send(Buffer.from('two'));
    call.end();
    const received: string[] = [];
    for await (const message of call.messages) received.push(message.toString());
    expect(received).toEqual(['one', 'two']);
    expect(await call.status).toMatchObject({ code: RpcStatusCode.OK });
  });

  it('sends what can only be copied, as large as it says it is', async () => {
    const parts = [Buffer.from('in '), Buffer.from('two parts')];
    const copy = (target: Buffer, at: number): void =>
      void parts.reduce((next, part) => next + part.copy(target, next), at);
    const { client } = await start(async (stream) => {
      await stream.send({ byteLength: 12, copy });
    });
    const received: string[] = [];
    for await (const message of client.open(path).messages) received.push(message.toString());
    expect(received).toEqual(['in two parts']);
  });

  it('sends the status that the handler closes with, though it stops reading', async () => {
    const { client } = await start(async (stream) => {
      for await (const message of stream.requests) {
        stream.close({ code: RpcStatusCode.INVALID_ARGUMENT, message: `no ${message.toString()} here` });
        return;
      }
    });
    const call = client.open(path);
    await call.send(Buffer.from('cats'));
    expect(await call.status).toMatchObject({ code: RpcStatusCode.INVALID_ARGUMENT, message: 'no cats here' });
  });

  it('answers INTERNAL for a handler that throws, and goes on', async () => {
    let isBroken = true;
    const { client } = await start(async (stream) => {
      if (isBroken) throw new Error('secret detail');
      await echo(stream);
    });
    const { code, message } = await client.open(path).status;
    expect(code).toBe(RpcStatusCode.INTERNAL);
    expect(message).not.toContain('secret');
    isBroken = false;
    const call = client.open(path);
    await call.send(Buffer.from('x'));
    call.end();
    expect((await call.status).code).toBe(RpcStatusCode.OK);
  });

  it('tells a sender whose peer went away', async () => {
    let result: Promise<boolean> | undefined;
    let ended = 0;
    const { client } = await start(async (stream) => {
      for await (const _ of stream.requests) result = stream.send(Buffer.alloc(64 * 1024 * 1024));
      ended += 1;
    });
    const call = client.open(path);
    call.pause();
    await call.send(Buffer.from('x'));
    await wait(50);
    call.cancel();
    expect(await result).toBe(false);
    await expect.poll(() => ended).toBe(1);
  });

  it('cuts the connection of a caller that does not even read the status', async () => {
    const clock = new ManualClock();
    const sent: boolean[] = [];
    let isClosing = false;
    const { port } = await start(
      async (stream) => {
        const sending = stream.send(Buffer.alloc(16 * 1024 * 1024));
        await wait(20);
        stream.close({ code: RpcStatusCode.RESOURCE_EXHAUSTED, message: 'you do not read' });
        isClosing = true;
        sent.push(await sending);
      },
      {},
      clock,
    );
    const session = connect(`http://127.0.0.1:${port}`);
    const closed = once(session, 'close');
    session
      .request({ ':method': 'POST', ':path': path, 'content-type': 'application/grpc', te: 'trailers' })
      .on('error', () => undefined);
    await expect.poll(() => isClosing).toBe(true);
    expect(sent).toEqual([]);
    await clock.advance(5000);
    await closed;
    expect(sent).toEqual([false]);
  });

  it('refuses a request above the limit without a word to the handler', async () => {
    let received = 0;
    const { client } = await start(
      async (stream) => {
        for await (const _ of stream.requests) received += 1;
      },
      { maxRequestBytes: 1000 },
    );
    const call = client.open(path);
    await call.send(Buffer.alloc(2000));
    expect((await call.status).code).toBe(RpcStatusCode.RESOURCE_EXHAUSTED);
    expect(received).toBe(0);
  });

  it('says what is wrong with a port that is taken', async () => {
    const { port } = await start(echo);
    const second = new RpcServer({ methods: [{ path, serve: echo }], clock: systemClock, log: silentLogger });
    const bound = await second.listen({ host: '127.0.0.1', port });
    expect(bound).toMatchObject({ ok: false, error: { kind: 'port-in-use', address: { port } } });
  });

  it('stops: running calls may end in time, others are cut', async () => {
    const { client, server } = await start(async (stream) => {
      for await (const _ of stream.requests) await stream.send(Buffer.from('x'));
    });
    const polite = client.open(path);
    const stubborn = client.open(path);
    await Promise.all([polite.send(Buffer.from('x')), stubborn.send(Buffer.from('x'))]);
    await wait(50);
    const stopped = server.stop(300);
    await wait(50);
    polite.end();
    expect((await polite.status).code).toBe(RpcStatusCode.OK);
    expect((await stubborn.status).code).not.toBe(RpcStatusCode.OK);
    await stopped;
  });
});
