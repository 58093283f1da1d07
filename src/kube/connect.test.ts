import { chmod, mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { createAuthority } from '../../test/support/certificates.ts';
import { ManualClock } from '../kit/manual-clock.ts';
import { systemClock } from '../kit/system-clock.ts';
import { silentLogger } from '../telemetry/logger.ts';
import { PromMetrics } from '../telemetry/prom-metrics.ts';
import { type ConnectOptions, connectKubeApi, type KubeConnection } from './connect.ts';
import { kubeconfig, temporaryFolder } from './testing/connected.ts';
import { answer, FakeApiServer, type Respond, refuse, type ServingCertificate } from './testing/fake-api-server.ts';

const never = new AbortController().signal;
const authority = createAuthority('first');

async function serve(respond: Respond, tls?: ServingCertificate): Promise<FakeApiServer> {
  const server = await FakeApiServer.start(respond, tls);
  onTestFinished(() => server.stop());
  return server;
}

function options(more: Pick<ConnectOptions, 'access'> & Partial<ConnectOptions>): ConnectOptions {
  return { clock: systemClock, log: silentLogger, metrics: new PromMetrics(), userAgent: 'xebec-test', ...more };
}

async function connect(more: Pick<ConnectOptions, 'access'> & Partial<ConnectOptions>): Promise<KubeConnection> {
  const made = await connectKubeApi(options(more));
  if (!made.ok) throw new Error(made.error);
  onTestFinished(() => made.value.close());
  return made.value;
}

async function serviceAccount(token: string, ca = authority.certificate): Promise<string> {
  const directory = await temporaryFolder();
  await writeFile(join(directory, 'token'), `${token}\n`);
  await writeFile(join(directory, 'ca.crt'), ca);
  await writeFile(join(directory, 'namespace'), 'istio-system');
  return directory;
}

function inCluster(server: FakeApiServer, directory: string) {
  return { kind: 'in-cluster', host: 'localhost', port: String(server.port), directory } as const;
}

/** Answers with the token it was shown. */
const mirror: Respond = ({ headers }, response) => answer(response, 200, { seen: headers.authorization });

describe('in a pod', () => {
  test('the service account is shown, over TLS that it can check', async () => {
    const server = await serve(mirror, authority.issue(['localhost']));
    const api = await connect({ access: inCluster(server, await serviceAccount('one')) });
    expect(await api.getPath('/', never)).toEqual({ ok: true, value: { seen: 'Bearer one' } });
    expect([api.server, api.namespace]).toEqual([`https://localhost:${server.port}`, 'istio-system']);
  });

  test('a server of another authority is not talked to', async () => {
    const server = await serve(mirror, createAuthority('stranger').issue(['localhost']));
    const api = await connect({ access: inCluster(server, await serviceAccount('one')) });
    expect(await api.getPath('/', never)).toMatchObject({ ok: false, error: { reason: 'unreachable' } });
    expect(server.requests).toEqual([]);
  });

  test('a token is read again when it is a minute old', async () => {
    const clock = new ManualClock();
    const server = await serve(mirror, authority.issue(['localhost']));
    const directory = await serviceAccount('one');
    const api = await connect({ access: inCluster(server, directory), clock });
    await writeFile(join(directory, 'token'), 'two');
    await clock.advance(59_000);
    expect(await api.getPath('/', never)).toMatchObject({ value: { seen: 'Bearer one' } });
    await clock.advance(1_000);
    expect(await api.getPath('/', never)).toMatchObject({ value: { seen: 'Bearer two' } });
    expect(server.accepted).toBe(1);
  });

  test('a token that is refused is read again at once; one that is refused twice is told', async () => {
    const respond: Respond = ({ headers }, response) => {
      if (headers.authorization === 'Bearer two') answer(response, 200, {});
      else refuse(response, { code: 401, reason: 'Unauthorized', message: 'Unauthorized' });
    };
    const server = await serve(respond, authority.issue(['localhost']));
    const directory = await serviceAccount('one');
    const api = await connect({ access: inCluster(server, directory), clock: new ManualClock() });
    await writeFile(join(directory, 'token'), 'two');
    expect(await api.getPath('/', never)).toEqual({ ok: true, value: {} });
    await writeFile(join(directory, 'token'), 'three');
    expect(await api.getPath('/', never)).toEqual({ ok: true, value: {} });
    const other = await connect({ access: inCluster(server, await serviceAccount('one')) });
    expect(await other.getPath('/', never)).toMatchObject({ ok: false, error: { reason: 'unauthorized' } });
    expect(server.requests.length).toBe(5);
  });

  test('a new authority is followed by new connections, while watches of the old ones go on', async () => {
    const clock = new ManualClock();
    const responses: { readonly write: (text: string) => boolean; readonly end: () => void }[] = [];
    const respond: Respond = (request, response) => {
      if (request.query.get('watch') === null) {
        answer(response, 200, {});
        return;
      }
      response.writeHead(200);
      response.flushHeaders();
      responses.push(response);
    };
    const server = await serve(respond, authority.issue(['localhost']));
    const directory = await serviceAccount('one');
    const api = await connect({ access: inCluster(server, directory), clock });
    const type = { group: '', version: 'v1', plural: 'pods' };
    const watchOptions = { namespace: '', resourceVersion: '1', timeoutSeconds: 300, silenceMs: 75_000 };
    const events: unknown[] = [];
    const watching = (async () => {
      for await (const event of api.watch(type, watchOptions, never)) events.push(event);
    })();
    await expect.poll(() => responses.length).toBe(1);
    await writeFile(join(directory, 'ca.crt'), authority.certificate + createAuthority('second').certificate);
    await clock.advance(60_000);
    expect((await api.getPath('/', never)).ok).toBe(true);
    expect(server.accepted).toBe(2);
    responses[0]?.write(`${JSON.stringify({ type: 'ADDED', object: { a: 1 } })}\n`);
    await expect.poll(() => events.length).toBe(1);
    responses[0]?.end();
    await watching;
    expect(events).toEqual([{ ok: true, value: { type: 'ADDED', object: { a: 1 } } }]);
    // The connections of the old authority are closed as they become free.
    await expect.poll(() => server.sockets.size).toBe(1);
  });

  test('a server whose certificate does not fit has the authority read again at once', async () => {
    const second = createAuthority('second');
    const server = await serve(mirror, second.issue(['localhost']));
    const directory = await serviceAccount('one');
    const api = await connect({ access: inCluster(server, directory), clock: new ManualClock() });
    expect((await api.getPath('/', never)).ok).toBe(false);
    await writeFile(join(directory, 'ca.crt'), second.certificate);
    expect((await api.getPath('/', never)).ok).toBe(true);
  });

  test('files that cannot be read for a while leave the last copy in force', async () => {
    const clock = new ManualClock();
    const server = await serve(mirror, authority.issue(['localhost']));
    const directory = await serviceAccount('one');
    const api = await connect({ access: inCluster(server, directory), clock });
    await writeFile(join(directory, 'token'), '');
    await clock.advance(60_000);
    expect(await api.getPath('/', never)).toMatchObject({ value: { seen: 'Bearer one' } });
    await writeFile(join(directory, 'token'), 'two');
    await clock.advance(60_000);
    expect(await api.getPath('/', never)).toMatchObject({ value: { seen: 'Bearer two' } });
  });

  test('what is missing is told with what to do', async () => {
    const directory = await temporaryFolder();
    const access = { kind: 'in-cluster', directory } as const;
    expect(await connectKubeApi(options({ access: { ...access, host: undefined, port: '443' } }))).toEqual({
      ok: false,
      error:
        'cannot connect to the Kubernetes API: KUBERNETES_SERVICE_HOST and KUBERNETES_SERVICE_PORT are not set, so this is no pod; name a kubeconfig',
    });
    expect(await connectKubeApi(options({ access: { ...access, host: '10.0.0.1', port: 'x' } }))).toMatchObject({
      error: expect.stringContaining('https://10.0.0.1:x is no address'),
    });
    expect(await connectKubeApi(options({ access: { ...access, host: '10.0.0.1', port: '443' } }))).toMatchObject({
      error: expect.stringMatching(/ENOENT.*token.*automountServiceAccountToken/),
    });
  });

  test('an IPv6 address is an address', async () => {
    const access = {
      kind: 'in-cluster',
      host: 'fd00::1',
      port: '443',
      directory: await serviceAccount('one'),
    } as const;
    expect((await connect({ access })).server).toBe('https://[fd00::1]:443');
  });

  test('closing ends what runs, and what comes after', async () => {
    const server = await serve(() => undefined, authority.issue(['localhost']));
    const api = await connect({ access: inCluster(server, await serviceAccount('one')) });
    const running = api.getPath('/', never);
    await expect.poll(() => server.requests.length).toBe(1);
    await api.close();
    expect(await running).toMatchObject({ error: { reason: 'unreachable' } });
    expect(await api.getPath('/', never)).toMatchObject({ error: { reason: 'unreachable' } });
    await expect.poll(() => server.sockets.size).toBe(0);
  });
});

describe('by a kubeconfig', () => {
  const base64 = (text: string): string => Buffer.from(text).toString('base64');
  const trusting = { cluster: { 'certificate-authority-data': base64(authority.certificate) } };

  async function file(text: string): Promise<{ readonly kind: 'kubeconfig'; readonly path: string }> {
    const path = join(await temporaryFolder(), 'config');
    await writeFile(path, text);
    return { kind: 'kubeconfig', path };
  }

  test('tokens, passwords and a path before the API are used', async () => {
    const server = await serve(mirror, authority.issue(['localhost']));
    const url = `https://localhost:${server.port}/clusters/one/`;
    const byToken = await connect({ access: await file(kubeconfig(url, trusting)) });
    expect(await byToken.getPath('/version', never)).toMatchObject({ value: { seen: 'Bearer secret' } });
    expect([server.requests[0]?.path, byToken.namespace]).toEqual(['/clusters/one/version', 'shop']);
    const user = { username: 'ana', password: 'pw' };
    const byPassword = await connect({ access: await file(kubeconfig(url, { ...trusting, user })) });
    expect(await byPassword.getPath('/', never)).toMatchObject({ value: { seen: `Basic ${base64('ana:pw')}` } });
  });

  test('several files are read as one, and the first has the say', async () => {
    const server = await serve(mirror, authority.issue(['localhost']));
    const good = await file(kubeconfig(`https://localhost:${server.port}`, trusting));
    const contexts = await file(
      JSON.stringify({
        kind: 'Config',
        'current-context': 'mine',
        contexts: [{ name: 'mine', context: { cluster: 'test', user: 'test', namespace: 'own' } }],
      }),
    );
    const last = await file(kubeconfig('https://localhost:1', { user: { tokenFile: 'none' } }));
    const path = ['/nowhere/config', contexts.path, '', good.path, last.path].join(':');
    const api = await connect({ access: { kind: 'kubeconfig', path } });
    expect(await api.getPath('/', never)).toMatchObject({ value: { seen: 'Bearer secret' } });
    expect(api.namespace).toBe('own');
  });

  test('a token in a file beside it is read again', async () => {
    const clock = new ManualClock();
    const server = await serve(mirror, authority.issue(['localhost']));
    const access = await file(
      kubeconfig(`https://localhost:${server.port}`, { ...trusting, user: { tokenFile: 'token' } }),
    );
    expect(await connectKubeApi(options({ access }))).toMatchObject({ error: expect.stringMatching(/ENOENT.*token/) });
    await writeFile(join(dirname(access.path), 'token'), 'one\n');
    const api = await connect({ access, clock });
    expect(await api.getPath('/', never)).toMatchObject({ value: { seen: 'Bearer one' } });
    await writeFile(join(dirname(access.path), 'token'), 'two');
    await clock.advance(60_000);
    expect(await api.getPath('/', never)).toMatchObject({ value: { seen: 'Bearer two' } });
  });

  test('a name that the certificate has instead of the server’s is checked', async () => {
    const server = await serve(mirror, authority.issue(['kubernetes']));
    const url = `https://localhost:${server.port}`;
    const cluster = { ...trusting.cluster, 'tls-server-name': 'kubernetes' };
    expect((await (await connect({ access: await file(kubeconfig(url, { cluster })) })).getPath('/', never)).ok).toBe(
      true,
    );
    expect((await (await connect({ access: await file(kubeconfig(url, trusting)) })).getPath('/', never)).ok).toBe(
      false,
    );
  });

  test('a plugin is asked once, and again when what it gave is refused', async () => {
    const respond: Respond = ({ headers }, response) => {
      if (headers.authorization === 'Bearer run-2') answer(response, 200, {});
      else refuse(response, { code: 401, reason: 'Unauthorized', message: 'Unauthorized' });
    };
    const server = await serve(respond, authority.issue(['localhost']));
    const directory = await temporaryFolder();
    const plugin = join(directory, 'plugin');
    const credential =
      '{"apiVersion":"client.authentication.k8s.io/v1","kind":"ExecCredential","status":{"token":"run-%s"}}';
    await mkdir(join(directory, 'runs'));
    await writeFile(
      plugin,
      `#!/bin/sh\nmktemp "${directory}/runs/XXXXXX" >/dev/null\nprintf '${credential}' $(ls "${directory}/runs" | wc -l)\n`,
    );
    await chmod(plugin, 0o755);
    const exec = { apiVersion: 'client.authentication.k8s.io/v1', command: plugin, interactiveMode: 'Never' };
    const text = kubeconfig(`https://localhost:${server.port}`, { ...trusting, user: { exec } });
    const api = await connect({ access: await file(text) });
    expect((await api.getPath('/', never)).ok).toBe(true);
    expect((await api.getPath('/', never)).ok).toBe(true);
    expect(server.requests.map(({ headers }) => headers.authorization)).toEqual([
      'Bearer run-1',
      'Bearer run-2',
      'Bearer run-2',
    ]);
  });

  test('what is wrong is told with what to do', async () => {
    const good = kubeconfig('https://localhost:1');
    for (const [text, context, says] of [
      [': [', undefined, /the kubeconfig .* cannot be read .*check the file/],
      [' ', undefined, /cannot be read \(it is empty\)/],
      [good, 'other', /has no context other; it has test$/],
      [good.replace('"current-context":"test"', '"current-context":""'), undefined, /has no current context; name one/],
      ['{}', undefined, /has no contexts; name another file, or repair it/],
      [good.replace('"cluster":"test"', '"cluster":"gone"'), undefined, /names a cluster that is not there/],
      [kubeconfig('localhost:1'), undefined, /is no address; correct it/],
      [
        kubeconfig('https://a', { cluster: { 'proxy-url': 'http://p' } }),
        undefined,
        /proxy-url, which is not supported/,
      ],
    ] as const) {
      const made = await connectKubeApi(options({ access: { ...(await file(text)), context } }));
      expect(made).toEqual({ ok: false, error: expect.stringMatching(says) });
      expect(made).toMatchObject({ error: expect.stringMatching(/^cannot connect to the Kubernetes API: /) });
    }
    const missing = await connectKubeApi(options({ access: { kind: 'kubeconfig', path: '/nowhere/config' } }));
    expect(missing).toMatchObject({ error: expect.stringContaining('ENOENT') });
  });
});
