import type { lookup } from 'node:dns';
import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { gzipSync } from 'node:zlib';
import { afterEach, describe, expect, test, vi } from 'vitest';
import { createAuthority } from '../../test/support/certificates.ts';
import { systemClock } from '../kit/system-clock.ts';
import { type GuardedGet, guardedGet } from './guarded-get.ts';

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

const servers: Server[] = [];
const never = new AbortController().signal;

afterEach(async () => {
  vi.unstubAllEnvs();
  for (const server of servers.splice(0)) {
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  }
});

async function listen(server: Server): Promise<number> {
  servers.push(server);
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  return (server.address() as AddressInfo).port;
}

const serve = (handler: Handler): Promise<number> => listen(createServer(handler));

const loopback = ['127.0.0.0/8'];

function get(url: string, more: Partial<GuardedGet> = {}, names?: typeof lookup) {
  const asked = { url, timeoutMs: 5_000, maxBytes: 1_000_000, maxRedirects: 3, filter: { allowed: loopback } };
  const deps = { clock: systemClock, ...(names === undefined ? {} : { lookup: names }) };
  return guardedGet({ ...asked, setting: '--allowed', authorities: undefined, ...more }, deps, never);
}

/** Every name has these addresses, one answer after the other. */
function namesLeadTo(...answers: readonly (readonly string[])[]): {
  readonly lookup: typeof lookup;
  readonly count: () => number;
} {
  let asked = 0;
  const resolve = (_: string, __: object, callback: (error: null, found: object[]) => void): void => {
    const addresses = answers[Math.min(asked, answers.length - 1)] ?? [];
    asked += 1;
    callback(
      null,
      addresses.map((address) => ({ address, family: address.includes(':') ? 6 : 4 })),
    );
  };
  return { lookup: resolve as unknown as typeof lookup, count: () => asked };
}

/** S5: none of these may be asked. */
const hostile: readonly string[] = [
  'http://127.0.0.1/',
  'http://127.1/',
  'http://127.0.1/',
  'http://2130706433/',
  'http://0x7f000001/',
  'http://0x7f.0.0.1/',
  'http://0177.0.0.1/',
  'http://017700000001/',
  'http://127.0.0.1:15000/',
  'http://127.0.0.1./',
  'http://0/',
  'http://0.0.0.0/',
  'http://[::]/',
  'http://[::1]/',
  'http://[0:0:0:0:0:0:0:1]/',
  'http://[::ffff:127.0.0.1]/',
  'http://[::ffff:7f00:1]/',
  'http://[::127.0.0.1]/',
  'http://[64:ff9b::7f00:1]/',
  'http://[64:ff9b:1::a9fe:a9fe]/',
  'http://[2002:7f00:1::]/',
  'http://[2001:0:7f00:1::]/',
  'http://[fe80::1]/',
  'http://[fd00::1]/',
  'http://[fc00::1]/',
  'http://[fec0::1]/',
  'http://[ff02::1]/',
  'http://[2001:db8::1]/',
  'http://localhost/',
  'http://LOCALHOST/',
  'http://10.0.0.1/',
  'http://10.96.0.1:443/',
  'http://0xa000001/',
  'http://167772161/',
  'http://172.16.0.1/',
  'http://172.31.255.255/',
  'http://192.168.0.1/',
  'http://100.64.0.1/',
  'http://100.127.255.254/',
  'http://169.254.169.254/latest/meta-data/',
  'http://169.254.1/',
  'http://0xa9fea9fe/',
  'http://2852039166/',
  'http://0251.0376.0251.0376/',
  'http://[::ffff:a9fe:a9fe]/',
  'http://224.0.0.1/',
  'http://239.255.255.250/',
  'http://240.0.0.1/',
  'http://255.255.255.255/',
  'http://198.18.0.1/',
  'http://192.0.2.1/',
  'http://１２７.０.０.１/',
  'http://127。0。0。1/',
  'http://①②⑦.⓪.⓪.①/',
  'http:127.0.0.1/',
  'http:\\\\127.0.0.1\\',
  'http://user@127.0.0.1/',
  'http://user:password@8.8.8.8/',
  'http://8.8.8.8@127.0.0.1/',
  'file:///etc/passwd',
  'ftp://8.8.8.8/',
  'gopher://8.8.8.8/',
  'data:application/json,{"keys":[]}',
  'unix:///var/run/docker.sock',
  'javascript:1',
  'http://',
  'http://[::1',
  'http://a b/',
  'http://127.0.0.1:99999/',
  '//127.0.0.1/',
  '',
  `http://8.8.8.8/${'a'.repeat(3_000)}`,
];

describe('S5: addresses', () => {
  test('there are enough of them', () => expect(new Set(hostile).size).toBeGreaterThanOrEqual(60));

  test.each(hostile)('%s is not asked', async (url) => {
    const names = namesLeadTo(['127.0.0.1', '10.0.0.1', 'fd00::1']);
    const answer = await get(url, { filter: { allowed: [] } }, names.lookup);
    expect(answer.ok).toBe(false);
    if (!answer.ok)
      expect(answer.error).toMatch(/is not asked|neither http nor https|no URL|not a URL|user or password|so is not/);
  });

  test('whoever reads why learns what opens it', async () => {
    const answer = await get('http://idp.example.com/', { filter: { allowed: [] } }, namesLeadTo(['10.96.4.7']).lookup);
    expect(answer).toEqual({
      ok: false,
      error:
        'idp.example.com has the address 10.96.4.7, which is private, and so is not asked; allow it with --allowed, such as --allowed=10.96.4.7/32',
    });
  });

  test('a name is asked for once, and the connection goes to what was looked at', async () => {
    const port = await serve((_, response) => response.end('here'));
    const names = namesLeadTo(['127.0.0.1'], ['169.254.169.254']);
    expect(await get(`http://rebound.example.com:${port}/`, {}, names.lookup)).toEqual({ ok: true, value: 'here' });
    expect(names.count()).toBe(1);
  });

  test('of several addresses only those are tried that may be', async () => {
    const port = await serve((_, response) => response.end('here'));
    const names = namesLeadTo(['10.0.0.1', '169.254.169.254', '127.0.0.1']);
    expect(await get(`http://mixed.example.com:${port}/`, {}, names.lookup)).toEqual({ ok: true, value: 'here' });
  });

  test('the environment’s proxy is not used', async () => {
    const asked: string[] = [];
    const proxy = await serve((request, response) => {
      asked.push(request.url ?? '');
      response.end('proxy');
    });
    for (const name of ['HTTP_PROXY', 'http_proxy', 'HTTPS_PROXY', 'ALL_PROXY'])
      vi.stubEnv(name, `http://127.0.0.1:${proxy}`);
    vi.stubEnv('NODE_USE_ENV_PROXY', '1');
    const port = await serve((_, response) => response.end('here'));
    expect(await get(`http://127.0.0.1:${port}/`)).toEqual({ ok: true, value: 'here' });
    expect(asked).toEqual([]);
  });
});

describe('redirects', () => {
  async function redirectTo(location: string, status = 302): Promise<string> {
    const port = await serve((_, response) => response.writeHead(status, { location }).end('moved'));
    return `http://127.0.0.1:${port}/`;
  }

  test('are followed, also relative ones, three times', async () => {
    const port = await serve((request, response) => {
      const at = Number(request.url?.slice(1));
      if (at < 3) response.writeHead(307, { location: `/${at + 1}` }).end();
      else response.end('there');
    });
    expect(await get(`http://127.0.0.1:${port}/0`)).toEqual({ ok: true, value: 'there' });
    expect(await get(`http://127.0.0.1:${port}/-1`)).toEqual({ ok: false, error: 'it redirects more than 3 times' });
  });

  test.each([
    ['http://10.0.0.1/', /10\.0\.0\.1 is private, and so is not asked/],
    ['http://[::1]/', /::1 is loopback, and so is not asked/],
    ['http://0xa9fea9fe/', /169\.254\.169\.254 is link-local/],
    ['file:///etc/passwd', /neither http nor https/],
    ['gopher://127.0.0.1/', /neither http nor https/],
    ['http://user:x@127.0.0.1/', /has a user or password/],
  ])('to %s are not followed', async (location, reason) => {
    for (const status of [301, 302, 303, 307, 308]) {
      const answer = await get(await redirectTo(location, status));
      expect(answer).toEqual({ ok: false, error: expect.stringMatching(reason) as unknown });
    }
  });

  test('a name that leads elsewhere after a redirect is looked at again', async () => {
    const port = await serve((_, response) => response.writeHead(302, { location: '/again' }).end());
    const names = namesLeadTo(['127.0.0.1'], ['169.254.169.254']);
    const answer = await get(`http://rebound.example.com:${port}/`, {}, names.lookup);
    expect(answer).toEqual({
      ok: false,
      error: expect.stringContaining('169.254.169.254, which is link-local') as unknown,
    });
  });
});

describe('bodies', () => {
  test('of more than is allowed are cut off, said or not', async () => {
    let sent = 0;
    const endless = await serve((_, response) => {
      const chunk = Buffer.alloc(65_536, 'a');
      const more = (): void => {
        while (sent < 100_000_000 && response.write(chunk)) sent += chunk.length;
      };
      response.on('drain', more);
      more();
    });
    const tooLarge = { ok: false, error: 'the answer has more than 1000000 bytes' };
    expect(await get(`http://127.0.0.1:${endless}/`)).toEqual(tooLarge);
    expect(sent).toBeLessThan(50_000_000);
    const announced = await serve((_, response) =>
      response.writeHead(200, { 'content-length': '100000000' }).write('a'),
    );
    expect(await get(`http://127.0.0.1:${announced}/`)).toEqual(tooLarge);
  });

  test('that are slow are given up', async () => {
    const slow = await serve((_, response) => {
      const timer = setInterval(() => response.write(' '), 10);
      response.on('close', () => clearInterval(timer));
    });
    const silent = await serve(() => undefined);
    for (const port of [slow, silent]) {
      const answer = await get(`http://127.0.0.1:${port}/`, { timeoutMs: 200 });
      expect(answer).toEqual({ ok: false, error: 'there was no whole answer in time' });
    }
  });

  test('that are compressed are not unpacked', async () => {
    const bomb = gzipSync(Buffer.alloc(100_000_000));
    const port = await serve((_, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(bomb));
    const answer = await get(`http://127.0.0.1:${port}/`);
    expect(answer).toEqual({ ok: false, error: 'the answer is compressed, which nobody asked for' });
  });

  test('of other answers are not taken', async () => {
    for (const status of [204, 304, 404, 500]) {
      const port = await serve((_, response) => response.writeHead(status).end());
      expect(await get(`http://127.0.0.1:${port}/`)).toEqual({ ok: false, error: `the answer is ${status}` });
    }
  });

  test('that break off are no answer', async () => {
    const port = await serve((_, response) => {
      response.writeHead(200, { 'content-length': '100' }).write('half');
      setImmediate(() => response.destroy());
    });
    expect((await get(`http://127.0.0.1:${port}/`)).ok).toBe(false);
  });

  test('nobody is there', async () => {
    const port = await serve(() => undefined);
    const [server] = servers.splice(0);
    await new Promise((resolve) => server?.close(resolve));
    const answer = await get(`http://127.0.0.1:${port}/`);
    expect(answer).toEqual({ ok: false, error: `127.0.0.1:${port} cannot be asked (ECONNREFUSED)` });
  });
});

describe('TLS', () => {
  const authority = createAuthority();
  const serveTls = (names: readonly [string, ...string[]]): Promise<number> => {
    const { certificate, key } = authority.issue(names);
    return listen(createTlsServer({ cert: certificate, key }, (_, response) => response.end('safe')));
  };

  test('is verified with the authorities that are given', async () => {
    const port = await serveTls(['keys.example.com']);
    const url = `https://keys.example.com:${port}/`;
    const names = namesLeadTo(['127.0.0.1']).lookup;
    expect(await get(url, { authorities: authority.certificate }, names)).toEqual({ ok: true, value: 'safe' });
  });

  test('is verified, whatever the environment says', async () => {
    vi.stubEnv('NODE_TLS_REJECT_UNAUTHORIZED', '0');
    const port = await serveTls(['keys.example.com']);
    const names = namesLeadTo(['127.0.0.1']).lookup;
    const unknown = await get(`https://keys.example.com:${port}/`, {}, names);
    expect(unknown).toEqual({ ok: false, error: expect.stringMatching(/cannot be asked \([A-Z_]+\)/) as unknown });
    const other = await get(`https://other.example.com:${port}/`, { authorities: authority.certificate }, names);
    expect(other).toEqual({ ok: false, error: expect.stringContaining('ERR_TLS_CERT_ALTNAME_INVALID') as unknown });
  });

  test('is not left by a redirect', async () => {
    const { certificate, key } = authority.issue(['127.0.0.1']);
    const handler: Handler = (_, response) => response.writeHead(302, { location: 'http://127.0.0.1/' }).end();
    const port = await listen(createTlsServer({ cert: certificate, key }, handler));
    const answer = await get(`https://127.0.0.1:${port}/`, { authorities: authority.certificate });
    expect(answer).toEqual({ ok: false, error: 'it redirects from https to http' });
  });
});

test('whoever stops waiting is answered at once', async () => {
  const port = await serve(() => undefined);
  const stop = new AbortController();
  const asked = { url: `http://127.0.0.1:${port}/`, timeoutMs: 60_000, maxBytes: 1, maxRedirects: 0 };
  const more = { filter: { allowed: loopback }, setting: '--allowed', authorities: undefined };
  const answer = guardedGet({ ...asked, ...more }, { clock: systemClock }, stop.signal);
  stop.abort();
  expect(await answer).toEqual({ ok: false, error: 'it was given up' });
});
