import { describe, expect, test } from 'vitest';
import { ManualClock } from '../kit/manual-clock.ts';
import type { KubeResult, WatchEvent } from './api.ts';
import { connected } from './testing/connected.ts';
import { countingLog } from './testing/copy.ts';
import { answer, type Respond, refuse } from './testing/fake-api-server.ts';

const services = { group: '', version: 'v1', plural: 'services' };
const routes = { group: 'networking.istio.io', version: 'v1', plural: 'virtualservices' };
const never = new AbortController().signal;
const watchOptions = { namespace: '', resourceVersion: '7', timeoutSeconds: 300, silenceMs: 60_000 };

async function collect(watch: AsyncIterable<KubeResult<WatchEvent>>): Promise<readonly KubeResult<WatchEvent>[]> {
  const events: KubeResult<WatchEvent>[] = [];
  for await (const event of watch) events.push(event);
  return events;
}

describe('calls', () => {
  test('that get no answer are told once, and once that they get one again', async () => {
    const { log, lines } = countingLog();
    const state = { isAway: true };
    const respond: Respond = (_, response) => (state.isAway ? response.destroy() : answer(response, 200, {}));
    const { api } = await connected(respond, { log });
    const get = () => api.get(services, { namespace: 'shop', name: 'a' }, never);
    for (let count = 0; count < 2; count += 1) await get();
    await api.get(services, { namespace: 'shop', name: 'a' }, AbortSignal.abort());
    expect(lines).toEqual([]);
    for (let count = 0; count < 10; count += 1) await get();
    state.isAway = false;
    for (let count = 0; count < 2; count += 1) await get();
    expect(lines).toEqual([
      'warn the Kubernetes API does not answer; what is known of it stays, and it is tried again',
      'info the Kubernetes API answers again',
    ]);
  });

  test('go where the API server expects them, with what it expects', async () => {
    const { server, api } = await connected((_, response) => answer(response, 200, { metadata: {}, items: [] }));
    const object = { metadata: { namespace: 'shop', name: 'a' } };
    const name = { namespace: 'shop', name: 'a' };
    await api.get(services, name, never);
    await api.list(services, { namespace: '', limit: 500, fieldSelector: 'metadata.name=istio' }, never);
    await api.list(routes, { namespace: 'shop', limit: 10, continueToken: 'x&y' }, never);
    await api.create(routes, object, never, true);
    await api.update(routes, object, never);
    await api.apply(routes, object, { fieldManager: 'xebec', force: true, subresource: 'status' }, never);
    await api.patch(routes, name, [{ op: 'replace', path: '/spec', value: {} }], never);
    await api.delete({ ...routes, plural: 'gateways' }, { namespace: '', name: 'b' }, never);
    await api.getPath('/version', never);
    const seen = server.requests.map(({ method, path, query, headers, body }) =>
      [method, `${path}?${query.toString()}`, headers['content-type'] ?? '', body].join(' ').trim(),
    );
    expect(seen).toEqual([
      'GET /api/v1/namespaces/shop/services/a?',
      'GET /api/v1/services?fieldSelector=metadata.name%3Distio&limit=500',
      'GET /apis/networking.istio.io/v1/namespaces/shop/virtualservices?limit=10&continue=x%26y',
      `POST /apis/networking.istio.io/v1/namespaces/shop/virtualservices?dryRun=All application/json ${JSON.stringify(object)}`,
      `PUT /apis/networking.istio.io/v1/namespaces/shop/virtualservices/a? application/json ${JSON.stringify(object)}`,
      `PATCH /apis/networking.istio.io/v1/namespaces/shop/virtualservices/a/status?fieldManager=xebec&force=true application/apply-patch+yaml ${JSON.stringify(object)}`,
      'PATCH /apis/networking.istio.io/v1/namespaces/shop/virtualservices/a? application/json-patch+json [{"op":"replace","path":"/spec","value":{}}]',
      'DELETE /apis/networking.istio.io/v1/gateways/b?',
      'GET /version?',
    ]);
    for (const { headers } of server.requests)
      expect([headers['user-agent'], headers.authorization]).toEqual(['xebec-test', 'Bearer secret']);
  });

  test('of an object without a name are never made', async () => {
    const { server, api } = await connected((_, response) => answer(response, 200, {}));
    expect(() => api.get(services, { namespace: 'shop', name: '' }, never)).toThrow('without a name');
    await expect(api.delete(services, { namespace: 'shop', name: '' }, never)).rejects.toThrow('without a name');
    expect(server.requests).toEqual([]);
  });

  test('that are refused say why', async () => {
    const refusals = [
      [404, 'NotFound', 'not-found'],
      [409, 'AlreadyExists', 'already-exists'],
      [409, 'Conflict', 'conflict'],
      [403, 'Forbidden', 'forbidden'],
      [422, 'Invalid', 'invalid'],
      [400, 'BadRequest', 'invalid'],
      [410, 'Expired', 'expired'],
      [410, 'Gone', 'expired'],
      [429, 'TooManyRequests', 'too-many-requests'],
      [500, 'InternalError', 'server'],
      [503, 'ServiceUnavailable', 'server'],
      [418, 'Teapot', 'other'],
    ] as const;
    const { api } = await connected(({ path }, response) => {
      const [code, reason] = refusals[Number(path.slice(1))]!;
      refuse(response, { code, reason, message: `because of ${reason}` });
    });
    for (const [index, [status, name, reason]] of refusals.entries())
      expect(await api.getPath(`/${index}`, never)).toEqual({
        ok: false,
        error: { reason, status, message: `because of ${name}`, retryAfterMs: undefined },
      });
  });

  test('tell how long to stay away, from the header or the body', async () => {
    const { api } = await connected(({ path }, response) => {
      if (path === '/header')
        refuse(response, { code: 429, reason: 'TooManyRequests', message: '' }, { 'retry-after': '3' });
      else refuse(response, { code: 504, reason: 'Timeout', message: 'slow', details: { retryAfterSeconds: 2 } });
    });
    expect(await api.getPath('/header', never)).toMatchObject({ error: { retryAfterMs: 3_000 } });
    expect(await api.getPath('/body', never)).toMatchObject({ error: { reason: 'server', retryAfterMs: 2_000 } });
  });

  test('that meet a page of a proxy quote it, and one that is no JSON is an error', async () => {
    const { api } = await connected(({ path }, response) => {
      response.writeHead(path === '/ok' ? 200 : 502);
      response.end('<html>no upstream</html>');
    });
    expect(await api.getPath('/bad', never)).toMatchObject({
      error: { reason: 'server', status: 502, message: 'HTTP 502: <html>no upstream</html>' },
    });
    expect(await api.getPath('/ok', never)).toMatchObject({ error: { reason: 'other' } });
  });

  test('that a later list makes good are told so, also after etcd went back in time', async () => {
    const details = { causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }] };
    const { api } = await connected((_, response) =>
      refuse(response, { code: 504, reason: 'Timeout', message: 'Too large resource version: 9', details }),
    );
    expect(await api.getPath('/x', never)).toMatchObject({ error: { reason: 'expired' } });
  });

  test('of which the answer is too large are given up in time', async () => {
    const { api } = await connected(
      (_, response) => {
        response.writeHead(200);
        const more = (): void => void (response.write(Buffer.alloc(64 * 1024)) && setImmediate(more));
        response.on('drain', more);
        more();
      },
      { limits: { bodyBytes: 1_000_000 } },
    );
    expect(await api.getPath('/endless', never)).toMatchObject({ error: { reason: 'too-large' } });
  });

  test('without an answer end by the clock, or with their caller', async () => {
    const clock = new ManualClock();
    const { server, api } = await connected(() => undefined, { clock });
    const late = api.getPath('/late', never);
    await expect.poll(() => server.requests.length).toBe(1);
    await clock.advance(30_000);
    expect(await late).toMatchObject({
      error: { reason: 'unreachable', message: expect.stringMatching(/no word .* within 30 s/) },
    });
    const stop = new AbortController();
    const given = api.getPath('/given-up', stop.signal);
    await expect.poll(() => server.requests.length).toBe(2);
    stop.abort();
    expect(await given).toMatchObject({ error: { reason: 'unreachable', message: 'given up by the caller' } });
    expect(clock.sleeping).toBe(0);
  });

  test('to a server that is not there say so', async () => {
    const { server, api } = await connected(() => undefined);
    await server.stop();
    expect(await api.getPath('/version', never)).toMatchObject({
      error: {
        reason: 'unreachable',
        status: undefined,
        message: expect.stringMatching(/no answer from http:.* ECONNREFUSED/),
      },
    });
  });

  test('share a few connections, and each watch has its own', async () => {
    const { server, api } = await connected(({ query }, response) => {
      if (query.get('watch') === 'true') {
        response.writeHead(200);
        response.flushHeaders();
      } else setImmediate(() => answer(response, 200, {}));
    });
    const stop = new AbortController();
    let open = 0;
    const onOpen = (): void => void (open += 1);
    const watches = Array.from({ length: 20 }, () =>
      collect(api.watch(services, { ...watchOptions, onOpen }, stop.signal)),
    );
    await expect.poll(() => open).toBe(20);
    await Promise.all(Array.from({ length: 300 }, (_, index) => api.getPath(`/${index}`, never)));
    expect(server.accepted).toBe(20 + 8);
    stop.abort();
    expect(await Promise.all(watches)).toEqual(Array.from({ length: 20 }, () => []));
    await expect.poll(() => server.sockets.size).toBe(8);
  });
});
