import { describe, expect, test } from 'vitest';
import { useMesh } from '../support/mesh.ts';
import { jwksOf, rsaKey, token } from '../support/tokens.ts';
import { client, echo, outside, service } from '../support/workloads.ts';

// The client has no Envoy: what it sends reaches the server's as it is.
const mesh = useMesh();
mesh.given(client('client', outside), client('inside'));

const [first, second] = [rsaKey('a'), rsaKey('b')];
const jwtOf = { first: jwt('first', first), second: jwt('second', second) };

function jwt(issuer: string, key: ReturnType<typeof rsaKey>): string {
  return `issuer: ${issuer}, jwks: ${JSON.stringify(jwksOf([key]))}`;
}

function given(app: string, ports: readonly number[], policy: string, target = `{ name: ${app} }`): void {
  mesh.given(
    echo(
      app,
      'v1',
      ports.map((port) => `http:${port}`),
    ),
    service(
      app,
      ports.map((port) => `http-${port}:${port}`),
      { selector: { app } },
    ),
    `
apiVersion: authentication.istio.io/v1alpha1
kind: Policy
metadata: { name: ${app}, namespace: default }
spec:
  targets: [${target}]
${policy.replace(/^\n/, '').replace(/^/gm, '  ')}`,
  );
}

const tokens = { first: token(first, { iss: 'first', sub: 'a' }), second: token(second, { iss: 'second', sub: 'b' }) };
const bad = token(rsaKey('a'), { iss: 'first' });

type Request = { readonly token?: string; readonly path?: string; readonly port?: number; readonly from?: string };

async function statusOf(app: string, request: Request = {}): Promise<number> {
  const { token: text, path = '/', port = 8080, from = 'client' } = request;
  const headers = text === undefined ? {} : { authorization: `Bearer ${text}` };
  return (await mesh.call(from, `http://${app}:${port}${path}`, { headers })).status;
}

/** The status line for a request that is sent byte by byte: of some paths clients make others. */
async function statusLine(app: string, path: string): Promise<string> {
  const body = `GET ${path} HTTP/1.1\r\nHost: ${app}\r\nConnection: close\r\n\r`;
  return (await mesh.call('client', `tcp://${app}:8080`, { body })).body;
}

describe('origins', () => {
  given(
    'origin',
    [8080],
    `origins: [{ jwt: { ${jwtOf.first} } }, { jwt: { ${jwtOf.second} } }]\nprincipalBinding: USE_ORIGIN`,
  );

  test('one of them is needed', async () => {
    expect(await statusOf('origin')).toBe(401);
    expect(await statusOf('origin', { token: bad })).toBe(401);
    expect(await statusOf('origin', { token: tokens.first })).toBe(200);
    expect(await statusOf('origin', { token: tokens.second })).toBe(200);
  });

  given('optional', [8080], `origins: [{ jwt: { ${jwtOf.first} } }]\noriginIsOptional: true`);

  test('where they are optional everybody passes', async () => {
    expect(await statusOf('optional')).toBe(200);
    expect(await statusOf('optional', { token: bad })).toBe(200);
    expect(await statusOf('optional', { token: tokens.first })).toBe(200);
  });
});

describe('peers', () => {
  given('peer', [8080], `peers: [{ jwt: { ${jwtOf.first} } }]`);

  test('a token makes a peer known', async () => {
    expect(await statusOf('peer')).toBe(401);
    expect(await statusOf('peer', { token: tokens.first })).toBe(200);
  });
});

describe('triggers', () => {
  given(
    'trigger',
    [8080],
    `
origins:
  - jwt:
      ${jwtOf.first.replace(', jwks', '\n      jwks')}
      triggerRules:
        - includedPaths: [{ exact: /exact }, { prefix: /prefix/ }, { suffix: .suffix }, { regex: "/re[0-9]+" }]
          excludedPaths: [{ exact: /prefix/open }, { prefix: /prefix/public/ }, { suffix: .open.suffix }, { regex: "/prefix/x[0-9]+" }]`,
  );

  test.each([
    ['/', 200],
    ['/exact', 401],
    ['/exact?x', 401],
    ['/exact;x', 401],
    ['/exact;x?y', 401],
    ['/%65xact', 401],
    ['/a/../exact', 401],
    ['/exact/more', 200],
    ['/exactly', 200],
    ['/prefix', 200],
    ['/prefix/', 401],
    ['/prefix;a/b', 401],
    ['/prefix/a?b=/prefix/open', 401],
    ['/a.suffix', 401],
    ['/a.suffix?b', 401],
    ['/a.suffix;b', 401],
    ['/a?b=.suffix', 200],
    ['/re12', 401],
    ['/re12?x', 401],
    ['/re12;x', 401],
    ['/prefix/open', 200],
    ['/prefix/open?x', 200],
    ['/prefix/open;x', 401],
    ['/prefix/public/a', 200],
    ['/prefix/public/a?b=c', 200],
    ['/prefix/public/..;/secret', 401],
    ['/prefix/public/../secret', 401],
    ['/prefix/secret?/prefix/public/', 401],
    ['/prefix/secret?.open.suffix', 401],
    ['/prefix/secret;.open.suffix', 401],
    ['/a.open.suffix', 200],
    ['/prefix/x12', 200],
    ['/prefix/x12?y', 200],
    ['/prefix/x?y=/prefix/x12', 401],
  ])('ISTIO-SECURITY-2020-001: %s without a token is answered with %s', async (path, status) => {
    expect(await statusOf('trigger', { path })).toBe(status);
    expect(await statusOf('trigger', { path, token: tokens.first })).toBe(200);
  });

  test.each(['/exact#x', '/prefix/a#/prefix/open', '/exact?#x'])(
    'ISTIO-SECURITY-2020-001: %s gets past nobody',
    async (path) => {
      expect(await statusLine('trigger', path)).toMatch(/^HTTP\/1\.1 40[01] /);
    },
  );

  given(
    'combined',
    [8080],
    `
origins:
  - jwt:
      ${jwtOf.first.replace(', jwks', '\n      jwks')}
      triggerRules: [{ includedPaths: [{ prefix: /a/ }] }, { includedPaths: [{ prefix: /c/ }], excludedPaths: [{ suffix: .open }] }]
  - jwt:
      ${jwtOf.second.replace(', jwks', '\n      jwks')}
      triggerRules: [{ includedPaths: [{ prefix: /b/ }, { exact: /a/both }] }]`,
  );

  test.each([
    ['/', 200, 200, 200],
    ['/a/x', 401, 200, 401],
    ['/a/x?/b/', 401, 200, 401],
    ['/a/both', 401, 200, 200],
    ['/a/both?x', 401, 200, 200],
    ['/b/x', 401, 401, 200],
    ['/c/x', 401, 200, 401],
    ['/c/x.open', 200, 200, 200],
    ['/c/x?y.open', 401, 200, 401],
    ['/c/x;y.open', 401, 200, 401],
  ])('origins with triggers of their own: %s', async (path, without, withFirst, withSecond) => {
    const statuses = [undefined, tokens.first, tokens.second].map((text) =>
      statusOf('combined', { path, ...(text === undefined ? {} : { token: text }) }),
    );
    expect(await Promise.all(statuses)).toEqual([without, withFirst, withSecond]);
  });
});

describe('ports', () => {
  given(
    'ported',
    [8080, 8081],
    `origins: [{ jwt: { ${jwtOf.first} } }]`,
    '{ name: ported, ports: [{ number: 8080 }] }',
  );

  test('a policy of a port is about that port alone', async () => {
    expect(await statusOf('ported')).toBe(401);
    expect(await statusOf('ported', { port: 8081 })).toBe(200);
    expect(await statusOf('ported', { token: tokens.first })).toBe(200);
  });
});

describe('beside RequestAuthentication', () => {
  given('modern', [8080], `origins: [{ jwt: { ${jwtOf.first} } }]`);
  mesh.given(`
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: { name: modern, namespace: default }
spec:
  selector: { matchLabels: { app: modern } }
  jwtRules: [{ ${jwtOf.second} }]`);

  test('classic origins are not asked', async () => {
    expect(await statusOf('modern')).toBe(200);
    expect(await statusOf('modern', { token: tokens.first })).toBe(401);
    expect(await statusOf('modern', { token: tokens.second })).toBe(200);
  });
});
