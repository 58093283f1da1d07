import { describe, expect, test } from 'vitest';
import { useMesh } from '../support/mesh.ts';
import { type Claims, jwksOf, rsaKey, token } from '../support/tokens.ts';
import { echo, gateway, service } from '../support/workloads.ts';

const mesh = useMesh({ publish: [80] });
const key = rsaKey('a');
const issuer = 'https://issuer.example.com';

mesh.given(
  ...gateway('ingressgateway', ['http2:80>8080']),
  ...['v1', 'v2'].map((version) => echo('web', version, ['http:8080'])),
  service('web', ['http:80>8080'], { selector: { app: 'web' } }),
  `
apiVersion: networking.istio.io/v1
kind: DestinationRule
metadata: { name: web, namespace: default }
spec: { host: web, subsets: [{ name: v1, labels: { version: v1 } }, { name: v2, labels: { version: v2 } }] }
---
apiVersion: networking.istio.io/v1
kind: Gateway
metadata: { name: web, namespace: default }
spec:
  selector: { istio: ingressgateway }
  servers: [{ port: { number: 80, name: http, protocol: HTTP }, hosts: ["*.example.com"] }]
---
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: { name: gateway, namespace: istio-system }
spec:
  selector: { matchLabels: { istio: ingressgateway } }
  jwtRules:
    - issuer: ${issuer}
      jwks: ${JSON.stringify(jwksOf([key]))}
      forwardOriginalToken: true
      spaceDelimitedClaims: [roles]
`,
);

/** A host of its own, of which matching requests go to v2, and all others to v1. */
function given(name: string, match: string): void {
  mesh.given(`
apiVersion: networking.istio.io/v1
kind: VirtualService
metadata: { name: ${name}, namespace: default }
spec:
  hosts: [${name}.example.com]
  gateways: [web]
  http:
    - match: [{ ${match} }]
      route: [{ destination: { host: web, subset: v2 } }]
    - route: [{ destination: { host: web, subset: v1 } }]`);
}

async function answerOf(name: string, claims?: Claims, more: Readonly<Record<string, string>> = {}): Promise<string> {
  const text = claims === undefined ? undefined : token(key, { iss: issuer, ...claims });
  const headers = { ...more, ...(text === undefined ? {} : { authorization: `Bearer ${text}` }) };
  const { status, echo: seen } = await mesh.ingress(`http://${name}.example.com/`, { headers });
  return seen?.version ?? String(status);
}

test('a gateway refuses bad tokens, and lets those pass who have none', async () => {
  expect(await answerOf('exact')).toBe('v1');
  expect(await answerOf('exact', { sub: 'a' })).toBe('v1');
  expect(await answerOf('exact', { iss: 'other' })).toBe('401');
});

describe('routes by claims', () => {
  given('exact', 'headers: { "@request.auth.claims.group": { exact: dev } }');
  given('prefix', 'headers: { "@request.auth.claims.group": { prefix: de } }');
  given('regex', 'headers: { "@request.auth.claims.group": { regex: "d.v" } }');
  given('presence', 'headers: { "@request.auth.claims.group": {} }');
  given('nested', 'headers: { "@request.auth.claims.org.team": { exact: blue } }');
  given('bracket', 'headers: { "@request.auth.claims[https://a.b/team][name]": { exact: blue } }');
  given('without', 'withoutHeaders: { "@request.auth.claims.group": { exact: dev } }');
  given('both', 'headers: { "@request.auth.claims.group": { exact: dev }, x-a: { exact: "1" } }');
  given('spaces', 'headers: { "@request.auth.claims.roles": { exact: admin } }');

  test.each<readonly [string, string, Claims | undefined, string]>([
    ['an equal claim', 'exact', { group: 'dev' }, 'v2'],
    ['another claim', 'exact', { group: 'ops' }, 'v1'],
    ['a longer claim', 'exact', { group: 'dev2' }, 'v1'],
    ['no claim', 'exact', {}, 'v1'],
    ['one of a list', 'exact', { group: ['ops', 'dev'] }, 'v2'],
    ['none of a list', 'exact', { group: ['ops'] }, 'v1'],
    ['a prefix', 'prefix', { group: 'dev' }, 'v2'],
    ['no prefix', 'prefix', { group: 'ops' }, 'v1'],
    ['an expression', 'regex', { group: 'div' }, 'v2'],
    ['no expression', 'regex', { group: 'divx' }, 'v1'],
    ['a claim that is there', 'presence', { group: 'x' }, 'v2'],
    ['a claim that is not there', 'presence', {}, 'v1'],
    ['a claim in a claim', 'nested', { org: { team: 'blue' } }, 'v2'],
    ['another in a claim', 'nested', { org: { team: 'red' } }, 'v1'],
    ['a name with dots for a claim in a claim', 'nested', { 'org.team': 'blue' }, 'v1'],
    ['names in brackets', 'bracket', { 'https://a.b/team': { name: 'blue' } }, 'v2'],
    ['a claim that must not be', 'without', { group: 'dev' }, 'v1'],
    ['another than that', 'without', { group: 'ops' }, 'v2'],
    ['no token at all', 'without', undefined, 'v2'],
    ['one of a list with spaces', 'spaces', { roles: 'reader admin' }, 'v2'],
    ['none of such a list', 'spaces', { roles: 'reader administrator' }, 'v1'],
  ])('%s', async (_, name, claims, version) => {
    expect(await answerOf(name, claims)).toBe(version);
  });

  test('claims and headers must both match', async () => {
    expect(await answerOf('both', { group: 'dev' })).toBe('v1');
    expect(await answerOf('both', { group: 'dev' }, { 'x-a': '1' })).toBe('v2');
    expect(await answerOf('both', undefined, { 'x-a': '1' })).toBe('v1');
  });

  test('a header of that name is no claim', async () => {
    expect(await answerOf('exact', undefined, { 'request.auth.claims.group': 'dev' })).toBe('v1');
  });
});
