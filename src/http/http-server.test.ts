import { createServer } from 'node:http';
import { connect } from 'node:net';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type HttpRoute, HttpServer, jsonReply, textReply } from './http-server.ts';
import type { ListenAddress } from './listen.ts';

const anywhere = { host: '127.0.0.1', port: 0 };

type Started = { readonly url: string; readonly errors: unknown[]; readonly stop: () => Promise<void> };

async function start(): Promise<Started> {
  const errors: unknown[] = [];
  const server = new HttpServer(
    new Map<string, HttpRoute>([
      ['/text', () => textReply(200, 'hello')],
      ['/query', ({ query }) => textReply(200, query.get('a') ?? 'none')],
      ['/json', () => Promise.resolve(jsonReply(200, { names: new Set(['a', 'b']), none: undefined }))],
      ['/broken', () => Promise.reject(new Error('the secret is 42'))],
      ['/never', () => new Promise<never>(() => undefined)],
    ]),
    (error) => errors.push(error),
  );
  const { host, port } = await server.bind(anywhere);
  const stopping = new AbortController();
  const running = server.run(stopping.signal);
  const stop = async (): Promise<void> => {
    stopping.abort();
    await running;
  };
  onTestFinished(stop);
  return { url: `http://${host}:${port}`, errors, stop };
}

describe('the admin server', () => {
  test('answers what routes say', async () => {
    const { url } = await start();
    const text = await fetch(`${url}/text`);
    expect([text.status, text.headers.get('content-type'), await text.text()]).toEqual([
      200,
      'text/plain; charset=utf-8',
      'hello\n',
    ]);
    expect(text.headers.get('x-content-type-options')).toBe('nosniff');
    expect(await (await fetch(`${url}/query?a=b%20c`)).text()).toBe('b c\n');
  });

  test('writes sets as lists', async () => {
    const { url } = await start();
    const reply = await fetch(`${url}/json`);
    expect(reply.headers.get('content-type')).toBe('application/json');
    expect(await reply.json()).toEqual({ names: ['a', 'b'] });
  });

  test('lists its pages where there is none', async () => {
    const { url } = await start();
    for (const path of ['/nothing', '/text/', '//text', '/%']) {
      const reply = await fetch(`${url}${path}`);
      expect(reply.status).toBe(404);
      expect(await reply.text()).toContain('try one of: /text /query /json /broken /never');
    }
  });

  test('takes GET and HEAD only', async () => {
    const { url } = await start();
    const posted = await fetch(`${url}/text`, { method: 'POST', body: 'x'.repeat(100_000) });
    expect([posted.status, posted.headers.get('allow')]).toEqual([405, 'GET, HEAD']);
    const head = await fetch(`${url}/text`, { method: 'HEAD' });
    expect([head.status, await head.text()]).toEqual([200, '']);
  });

  test('a route that fails is told to its owner, and to the caller only that it did', async () => {
    const { url, errors } = await start();
    const reply = await fetch(`${url}/broken`);
    expect([reply.status, await reply.text()]).toEqual([500, 'internal error; the log has it\n']);
    expect(errors).toEqual([new Error('the secret is 42')]);
  });

  test('what is no HTTP harms nobody', async () => {
    const { url } = await start();
    const { port } = new URL(url);
    const answer = await new Promise<string>((resolve, reject) => {
      const socket = connect(Number(port), '127.0.0.1', () => socket.write('\u0016\u0003\u0001 junk\r\n\r\n'));
      let text = '';
      socket.on('data', (chunk) => (text += chunk.toString()));
      socket.on('error', reject);
      socket.on('close', () => resolve(text));
    });
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect((await fetch(`${url}/text`)).status).toBe(200);
  });

  test('connections that say nothing keep no probe out, hundreds of them', async () => {
    const { url } = await start();
    const { port } = new URL(url);
    const silent = await Promise.all(
      Array.from({ length: 400 }, async () => {
        const socket = connect(Number(port), '127.0.0.1').on('error', () => undefined);
        await new Promise((resolve) => socket.once('connect', resolve).once('close', resolve));
        return socket;
      }),
    );
    onTestFinished(() => {
      for (const socket of silent) socket.destroy();
    });
    expect((await fetch(`${url}/text`)).status).toBe(200);
  });

  test('the signal closes it, callers in the middle of an answer too', async () => {
    const { url, stop } = await start();
    const waiting = fetch(`${url}/never`).then(
      () => 'answered',
      () => 'cut',
    );
    await fetch(`${url}/text`);
    await stop();
    expect(await waiting).toBe('cut');
    await expect(fetch(`${url}/text`)).rejects.toThrow('fetch failed');
  });
});

describe('taking a port', () => {
  test('that somebody has is refused, with the address and what to do', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    onTestFinished(() => void other.close());
    await new Promise((resolve) => other.once('listening', resolve));
    const taken = other.address() as { readonly port: number };
    await expect(bind({ host: '127.0.0.1', port: taken.port })).rejects.toThrow(
      `127.0.0.1:${taken.port} is already in use: stop what uses it, or choose another port`,
    );
  });

  test('of an address that is not this machine’s names the address and the reason', async () => {
    await expect(bind({ host: '192.0.2.1', port: 1 })).rejects.toThrow(
      /^cannot listen on 192\.0\.2\.1:1: .*EADDRNOTAVAIL/,
    );
  });

  function bind(address: ListenAddress): Promise<ListenAddress> {
    return new HttpServer(new Map(), () => undefined).bind(address);
  }
});
