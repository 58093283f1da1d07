// The objects that people try first, all in one mesh: who may connect, who may do what, with which token, and who is asked besides.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { checkout } from '../../tools/paths.mjs';
import type { Outcome } from '../support/apps/calls.ts';
import { identitySeen } from '../support/identities.ts';
import { useMesh } from '../support/mesh.ts';
import { client, echo, gateway, outside, service } from '../support/workloads.ts';

const sample = join(checkout, 'samples', 'bookinfo');
const read = (path: string): string => readFileSync(join(sample, path), 'utf8');
const bearer = (name: string) => ({ authorization: `Bearer ${read(`security/tokens/${name}.jwt`).trim()}` });
const jwks = /jwks: '(.*)'/.exec(read('security/httpbin-tokens.yaml'))?.[1] ?? '';
const issuer = 'testing@bookinfo.example';

const mesh = useMesh({ publish: [80], meshConfig: read('mesh-config.yaml') });

mesh.given(
  client('reader', { namespace: 'shop' }),
  client('writer', { namespace: 'shop' }),
  client('ops', { namespace: 'ops' }),
  client('plain', outside),
  echo('web', 'v1', ['http:8080', 'tcp:9000', 'tcp:9001'], { namespace: 'shop' }),
  service('web', ['http:80>8080', 'tcp:9000', 'tcp-other:9001'], { namespace: 'shop', selector: { app: 'web' } }),
  `
apiVersion: security.istio.io/v1
kind: PeerAuthentication
metadata: { name: default, namespace: shop }
spec: { mtls: { mode: STRICT } }
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: web, namespace: shop }
spec:
  selector: { matchLabels: { app: web } }
  action: ALLOW
  rules:
    - from: [{ source: { principals: [cluster.local/ns/shop/sa/reader] } }]
      to: [{ operation: { methods: [GET], paths: [/public/*] } }]
    - from: [{ source: { namespaces: [ops] } }]
      to: [{ operation: { ports: ["8080"] } }]
    - from: [{ source: { namespaces: [shop] } }]
      to: [{ operation: { ports: ["9000"] } }]
---
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: no-secrets, namespace: shop }
spec:
  selector: { matchLabels: { app: web } }
  action: DENY
  rules:
    - to: [{ operation: { paths: [/public/secret*], ports: ["8080"] } }]
`,
);

const answer = ({ status, body = '' }: Outcome): string => (status === 403 ? `403 ${body.trim()}` : String(status));
const DENIED = '403 RBAC: access denied';

describe('STRICT, and who may do what', () => {
  test.each([
    ['reader', 'GET', '/public/a', '200'],
    ['reader', 'POST', '/public/a', DENIED],
    ['reader', 'GET', '/private', DENIED],
    ['reader', 'GET', '/public/secret', DENIED],
    ['reader', 'GET', '/public/%2e%2e/private', DENIED],
    ['writer', 'GET', '/public/a', DENIED],
    ['ops', 'POST', '/private', '200'],
    ['ops', 'GET', '/public/secret', DENIED],
    ['plain', 'GET', '/public/a', '0'],
  ])('%s: %s %s is %s', async (who, method, path, expected) => {
    const port = who === 'plain' ? 8080 : 80;
    const outcome = await mesh.call(who, `http://web.shop:${port}${path}`, { method });
    expect(answer(outcome)).toBe(expected);
    if (expected === '200') expect(identitySeen(outcome)).toMatch(new RegExp(`^spiffe://.*/sa/${who}$`));
  });

  test('plain text is taken where nobody asks for more', async () => {
    const outcome = await mesh.call('plain', 'http://vault.default:8080/ip');
    expect([outcome.status, identitySeen(outcome)]).toEqual([200, undefined]);
  });

  test('the log of the server has the rule that decided', async () => {
    await mesh.call('writer', 'http://web.shop/public/secret-of-log');
    const line = async () => (await mesh.envoyLog('web-v1')).find((text) => text.includes('/public/secret-of-log'));
    await expect.poll(line, { timeout: 10_000 }).toContain('matched_policy[ns[shop]-policy[no-secrets]-rule[0]]');
  });

  test.each([
    ['reader', 9000, true],
    ['writer', 9000, true],
    ['ops', 9000, false],
    ['reader', 9001, false],
    ['plain', 9000, false],
  ])('%s on TCP port %i: %s', async (who, port, isLetIn) => {
    const { echo: seen } = await mesh.call(who, `tcp://web.shop:${port}`);
    expect(seen?.app).toBe(isLetIn ? 'web' : undefined);
  });
});

describe('tokens, as the sample has them', () => {
  mesh.given(
    client('sleep'),
    echo('httpbin', 'v1', ['http:8000']),
    service('httpbin', ['http:8000'], { selector: { app: 'httpbin' } }),
    read('security/httpbin-tokens.yaml'),
  );

  test.each([
    ['no token', 'GET', undefined, DENIED],
    ['alice', 'GET', 'alice', '200'],
    ['alice', 'DELETE', 'alice', DENIED],
    ['an admin', 'DELETE', 'admin', '200'],
    ['a token that has ended', 'GET', 'expired', '401'],
  ])('%s: %s', async (_, method, name, expected) => {
    const headers = name === undefined ? {} : bearer(name);
    expect(answer(await mesh.call('sleep', 'http://httpbin:8000/anything', { method, headers }))).toBe(expected);
  });
});

describe('tokens at the gateway', () => {
  mesh.given(
    ...gateway('ingress', ['http2:80>8000']),
    echo('desk', 'v1', ['http:8080']),
    echo('desk', 'v2', ['http:8080']),
    service('desk', ['http:80>8080'], { selector: { app: 'desk' } }),
    `
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: edge, namespace: default }
spec:
  selector: { istio: ingress }
  servers: [{ port: { number: 80, name: http, protocol: HTTP }, hosts: [desk.example.com] }]
---
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: { name: edge, namespace: istio-system }
spec:
  selector: { matchLabels: { istio: ingress } }
  jwtRules: [{ issuer: ${issuer}, jwks: '${jwks}' }]
---
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: desk, namespace: default }
spec: { host: desk, subsets: [{ name: v1, labels: { version: v1 } }, { name: v2, labels: { version: v2 } }] }
---
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: desk, namespace: default }
spec:
  hosts: [desk.example.com]
  gateways: [edge]
  http:
    - match: [{ headers: { "@request.auth.claims.groups": { exact: admins } } }]
      route: [{ destination: { host: desk, subset: v2 } }]
    - route: [{ destination: { host: desk, subset: v1 } }]
`,
  );

  test.each([
    ['no token', {}, 'v1'],
    ['alice', bearer('alice'), 'v1'],
    ['an admin', bearer('admin'), 'v2'],
    ['a token that has ended', bearer('expired'), '401'],
  ])('%s is sent to %s', async (_, headers, expected) => {
    const { status, echo: seen } = await mesh.ingress('http://desk.example.com/', { headers });
    expect(seen?.version ?? String(status)).toBe(expected);
  });
});

describe('another service is asked (CUSTOM)', () => {
  mesh.given(
    read('extras/ext-authz.yaml').replaceAll('"src/ext-authz.ts"', `"${join(sample, 'src', 'ext-authz.ts')}"`),
    echo('vault', 'v1', ['http:8080']),
    service('vault', ['http:80>8080'], { selector: { app: 'vault' } }),
    read('security/httpbin-ext-authz.yaml').replaceAll('httpbin', 'vault'),
  );

  test.each([
    ['/headers', { 'x-ext-authz': 'allow' }, '200'],
    ['/headers', { 'x-ext-authz': 'deny' }, '403 denied by ext-authz: it wants x-ext-authz: allow'],
    ['/headers', {}, '403 denied by ext-authz: it wants x-ext-authz: allow'],
    ['/ip', {}, '200'],
  ])('%s with %o', async (path, headers, expected) => {
    const outcome = await mesh.call('sleep', `http://vault${path}`, { headers });
    expect(answer(outcome)).toBe(expected);
    if (expected === '200' && path === '/headers')
      expect(outcome.echo?.headers['x-ext-authz-check-result']).toBe('allowed');
  });
});

describe('a policy that is only tried', () => {
  mesh.given(`
apiVersion: security.istio.io/v1
kind: AuthorizationPolicy
metadata: { name: trial, namespace: default, annotations: { istio.io/dry-run: "true" } }
spec:
  selector: { matchLabels: { app: vault } }
  action: DENY
  rules: [{ to: [{ operation: { paths: [/tried], ports: ["8080"] } }] }]
`);

  test('refuses nothing, and the log has the rule that would', async () => {
    expect((await mesh.call('sleep', 'http://vault/tried')).status).toBe(200);
    const line = async () => (await mesh.envoyLog('vault-v1')).find((text) => text.includes('GET /tried'));
    await expect.poll(line, { timeout: 10_000 }).toContain('ns[default]-policy[trial]-rule[0]');
  });
});

describe('the classic objects', () => {
  mesh.given(
    client('insider', { namespace: 'classic' }),
    ...['api', 'hidden'].flatMap((app) => [
      echo(app, 'v1', ['http:8080'], { namespace: 'classic' }),
      service(app, ['http:80>8080'], { namespace: 'classic', selector: { app } }),
    ]),
    `
apiVersion: rbac.istio.io/v1alpha1
kind: ClusterRbacConfig
metadata: { name: default }
spec: { mode: ON_WITH_INCLUSION, inclusion: { namespaces: [classic] } }
---
apiVersion: rbac.istio.io/v1alpha1
kind: ServiceRole
metadata: { name: viewer, namespace: classic }
spec:
  rules: [{ services: [api.classic.svc.cluster.local], methods: [GET, HEAD], paths: [/open*, /user*] }]
---
apiVersion: rbac.istio.io/v1alpha1
kind: ServiceRoleBinding
metadata: { name: viewers, namespace: classic }
spec:
  subjects: [{ properties: { source.namespace: classic } }]
  roleRef: { kind: ServiceRole, name: viewer }
---
apiVersion: authentication.istio.io/v1alpha1
kind: Policy
metadata: { name: default, namespace: classic }
spec: { peers: [{ mtls: {} }] }
---
apiVersion: authentication.istio.io/v1alpha1
kind: Policy
metadata: { name: api, namespace: classic }
spec:
  targets: [{ name: api }]
  peers: [{ mtls: {} }]
  origins:
    - jwt: { issuer: ${issuer}, jwks: '${jwks}', trigger_rules: [{ included_paths: [{ prefix: /user }] }] }
  principalBinding: USE_ORIGIN
`,
  );

  test.each([
    ['insider', 'GET', 'api/open', '200'],
    ['insider', 'POST', 'api/open', DENIED],
    ['insider', 'GET', 'api/closed', DENIED],
    ['insider', 'GET', 'hidden/open', DENIED],
    ['insider', 'GET', 'api/user', '401'],
    ['ops', 'GET', 'api/open', DENIED],
    ['plain', 'GET', 'api/open', '0'],
    ['plain', 'GET', 'hidden/open', '0'],
  ])('%s: %s %s is %s', async (who, method, place, expected) => {
    const [app = '', path = ''] = place.split('/');
    const url = `http://${app}.classic:${who === 'plain' ? 8080 : 80}/${path}`;
    expect(answer(await mesh.call(who, url, { method }))).toBe(expected);
  });

  test('a token opens what asks for one', async () => {
    const outcome = await mesh.call('insider', 'http://api.classic/user', { headers: bearer('alice') });
    expect(answer(outcome)).toBe('200');
  });
});
