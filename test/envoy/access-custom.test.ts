// CUSTOM asks a real authorizer, over HTTP and gRPC, before DENY and ALLOW have their say; and what happens when it does not answer.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { ExtensionProvider } from '../../src/apis/mesh/extension-provider.ts';
import type { AuthorizationPolicySpec } from '../../src/apis/security/security.ts';
import type { AuthorizerPlace } from '../../src/model/mesh-security.ts';
import { selectAccess } from '../../src/pilot/security/access.ts';
import { meshSecurity } from '../../src/pilot/security/testing/mesh-security.ts';
import { object } from '../../src/testing/builders.ts';
import { echoes, RawHttp, type RawResponse } from '../support/access-client.ts';
import { AccessEnvoy, addressOfGuarded, freePorts, type Ports, TestIdentities } from '../support/access-envoy.ts';
import { allow, deny, to } from '../support/access-table.ts';
import { clusterOf, grpcAuthorizer, httpAuthorizer, type TestAuthorizer } from '../support/authorizer.ts';

const folder = mkdtempSync(join(tmpdir(), 'xebec-custom-'));
const http = await httpAuthorizer();
const grpc = await grpcAuthorizer();
/** Its port is let go again, so nobody answers there. */
const gone = await httpAuthorizer();
await gone.stop();

const shared = { includeRequestHeadersInCheck: ['x-say', 'x-many', 'x-ext-*'], timeout: '0.3s' };

function provider(name: string, kind: 'http' | 'grpc', more: object = {}): ExtensionProvider {
  const place = { service: `${name}.example`, port: 9000, timeout: '0.3s', ...more };
  return kind === 'http'
    ? { name, envoyExtAuthzHttp: { ...place, ...shared, ...more } }
    : { name, envoyExtAuthzGrpc: place };
}

const providers: readonly ExtensionProvider[] = [
  provider('http', 'http', {
    pathPrefix: '/check',
    includeAdditionalHeadersInCheck: { 'x-mesh': 'xebec' },
    headersToUpstreamOnAllow: ['x-user'],
    headersToDownstreamOnDeny: ['x-reason'],
    headersToDownstreamOnAllow: ['x-reason'],
  }),
  provider('grpc', 'grpc'),
  provider('gone', 'http'),
  provider('gone-open', 'http', { failOpen: true }),
  provider('gone-503', 'http', { statusOnError: '503' }),
  provider('nowhere', 'grpc'),
];

const known = ['http', 'grpc', 'gone', 'gone-open', 'gone-503'];
const authorizers = new Map<string, AuthorizerPlace>([
  ...known.map((name): [string, AuthorizerPlace] => [
    name,
    { kind: 'somewhere', hostname: `${name}.example`, port: 9000, protocol: name === 'grpc' ? 'GRPC' : 'HTTP' },
  ]),
  ['nowhere', { kind: 'nowhere', reason: 'there is no service nowhere.example' }],
]);

function custom(name: string, ...paths: readonly string[]): AuthorizationPolicySpec {
  return { action: 'CUSTOM', provider: { name }, rules: paths.length === 0 ? [{}] : [to({ paths: [...paths] })] };
}

const guarded: Readonly<Record<string, readonly AuthorizationPolicySpec[]>> = {
  http: [custom('http', '/paid/*')],
  grpc: [custom('grpc', '/paid/*')],
  both: [custom('http', '/paid/*'), custom('grpc', '/paid/*', '/grpc/*')],
  precedence: [custom('http', '/paid/*'), deny(to({ methods: ['PUT'] })), allow(to({ methods: ['GET', 'PUT'] }))],
  gone: [custom('gone', '/paid/*')],
  'gone-open': [custom('gone-open', '/paid/*')],
  'gone-503': [custom('gone-503', '/paid/*')],
  nowhere: [custom('nowhere', '/paid/*')],
  unknown: [custom('nobody', '/paid/*')],
  'grpc for all': [custom('grpc')],
  'http for all': [custom('http')],
  tried: [deny(to({ methods: ['PUT'] })), allow(to({ methods: ['GET'] }))],
};
const names = Object.keys(guarded);

let envoy: AccessEnvoy | undefined;
let ports: Ports = { http: 0, tcp: 0 };

beforeAll(async () => {
  ports = await freePorts();
  const plans = Object.entries(guarded).map(([name, specs], row) => {
    const annotations = name === 'tried' ? { 'istio.io/dry-run': 'true' } : {};
    const objects = specs.map((spec, at) =>
      object('AuthorizationPolicy', `shop/row${row}-${at}`, spec, { annotations }),
    );
    const security = meshSecurity({ AuthorizationPolicy: objects, extensionProviders: providers, authorizers });
    return { plan: selectAccess(security, { kind: 'sidecar', namespace: 'shop', labels: {}, targets: [] }) };
  });
  const portOf: Readonly<Record<string, TestAuthorizer>> = { http, grpc };
  const clusters = known.map((name) =>
    clusterOf(`outbound|9000||${name}.example`, (portOf[name] ?? gone).port, name === 'grpc'),
  );
  envoy = new AccessEnvoy({ folder, guarded: plans, ports, clusters }, new TestIdentities());
  await envoy.start();
});

afterAll(async () => {
  await envoy?.stop();
  await Promise.all([http.stop(), grpc.stop()]);
  rmSync(folder, { recursive: true, force: true });
});

async function call(name: string, path: string, more: readonly string[] = [], method = 'GET'): Promise<RawResponse> {
  const client = new RawHttp({ address: addressOfGuarded(names.indexOf(name)), port: ports.http });
  try {
    return await client.send([`${method} ${path} HTTP/1.1`, 'host: shop.example', ...more]);
  } finally {
    client.close();
  }
}

async function connects(name: string, from = '127.0.0.1'): Promise<boolean> {
  return await echoes({ address: addressOfGuarded(names.indexOf(name)), port: ports.tcp, from });
}

describe('an authorizer over HTTP', () => {
  test('lets in and refuses, with its own status and headers', async () => {
    const through = await call('http', '/paid/a?x=1', ['x-say: yes', 'x-ext-a: b', 'x-other: c']);
    expect(through.status).toBe(200);
    expect(through.headers).toContain('x-reason: said so');
    const refused = await call('http', '/paid/a', ['x-say: no']);
    expect(refused.status).toBe(401);
    expect(refused.headers).toContain('x-reason: said so');
  });

  test('is told the path below its prefix, the headers that are listed, and those that are added', async () => {
    await call('http', '/paid/told?x=1', ['x-say: yes', 'x-ext-a: b', 'x-other: c']);
    const ask = http.asked.find(({ path }) => path === '/check/paid/told?x=1');
    expect(ask?.headers).toMatchObject({ 'x-say': 'yes', 'x-ext-a': 'b', 'x-mesh': 'xebec' });
    expect(ask?.headers).not.toHaveProperty('x-other');
  });

  test('sees all values of a header (2021-008)', async () => {
    await call('http', '/paid/many', ['x-many: a', 'x-many: b']);
    expect(http.asked.find(({ path }) => path === '/check/paid/many')?.headers['x-many']?.replaceAll(' ', '')).toBe(
      'a,b',
    );
  });

  test('is not asked about what no rule matches', async () => {
    const before = http.asked.length;
    expect((await call('http', '/free', ['x-say: no'])).status).toBe(200);
    expect(http.asked.length).toBe(before);
  });

  test('is asked about a path in whatever way it is written (2021-005)', async () => {
    for (const path of ['//paid/a', '/paid%2Fa', '/PAID/a', '/x/..%2fpaid/a'])
      expect((await call('http', path, ['x-say: no'])).status, path).toBe(401);
  });

  test('that is slow refuses, in its time', async () => {
    expect((await call('http', '/paid/a', ['x-say: slow'])).status).toBe(403);
  });
});

describe('an authorizer over gRPC', () => {
  test('lets in and refuses', async () => {
    expect((await call('grpc', '/paid/a', ['x-say: yes'])).status).toBe(200);
    expect((await call('grpc', '/paid/a', ['x-say: no'])).status).toBe(403);
    expect((await call('grpc', '/free', ['x-say: no'])).status).toBe(200);
    expect((await call('grpc', '/paid/a', ['x-say: slow'])).status).toBe(403);
  });

  test('sees all values of a header (2021-008)', async () => {
    await call('grpc', '/paid/many', ['x-many: a', 'x-many: b']);
    expect(grpc.asked.find(({ path }) => path === '/paid/many')?.headers['x-many']).toBe('a,b');
  });

  test('is asked about connections', async () => {
    expect(await connects('grpc for all')).toBe(true);
    expect(await connects('grpc for all', '127.0.0.9')).toBe(false);
  });
});

describe('several', () => {
  test('must agree', async () => {
    const asked = { http: http.asked.length, grpc: grpc.asked.length };
    expect((await call('both', '/paid/two')).status).toBe(200);
    expect([http.asked.length, grpc.asked.length]).toEqual([asked.http + 1, asked.grpc + 1]);
    expect((await call('both', '/grpc/one')).status).toBe(200);
    expect([http.asked.length, grpc.asked.length]).toEqual([asked.http + 1, asked.grpc + 2]);
    expect((await call('both', '/paid/two', ['x-say: no'])).status).toBe(401);
    expect((await call('both', '/grpc/one', ['x-say: no'])).status).toBe(403);
  });

  test('CUSTOM comes before DENY, and DENY before ALLOW', async () => {
    expect((await call('precedence', '/paid/a', ['x-say: no'], 'PUT')).status).toBe(401);
    expect((await call('precedence', '/paid/a', ['x-say: yes'], 'PUT')).body).toBe('RBAC: access denied');
    expect((await call('precedence', '/paid/a', ['x-say: yes'], 'POST')).body).toBe('RBAC: access denied');
    expect((await call('precedence', '/paid/a', ['x-say: yes'])).status).toBe(200);
  });
});

describe('policies that are only tried', () => {
  test('refuse nothing, and count what they would refuse', async () => {
    for (const method of ['GET', 'PUT', 'POST']) expect((await call('tried', '/', [], method)).status).toBe(200);
    const counted = async (name: string): Promise<readonly string[]> => (await envoy?.stats(`${name}: `)) ?? [];
    expect(await counted('http.access.rbac.istio_dry_run_deny_.shadow_denied')).toEqual([
      expect.stringMatching(/: 1$/),
    ]);
    expect(await counted('http.access.rbac.istio_dry_run_allow_.shadow_allowed')).toEqual([
      expect.stringMatching(/: 1$/),
    ]);
    expect(await counted('http.access.rbac.istio_dry_run_allow_.shadow_denied')).toEqual([
      expect.stringMatching(/: 2$/),
    ]);
  });
});

describe('an authorizer that cannot be asked', () => {
  test.each([
    ['gone', 403],
    ['gone-open', 200],
    ['gone-503', 503],
    ['nowhere', 403],
    ['unknown', 403],
  ])('%s answers %i', async (name, status) => {
    expect((await call(name, '/paid/a')).status).toBe(status);
    expect((await call(name, '/free')).status).toBe(200);
  });

  test('connections that only an authorizer over HTTP could judge are refused', async () => {
    expect(await connects('http for all')).toBe(false);
  });

  test('the access log names the rule that is in force instead', async () => {
    await call('unknown', '/paid/named');
    const rule = `ns[shop]-policy[row${names.indexOf('unknown')}-0]-rule[0]`;
    await expect
      .poll(() => envoy?.accessLog)
      .toContain(`GET /paid/named 403 rbac_access_denied_matched_policy[${rule}]`);
  });
});
