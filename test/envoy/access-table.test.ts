// Each source, operation and condition of policies on real traffic, over HTTP and TCP, with and without identity.
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { selectAccess } from '../../src/pilot/security/access.ts';
import { meshSecurity } from '../../src/pilot/security/testing/mesh-security.ts';
import { object } from '../../src/testing/builders.ts';
import { echoes, RawHttp } from '../support/access-client.ts';
import {
  AccessEnvoy,
  addressOfGuarded,
  freePorts,
  type Ports,
  signToken,
  TestIdentities,
} from '../support/access-envoy.ts';
import {
  allow,
  bothWays,
  type Call,
  cart,
  cartV1,
  deny,
  everybody,
  from,
  front,
  onBoth,
  plaintext,
  type Row,
  till,
  to,
  unless,
  when,
} from '../support/access-table.ts';
import { claims, identities, issuers, trustDomains } from '../support/random-access.ts';

const ports: Ports = await freePorts();

const sourceRows: readonly Row[] = [
  ...bothWays(
    'principals',
    from({ principals: ['cluster.local/ns/shop/sa/cart'] }),
    onBoth([{ as: cart }]),
    onBoth([{ as: front }, plaintext]),
  ),
  ...bothWays(
    'principals by suffix (2020-009)',
    from({ principals: ['*/sa/cart'] }),
    onBoth([{ as: cart }]),
    onBoth([{ as: front }, { as: cartV1 }, plaintext]),
  ),
  ...bothWays(
    'principals by prefix (2020-009)',
    from({ principals: ['cluster.local/ns/shop/*'] }),
    onBoth([{ as: cart }, { as: front }]),
    onBoth([{ as: cartV1 }, plaintext]),
  ),
  ...bothWays('any principal (2020-009)', from({ principals: ['*'] }), onBoth(everybody), onBoth([plaintext])),
  ...bothWays(
    'principals of a trust domain that is an alias',
    from({ principals: ['cluster.local/ns/pay/sa/till'] }),
    onBoth([{ as: till }]),
    onBoth([{ as: cart }]),
  ),
  ...bothWays(
    'namespaces',
    from({ namespaces: ['shop'] }),
    onBoth([{ as: cart }, { as: front }]),
    onBoth([{ as: cartV1 }, { as: till }, plaintext]),
  ),
  ...bothWays(
    'namespaces by prefix',
    from({ namespaces: ['shop*'] }),
    onBoth([{ as: cart }, { as: cartV1 }]),
    onBoth([{ as: till }, plaintext]),
  ),
  ...bothWays(
    'service accounts with dots (2026-003, CVE-2026-39350)',
    from({ serviceAccounts: ['shop-a/cartxv1', 'shop-a/cart.v1'] }),
    onBoth([{ as: cartV1 }]),
    onBoth([{ as: cart }, plaintext]),
  ),
  ...bothWays(
    'a service account whose dot is no wildcard (2026-003, CVE-2026-39350)',
    from({ serviceAccounts: ['shop-a/car..v1'] }),
    [],
    onBoth([{ as: cartV1 }, plaintext]),
  ),
  ...bothWays(
    'service accounts of the own namespace',
    from({ serviceAccounts: ['cart'] }),
    onBoth([{ as: cart }]),
    onBoth([{ as: front }, { as: cartV1 }]),
  ),
  ...bothWays(
    'ipBlocks',
    from({ ipBlocks: ['127.0.0.2', '127.0.0.8/30'] }),
    onBoth([{ from: '127.0.0.2' }, { from: '127.0.0.9' }]),
    onBoth([{ from: '127.0.0.1' }]),
  ),
  ...bothWays(
    'remoteIpBlocks',
    from({ remoteIpBlocks: ['10.0.0.0/8'] }),
    [{ headers: ['x-forwarded-for: 192.0.2.1, 10.1.2.3'] }],
    [{ headers: ['x-forwarded-for: 10.1.2.3, 192.0.2.1'] }, plaintext],
  ),
  ...bothWays(
    'requestPrincipals',
    from({ requestPrincipals: ['https://a.example/joe'] }),
    [{ token: 1 }],
    [{ token: 2 }, {}],
  ),
  ...bothWays(
    'requestPrincipals with slashes',
    from({ requestPrincipals: ['https://b.example/x/a/b'] }),
    [{ token: 3 }],
    [{ token: 1 }, {}],
  ),
  ...bothWays(
    'any requestPrincipal',
    from({ requestPrincipals: ['*'] }),
    [{ token: 1 }, { token: 3 }],
    [{ token: 4 }, {}],
  ),
];

/** "Everybody but X" is nobody without an identity, and with DENY it is everybody without one. */
const nobodyRows: readonly Row[] = [
  {
    name: 'ALLOW notPrincipals lets in no plaintext (2021-004)',
    policies: [allow(from({ notPrincipals: ['cluster.local/ns/shop/sa/cart'] }))],
    through: onBoth([{ as: front }]),
    refused: onBoth([{ as: cart }, plaintext]),
  },
  {
    name: 'ALLOW notNamespaces lets in no plaintext (2021-004)',
    policies: [allow(from({ notNamespaces: ['shop'] }))],
    through: onBoth([{ as: till }]),
    refused: onBoth([{ as: cart }, plaintext]),
  },
  {
    name: 'DENY notPrincipals keeps plaintext out (2021-004)',
    policies: [deny(from({ notPrincipals: ['*'] }))],
    through: onBoth(everybody),
    refused: onBoth([plaintext]),
  },
  {
    name: 'DENY notNamespaces keeps plaintext out (2021-004)',
    policies: [deny(from({ notNamespaces: ['shop'] }))],
    through: onBoth([{ as: cart }]),
    refused: onBoth([{ as: till }, plaintext]),
  },
  {
    name: 'ALLOW notPrincipals * is plaintext',
    policies: [allow(from({ notPrincipals: ['*'] }))],
    through: onBoth([plaintext]),
    refused: onBoth(everybody),
  },
  {
    name: 'ALLOW notRequestPrincipals lets in no request without token',
    policies: [allow(from({ notRequestPrincipals: ['https://a.example/joe'] }))],
    through: [{ token: 2 }],
    refused: [{ token: 1 }, {}],
  },
  {
    name: 'DENY notRequestPrincipals * asks for a token',
    policies: [deny(from({ notRequestPrincipals: ['*'] }))],
    through: [{ token: 1 }],
    refused: [{ token: 4 }, {}],
  },
  {
    name: 'ALLOW a claim not of a value',
    policies: [allow(unless('request.auth.claims[groups]', 'dev'))],
    through: [{ token: 3 }, { token: 4 }],
    refused: [{ token: 1 }, { token: 2 }, {}],
  },
];

const operationRows: readonly Row[] = [
  ...bothWays(
    'methods',
    to({ methods: ['GET', 'P*'] }),
    [{}, { method: 'POST' }, { method: 'PUT' }],
    [{ method: 'DELETE' }],
  ),
  ...bothWays(
    'hosts',
    to({ hosts: ['shop.example'] }),
    [{}, { host: 'SHOP.example' }, { host: 'shop.example:8080' }],
    [{ host: 'a.shop.example' }, { host: 'shop.example.test' }],
  ),
  ...bothWays(
    'paths',
    to({ paths: ['/a', '/b/*', '*.c'] }),
    [{ path: '/a' }, { path: '/a?x=1' }, { path: '/b/c' }, { path: '/x/y.c' }],
    [{ path: '/ab' }, { path: '/b' }, { path: '/?p=/a' }],
  ),
  ...bothWays(
    'path templates',
    to({ paths: ['/v1/{*}/users/{**}'] }),
    [{ path: '/v1/a/users/7/x' }, { path: '/v1/a/users/?q' }],
    [{ path: '/v1/a/b/users/7' }, { path: '/v1/users/7' }],
  ),
  ...bothWays('ports', to({ ports: [String(ports.http)] }), [{}], [{ tcp: true }]),
  {
    name: 'ALLOW notPorts',
    policies: [allow(to({ notPorts: [String(ports.http)] }))],
    through: [{ tcp: true }],
    refused: [{}],
  },
  {
    name: 'ALLOW notMethods and notHosts',
    policies: [allow(to({ notMethods: ['DELETE'], notHosts: ['admin.example'] }))],
    through: [{}],
    refused: [{ method: 'DELETE' }, { host: 'ADMIN.example:80' }],
  },
];

const role = (...values: readonly string[]): Call => ({ headers: values.map((value) => `x-role: ${value}`) });

const headerRows: readonly Row[] = [
  {
    name: 'ALLOW a header: all values must be of the pattern (CVE-2026-26308)',
    policies: [allow(when('request.headers[x-role]', 'admin', 'adm*'))],
    through: [role('admin'), role('admin', 'admin'), role('administrator', 'admin')],
    refused: [role('guest'), role('admin', 'guest'), role('guest', 'admin'), role('admin,guest', 'x'), {}],
  },
  {
    name: 'DENY a header: one value or element is enough (CVE-2026-26308)',
    policies: [deny(when('request.headers[x-role]', 'guest'))],
    through: [role('admin'), role('guests'), {}],
    refused: [role('guest'), role('admin', 'guest'), role('guest', 'guest'), role('admin, guest'), role('guest,admin')],
  },
  {
    name: 'DENY a header with a list, however it comes (CVE-2026-26308)',
    policies: [deny(when('request.headers[x-role]', 'a,b'))],
    through: [role('a'), role('b'), {}],
    refused: [role('a,b'), role('a', 'b'), role('b', 'a'), role('a, b, c')],
  },
  {
    name: 'DENY a header not of a value: all must be (CVE-2026-26308)',
    policies: [deny(unless('request.headers[x-role]', 'admin'))],
    through: [role('admin')],
    refused: [role('guest'), role('admin', 'guest'), {}],
  },
  {
    name: 'DENY a header that the proxy joins (CVE-2026-26308)',
    policies: [deny(when('request.headers[user-agent]', 'bad*'))],
    through: [{ headers: ['user-agent: good'] }],
    refused: [{ headers: ['user-agent: bad/1'] }, { headers: ['user-agent: good', 'user-agent: bad/1'] }],
  },
  ...bothWays('a header that is there', when('request.headers[x-role]', '*'), [role('a'), role('')], [{}]),
  ...bothWays(
    'an element of a header',
    when('request.experimental.inline.headers[x-role]', 'a'),
    [role('a'), role('b,a'), role('b, a ,c')],
    [role('ab'), {}],
  ),
  ...bothWays(
    'the host by its header',
    when('request.headers[:authority]', 'shop.example'),
    [{}, { host: 'shop.example.:80' }],
    [{ host: 'other.test' }],
  ),
];

const conditionRows: readonly Row[] = [
  ...bothWays(
    'source.ip',
    when('source.ip', '127.0.0.2'),
    onBoth([{ from: '127.0.0.2' }]),
    onBoth([{ from: '127.0.0.3' }]),
  ),
  ...bothWays('remote.ip', when('remote.ip', '10.0.0.0/8'), [{ headers: ['x-forwarded-for: 10.1.2.3'] }], [{}]),
  ...bothWays('destination.port', when('destination.port', String(ports.tcp)), [{ tcp: true }], [{}]),
  ...bothWays('destination.ip', when('destination.ip', '127.1.0.0/16'), onBoth([{}]), []),
  ...bothWays(
    'source.namespace',
    when('source.namespace', '*op'),
    onBoth([{ as: cart }]),
    onBoth([{ as: cartV1 }, plaintext]),
  ),
  ...bothWays(
    'source.principal',
    when('source.principal', '*/ns/shop/sa/front'),
    onBoth([{ as: front }]),
    onBoth([{ as: cart }]),
  ),
  ...bothWays(
    'source.serviceAccount',
    when('source.serviceAccount', 'pay/till'),
    onBoth([{ as: till }]),
    onBoth([{ as: cart }]),
  ),
  ...bothWays(
    'connection.sni',
    when('connection.sni', '*.one.example'),
    onBoth([{ as: cart, sni: 'a.one.example' }]),
    onBoth([{ as: cart, sni: 'a.two.example' }, plaintext]),
  ),
  ...bothWays('request.auth.principal', when('request.auth.principal', '*/joe'), [{ token: 1 }], [{ token: 2 }]),
  ...bothWays(
    'request.auth.audiences',
    when('request.auth.audiences', 'api'),
    [{ token: 2 }, { token: 3 }],
    [{ token: 1 }, {}],
  ),
  ...bothWays('request.auth.presenter', when('request.auth.presenter', 'app'), [{ token: 1 }], [{ token: 3 }]),
  ...bothWays(
    'a claim that is a list or a text',
    when('request.auth.claims[groups]', 'dev'),
    [{ token: 1 }, { token: 2 }],
    [{ token: 3 }, { token: 4 }],
  ),
  ...bothWays(
    'a claim in a claim',
    when('request.auth.claims[realm][roles]', 'reader'),
    [{ token: 2 }, { token: 4 }],
    [{ token: 1 }],
  ),
  ...bothWays(
    'a claim that is a truth',
    when('request.auth.claims[admin]', 'true'),
    [{ token: 1 }],
    [{ token: 3 }, { token: 4 }],
  ),
  ...bothWays(
    'a claim that is there',
    when('request.auth.claims[admin]', '*'),
    [{ token: 1 }, { token: 3 }],
    [{ token: 2 }, { token: 4 }],
  ),
  ...bothWays('a claim that is a number', when('request.auth.claims[level]', '5'), [{ token: 1 }], [{ token: 2 }]),
];

const wholeRows: readonly Row[] = [
  { name: 'no policy', policies: [], through: onBoth([{ as: cart }, plaintext]), refused: [] },
  { name: 'ALLOW without rules', policies: [allow()], through: [], refused: onBoth([{ as: cart }, plaintext]) },
  { name: 'ALLOW with an empty rule', policies: [allow({})], through: onBoth([{ as: cart }, plaintext]), refused: [] },
  {
    name: 'DENY beats ALLOW',
    policies: [allow({}), deny(to({ methods: ['PUT'] }))],
    through: [{}],
    refused: [{ method: 'PUT' }],
  },
  {
    name: 'several ALLOW policies add up',
    policies: [allow(to({ methods: ['GET'] })), allow(to({ methods: ['PUT'] }))],
    through: [{}, { method: 'PUT' }],
    refused: [{ method: 'POST' }],
  },
  {
    name: 'members of a rule join by and',
    policies: [
      allow({ ...from({ namespaces: ['shop'] }), ...to({ methods: ['GET'] }), ...when('source.ip', '127.0.0.2') }),
    ],
    through: [{ as: cart, from: '127.0.0.2' }],
    refused: [{ as: cart }, { as: till, from: '127.0.0.2' }, { as: cart, from: '127.0.0.2', method: 'PUT' }],
  },
  {
    name: 'AUDIT does nothing',
    policies: [{ action: 'AUDIT', rules: [{}] }],
    through: onBoth([plaintext]),
    refused: [],
  },
  {
    name: 'on TCP an ALLOW rule with HTTP lets nobody in',
    policies: [allow(to({ methods: ['GET'] }))],
    through: [{}],
    refused: [{ tcp: true }, { tcp: true, as: cart }],
  },
  {
    name: 'on TCP a DENY rule with HTTP keeps out all whom the rest is about',
    policies: [deny({ ...from({ namespaces: ['shop'] }), ...to({ paths: ['/x'] }) })],
    through: [{ as: cart }, { tcp: true, as: till }],
    refused: [
      { as: cart, path: '/x' },
      { tcp: true, as: cart },
    ],
  },
];

const rows = [...sourceRows, ...nobodyRows, ...operationRows, ...headerRows, ...conditionRows, ...wholeRows];

const folder = mkdtempSync(join(tmpdir(), 'xebec-table-'));
const people = new TestIdentities();
const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const privateKey = keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const jwks = JSON.stringify({ keys: [{ ...keys.publicKey.export({ format: 'jwk' }), kid: 'test', alg: 'ES256' }] });
let envoy: AccessEnvoy | undefined;

beforeAll(async () => {
  const guarded = rows.map(({ policies }, row) => {
    const objects = policies.map((spec, at) => object('AuthorizationPolicy', `shop/row${row}-${at}`, spec));
    const security = meshSecurity({ AuthorizationPolicy: objects, trustDomains });
    return { plan: selectAccess(security, { kind: 'sidecar', namespace: 'shop', labels: {}, targets: [] }) };
  });
  envoy = new AccessEnvoy({ folder, guarded, ports, tokens: { issuers, jwks } }, people);
  await envoy.start();
});

afterAll(async () => {
  await envoy?.stop();
  rmSync(folder, { recursive: true, force: true });
});

async function isThrough(row: number, call: Call): Promise<boolean> {
  const identity = call.as === undefined ? undefined : identities[call.as];
  const where = {
    address: addressOfGuarded(row),
    from: call.from ?? '127.0.0.1',
    identity: identity && people.of(identity),
    sni: call.sni,
  };
  if (call.tcp === true) return await echoes({ ...where, port: ports.tcp });
  const client = new RawHttp({ ...where, port: ports.http });
  const claim = call.token === undefined ? undefined : claims[call.token];
  try {
    const { status, body } = await client.send([
      `${call.method ?? 'GET'} ${call.path ?? '/'} HTTP/1.1`,
      `host: ${call.host ?? 'shop.example'}`,
      ...(call.headers ?? []),
      ...(claim === undefined ? [] : [`authorization: Bearer ${signToken(privateKey, claim)}`]),
    ]);
    expect(status === 200 ? 'through' : body).toBe(status === 200 ? 'through' : 'RBAC: access denied');
    return status === 200;
  } finally {
    client.close();
  }
}

describe('access policies on real traffic', () => {
  test.each(rows.map((row, at) => ({ ...row, at })))('$name', async ({ through, refused, at }) => {
    const wrong: string[] = [];
    for (const call of through) if (!(await isThrough(at, call))) wrong.push(`refused: ${JSON.stringify(call)}`);
    for (const call of refused) if (await isThrough(at, call)) wrong.push(`got through: ${JSON.stringify(call)}`);
    expect(wrong).toEqual([]);
  });

  test('the access log names the rule that refused', async () => {
    const row = rows.findIndex(({ name }) => name === 'DENY beats ALLOW');
    expect(await isThrough(row, { method: 'PUT', path: '/named' })).toBe(false);
    const rule = `rbac_access_denied_matched_policy[ns[shop]-policy[row${row}-1]-rule[0]]`;
    await expect.poll(() => envoy?.accessLog).toContain(`PUT /named 403 ${rule}`);
  });

  test('where no ALLOW rule matched, the log names none', async () => {
    const row = rows.findIndex(({ name }) => name === 'ALLOW without rules');
    expect(await isThrough(row, { path: '/unnamed' })).toBe(false);
    await expect.poll(() => envoy?.accessLog).toContain('GET /unnamed 403 rbac_access_denied_matched_policy[none]');
  });
});
