import { describe, expect, test } from 'vitest';
import { ManualClock } from '../kit/manual-clock.ts';
import type { KubeApi, KubeResult, WatchEvent } from './api.ts';
import { connected } from './testing/connected.ts';
import { type Respond, statusOf } from './testing/fake-api-server.ts';

const type = { group: 'networking.istio.io', version: 'v1', plural: 'gateways' };

function watchFrom(api: KubeApi, more: { readonly onOpen?: () => void; readonly signal?: AbortSignal } = {}) {
  const { signal = new AbortController().signal, ...rest } = more;
  const options = { namespace: 'a', resourceVersion: '7', timeoutSeconds: 300, silenceMs: 75_000, ...rest };
  return collect(api.watch(type, options, signal));
}

async function collect(watch: AsyncIterable<KubeResult<WatchEvent>>): Promise<readonly KubeResult<WatchEvent>[]> {
  const events: KubeResult<WatchEvent>[] = [];
  for await (const event of watch) events.push(event);
  return events;
}

function says(...parts: readonly (string | Buffer)[]): Respond {
  return (_, response) => {
    response.writeHead(200);
    const next = (index: number): void => {
      const part = parts[index];
      if (part === undefined) response.end();
      // Flushed one by one, so that each is a chunk of its own.
      else response.write(part, () => setImmediate(() => next(index + 1)));
    };
    next(0);
  };
}

const added = { type: 'ADDED', object: { metadata: { name: 'grüß-😀', resourceVersion: '8' } } };

describe('a watch', () => {
  test('asks for bookmarks from where it was, and gives each event as it is', async () => {
    const bookmark = { type: 'BOOKMARK', object: { kind: 'Gateway', metadata: { resourceVersion: '9' } } };
    const { server, api } = await connected(says(`${JSON.stringify(added)}\n${JSON.stringify(bookmark)}\n`));
    expect(await watchFrom(api)).toEqual([
      { ok: true, value: added },
      { ok: true, value: { type: 'BOOKMARK', resourceVersion: '9' } },
    ]);
    expect(server.requests.map(({ path, query }) => `${path}?${query.toString()}`)).toEqual([
      '/apis/networking.istio.io/v1/namespaces/a/gateways?watch=true&allowWatchBookmarks=true&resourceVersion=7&timeoutSeconds=300',
    ]);
  });

  test('does not mind where its bytes are cut', async () => {
    const bytes = Buffer.from(`${JSON.stringify(added)}\n`);
    const { api } = await connected(says(...Array.from(bytes, (byte) => Buffer.from([byte]))));
    expect(await watchFrom(api)).toEqual([{ ok: true, value: added }]);
  });

  test('takes an event of megabytes', async () => {
    const huge = { type: 'MODIFIED', object: { spec: 'x'.repeat(3_000_000) } };
    const { api } = await connected(says(`${JSON.stringify(huge)}\n`));
    expect(await watchFrom(api)).toEqual([{ ok: true, value: huge }]);
  });

  test('that is cut within an event, or says what is no event, ends with an error after what was whole', async () => {
    const whole = `${JSON.stringify(added)}\n`;
    for (const [text, reason] of [
      [JSON.stringify(added).slice(0, 30), 'unreachable'],
      ['{"type":"ADDED","obj\n', 'other'],
      ['{"type":"ADDED"}\n', 'other'],
      ['{"type":"NEW","object":{}}\n', 'other'],
    ] as const) {
      const { api } = await connected(says(whole + text));
      expect(await watchFrom(api)).toEqual([
        { ok: true, value: added },
        { ok: false, error: expect.objectContaining({ reason }) },
      ]);
    }
  });

  test('that is told of an error ends with it', async () => {
    const object = statusOf({ code: 410, reason: 'Expired', message: 'too old resource version: 7 (9)' });
    const { api } = await connected(says(`${JSON.stringify({ type: 'ERROR', object })}\n${JSON.stringify(added)}\n`));
    expect(await watchFrom(api)).toMatchObject([
      { ok: false, error: { reason: 'expired', status: 410, message: 'too old resource version: 7 (9)' } },
    ]);
  });

  test('that is refused gives the refusal, and is never open', async () => {
    let isOpen = false;
    const { api } = await connected((_, response) => {
      response.writeHead(403);
      response.end(JSON.stringify(statusOf({ code: 403, reason: 'Forbidden', message: 'no watch' })));
    });
    expect(await watchFrom(api, { onOpen: () => void (isOpen = true) })).toMatchObject([
      { ok: false, error: { reason: 'forbidden', message: 'no watch' } },
    ]);
    expect(isOpen).toBe(false);
  });

  test('whose connection is cut ends with an error', async () => {
    const { server, api } = await connected((_, response) => {
      response.writeHead(200);
      response.write(`${JSON.stringify(added)}\n`, () => setImmediate(() => server.cut()));
    });
    expect(await watchFrom(api)).toMatchObject([
      { ok: true, value: added },
      { ok: false, error: { reason: 'unreachable' } },
    ]);
  });

  test('on which nothing comes is dead when it was silent for too long, and only then', async () => {
    const clock = new ManualClock();
    const { server, api } = await connected(
      (_, response) => {
        response.writeHead(200);
        response.flushHeaders();
        more = () => void response.write(`${JSON.stringify(added)}\n`);
      },
      { clock },
    );
    let more = (): void => undefined;
    let isOpen = false;
    const events: KubeResult<WatchEvent>[] = [];
    const options = { namespace: '', resourceVersion: '7', timeoutSeconds: 300, silenceMs: 75_000 };
    const watching = (async () => {
      const watch = api.watch(type, { ...options, onOpen: () => void (isOpen = true) }, new AbortController().signal);
      for await (const event of watch) events.push(event);
    })();
    await expect.poll(() => isOpen).toBe(true);
    await clock.advance(74_000);
    more();
    await expect.poll(() => events.length).toBe(1);
    await clock.advance(74_000);
    expect(server.sockets.size).toBe(1);
    await clock.advance(1_000);
    await watching;
    expect(events[1]).toMatchObject({ error: { reason: 'unreachable', message: expect.stringContaining('75 s') } });
    await expect.poll(() => server.sockets.size).toBe(0);
    expect(clock.sleeping).toBe(0);
  });

  test('that is never answered is given up as a call is', async () => {
    const clock = new ManualClock();
    const { server, api } = await connected(() => undefined, { clock });
    const watching = watchFrom(api);
    await expect.poll(() => server.requests.length).toBe(1);
    await clock.advance(30_000);
    expect(await watching).toMatchObject([{ error: { reason: 'unreachable' } }]);
  });

  test('ends without a word when its signal aborts, and when its reader leaves', async () => {
    const clock = new ManualClock();
    const { server, api } = await connected(
      (_, response) => {
        response.writeHead(200);
        response.write(`${JSON.stringify(added)}\n`);
      },
      { clock },
    );
    const stop = new AbortController();
    expect(await watchFrom(api, { signal: stop.signal, onOpen: () => stop.abort() })).toEqual([]);
    const options = { namespace: '', resourceVersion: '7', timeoutSeconds: 300, silenceMs: 75_000 };
    for await (const event of api.watch(type, options, new AbortController().signal)) {
      expect(event.ok).toBe(true);
      break;
    }
    await expect.poll(() => server.sockets.size).toBe(0);
    expect(clock.sleeping).toBe(0);
  });
});
