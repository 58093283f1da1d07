import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FlakyProxy } from './flaky-proxy.ts';

let target: Server;
let accepted: Socket[];
let proxy: FlakyProxy;

beforeEach(async () => {
  accepted = [];
  target = createServer({ allowHalfOpen: true }, (socket) => {
    accepted.push(socket);
    socket.on('error', () => undefined);
    socket.on('data', (chunk) => socket.write(chunk));
    socket.on('end', () => socket.end('bye'));
  });
  target.listen(0, '127.0.0.1');
  await once(target, 'listening');
  proxy = await FlakyProxy.start({ host: '127.0.0.1', port: (target.address() as AddressInfo).port });
});

afterEach(async () => {
  await proxy.stop();
  for (const socket of accepted) socket.destroy();
  target.close();
});

/** A client that remembers what it was told. */
function dial(): { socket: Socket; said: () => string } {
  const socket = connect({ port: proxy.port, host: '127.0.0.1', allowHalfOpen: true });
  let text = '';
  socket.on('data', (chunk) => {
    text += String(chunk);
  });
  socket.on('error', () => undefined);
  return { socket, said: () => text };
}

async function eventually(isTrue: () => boolean): Promise<void> {
  const deadline = performance.now() + 5_000;
  while (!isTrue()) {
    if (performance.now() > deadline) throw new Error(`never true: ${isTrue.toString()}`);
    await sleep(5);
  }
}

test('forwards bytes and their end in both directions, and counts who is there', async () => {
  const { socket, said } = dial();
  socket.write('hello');
  await eventually(() => said() === 'hello');
  expect(proxy.connections).toBe(1);
  socket.end();
  await eventually(() => said() === 'hellobye' && proxy.connections === 0);
});

test('forwards more than one buffer holds', async () => {
  const { socket, said } = dial();
  socket.write('x'.repeat(4_000_000));
  socket.end();
  await eventually(() => said().length === 4_000_003);
});

test('cuts every connection and forwards the next one', async () => {
  const first = dial();
  first.socket.write('a');
  await eventually(() => first.said() === 'a');
  proxy.cut();
  await eventually(
    () => first.socket.destroyed && proxy.connections === 0 && accepted.every(({ destroyed }) => destroyed),
  );
  const second = dial();
  second.socket.write('b');
  await eventually(() => second.said() === 'b');
});

test('refuses until it resumes', async () => {
  proxy.refuse();
  const first = dial();
  await eventually(() => first.socket.destroyed);
  proxy.resume();
  const second = dial();
  second.socket.write('b');
  await eventually(() => second.said() === 'b');
});

test('holds bytes and ends while it stalls, of old connections and of new ones, and forwards them afterwards', async () => {
  const old = dial();
  const ended = dial();
  old.socket.write('a');
  ended.socket.write('a');
  await eventually(() => old.said() === 'a' && ended.said() === 'a');
  proxy.stall();
  old.socket.write('b');
  for (const socket of accepted) socket.write('from the other side');
  accepted[1]?.resetAndDestroy();
  const fresh = dial();
  fresh.socket.write('c');
  await sleep(200);
  expect([old.said(), ended.said(), fresh.said()]).toEqual(['a', 'a', '']);
  expect([proxy.connections, accepted.length, ended.socket.destroyed]).toEqual([3, 2, false]);
  proxy.resume();
  await eventually(() => old.said().includes('from the other side') && old.said().includes('b'));
  await eventually(() => fresh.said() === 'c' && ended.socket.destroyed);
});

test('does not tell the target that a client went while it stalls', async () => {
  const { socket, said } = dial();
  socket.write('a');
  await eventually(() => said() === 'a');
  proxy.stall();
  socket.resetAndDestroy();
  await eventually(() => proxy.connections === 0);
  await sleep(100);
  expect(accepted[0]?.destroyed).toBe(false);
  proxy.resume();
  await eventually(() => accepted[0]?.destroyed === true);
});
