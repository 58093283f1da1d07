import { describe, expect, test } from 'vitest';
import { hostileTokens, type TokenCase, type Victim, validTokens } from '../support/hostile-tokens.ts';
import { useMesh } from '../support/mesh.ts';
import { ecKey, edKey, jwksOf, rsaKey, secondsFromNow, token } from '../support/tokens.ts';
import { client, echo, outside, service } from '../support/workloads.ts';

// The client has no Envoy: what it sends reaches the server's as it is.
const mesh = useMesh();
mesh.given(client('client', outside));

const victim: Victim = {
  issuer: 'https://issuer.example.com',
  audience: 'shop',
  rsa: rsaKey('r1'),
  ec: ecKey('e1'),
  ed: edKey('d1'),
};
const { issuer, audience } = victim;
const keys = JSON.stringify(jwksOf([victim.rsa, victim.ec, victim.ed]));

/** A service of its own, and an object about its tokens. */
function given(app: string, spec: string): void {
  mesh.given(
    echo(app, 'v1', ['http:8080']),
    service(app, ['http:8080'], { selector: { app } }),
    `
apiVersion: security.istio.io/v1
kind: RequestAuthentication
metadata: { name: ${app}, namespace: default }
spec:
  selector: { matchLabels: { app: ${app} } }
${spec.replace(/^\n/, '').replace(/^/gm, '  ')}`,
  );
}

type Request = { readonly path?: string; readonly headers?: Readonly<Record<string, string>> };

function ask(app: string, { path = '/', headers = {} }: Request = {}) {
  return mesh.call('client', `http://${app}:8080${path}`, { headers });
}

async function statusOf(app: string, request: Request = {}): Promise<number> {
  return (await ask(app, request)).status;
}

function bearer(text: string): Request {
  return { headers: { authorization: `Bearer ${text}` } };
}

async function accepted(app: string, cases: readonly TokenCase[]): Promise<readonly string[]> {
  const names: string[] = [];
  for (const { name, token: text } of cases) {
    const status = await statusOf(app, bearer(text));
    if (status === 200) names.push(name);
    else expect([name, [400, 401, 403, 431]]).toEqual([name, expect.arrayContaining([status])]);
  }
  return names;
}

describe('tokens of one issuer', () => {
  given(
    'one',
    `
jwtRules:
  - issuer: ${issuer}
    audiences: [${audience}]
    jwks: ${keys}`,
  );

  test('S6, CVE-2023-48223, CVE-2026-44699: of all tokens only what the issuer made and means is taken', async () => {
    const valid = validTokens(victim);
    const hostile = hostileTokens(victim);
    expect(valid.length).toBe(6);
    expect(valid.length + hostile.length).toBeGreaterThanOrEqual(120);
    expect(await accepted('one', hostile)).toEqual([]);
    expect(await accepted('one', valid)).toEqual(valid.map(({ name }) => name));
  });

  test('who shows no token passes, and is nobody; another scheme is no token', async () => {
    expect(await statusOf('one')).toBe(200);
    expect(await statusOf('one', { headers: { authorization: 'Basic YTpi' } })).toBe(200);
  });

  test('a token may be in the parameter access_token; a wrong one anywhere is refused', async () => {
    const good = token(victim.rsa, { iss: issuer, aud: audience });
    const old = token(victim.rsa, { iss: issuer, aud: audience, exp: secondsFromNow(-600) });
    expect(await statusOf('one', { path: `/?access_token=${good}` })).toBe(200);
    expect(await statusOf('one', { path: `/?access_token=${old}` })).toBe(401);
    expect(await statusOf('one', { ...bearer(good), path: `/?access_token=${old}` })).toBe(401);
  });

  test('a token of a megabyte is refused, and the next request is served', async () => {
    expect(await statusOf('one', bearer('A'.repeat(1_000_000)))).not.toBe(200);
    expect(await statusOf('one')).toBe(200);
  });

  test('the token does not go on to the app, unless it is asked to', async () => {
    const { echo: seen } = await ask('one', bearer(token(victim.rsa, { iss: issuer, aud: audience })));
    expect(seen?.headers).not.toHaveProperty('authorization');
  });

  test('a CORS preflight has no token, and needs none', async () => {
    const headers = {
      origin: 'https://a.example.com',
      'access-control-request-method': 'GET',
      authorization: 'Bearer x',
    };
    const { status } = await mesh.call('client', 'http://one:8080/', { method: 'OPTIONS', headers });
    expect(status).toBe(200);
  });
});

describe('several issuers', () => {
  const other = { issuer: 'other', key: rsaKey('o1') };
  const third = { issuer: 'third', key: rsaKey('t1') };
  given(
    'several',
    `
jwtRules:
  - issuer: ${issuer}
    jwks: ${keys}
    outputClaimToHeaders: [{ header: x-first, claim: sub }]
  - issuer: ${other.issuer}
    jwks: ${JSON.stringify(jwksOf([other.key]))}
    outputClaimToHeaders: [{ header: x-other, claim: sub }]
  - issuer: ${third.issuer}
    jwks: ${JSON.stringify(jwksOf([third.key]))}
    fromHeaders: [{ name: x-third, prefix: "Token " }, { name: x-plain }]
    fromParams: [third]
    fromCookies: [third]`,
  );
  const mine = token(victim.rsa, { iss: issuer, sub: 'mine' });
  const others = token(other.key, { iss: other.issuer, sub: 'others' });
  const thirds = token(third.key, { iss: third.issuer });

  test('each is known by its own key', async () => {
    expect(await statusOf('several')).toBe(200);
    expect(await statusOf('several', bearer(mine))).toBe(200);
    expect(await statusOf('several', bearer(others))).toBe(200);
    expect(await statusOf('several', bearer(token(other.key, { iss: issuer })))).toBe(401);
    expect(await statusOf('several', bearer(token(victim.rsa, { iss: other.issuer })))).toBe(401);
  });

  test('ISTIO-SECURITY-2021-001: that tokens may be missing lets neither unknown issuers nor wrong signatures in', async () => {
    const stranger = rsaKey('s1');
    expect(await statusOf('several', bearer(token(stranger, { iss: 'https://stranger.example.com' })))).toBe(401);
    expect(await statusOf('several', bearer(token(stranger, { iss: issuer })))).toBe(401);
    expect(await statusOf('several', bearer(token(stranger, { iss: other.issuer })))).toBe(401);
    expect(await statusOf('several', bearer(token(stranger, {})))).toBe(401);
    expect(await statusOf('several', bearer('abc'))).toBe(401);
  });

  test('a token is taken from the places of its own issuer alone', async () => {
    const places: readonly (readonly [string, Request])[] = [
      ['header with a prefix', { headers: { 'x-third': `Token ${thirds}` } }],
      ['header', { headers: { 'x-plain': thirds } }],
      ['parameter', { path: `/?third=${thirds}` }],
      ['cookie', { headers: { cookie: `a=b; third=${thirds}` } }],
    ];
    for (const [name, request] of places) expect([name, await statusOf('several', request)]).toEqual([name, 200]);
    expect(await statusOf('several', bearer(thirds))).toBe(401);
    expect(await statusOf('several', { headers: { 'x-plain': mine } })).toBe(401);
    expect(await statusOf('several', { headers: { cookie: 'third=abc' } })).toBe(401);
  });

  test('a good token does not hide a bad one at the place of another issuer', async () => {
    const both = { authorization: `Bearer ${mine}` };
    expect(await statusOf('several', { headers: { ...both, 'x-plain': thirds } })).toBe(200);
    expect(await statusOf('several', { headers: { ...both, 'x-plain': 'abc' } })).toBe(401);
  });

  test('nobody but a token says what is in the headers of claims', async () => {
    const forged = { 'x-first': 'root', 'x-other': 'root' };
    const seenWith = async (headers: Readonly<Record<string, string>>, method = 'GET') => {
      const { echo: seen } = await mesh.call('client', 'http://several:8080/', {
        method,
        headers: { ...forged, ...headers },
      });
      return [seen?.headers['x-first'], seen?.headers['x-other']];
    };
    expect(await seenWith({})).toEqual([undefined, undefined]);
    expect(await seenWith({ authorization: `Bearer ${mine}` })).toEqual(['mine', undefined]);
    expect(await seenWith({ authorization: `Bearer ${others}` })).toEqual([undefined, 'others']);
    const preflight = { origin: 'https://a.example.com', 'access-control-request-method': 'GET' };
    expect(await seenWith(preflight, 'OPTIONS')).toEqual([undefined, undefined]);
  });
});

describe('claims', () => {
  given(
    'claims',
    `
jwtRules:
  - issuer: ${issuer}
    jwks: ${keys}
    forwardOriginalToken: true
    outputPayloadToHeader: x-payload
    outputClaimToHeaders:
      - { header: x-sub, claim: sub }
      - { header: x-team, claim: org.team }
      - { header: x-admin, claim: admin }`,
  );

  test('go to the app as headers, one by one and as a whole', async () => {
    const text = token(victim.rsa, { iss: issuer, sub: 'alice', org: { team: 'blue' }, admin: true });
    const { echo: seen } = await ask('claims', bearer(text));
    expect(seen?.headers).toMatchObject({ 'x-sub': 'alice', 'x-team': 'blue', 'x-admin': 'true' });
    expect(seen?.headers['authorization']).toBe(`Bearer ${text}`);
    const payload = JSON.parse(Buffer.from(seen?.headers['x-payload'] ?? '', 'base64url').toString()) as object;
    expect(payload).toMatchObject({ iss: issuer, sub: 'alice' });
  });
});

describe('keys that are not known', () => {
  given(
    'keyless',
    `
jwtRules:
  - issuer: https://keyless.example.com
    jwksUri: http://127.0.0.1:1/keys
  - issuer: ${issuer}
    jwks: ${keys}`,
  );

  test('2026-001 CVE-2026-31837: without keys no token of the issuer is taken, while others are', async () => {
    const attempts: readonly TokenCase[] = [
      ...validTokens({ ...victim, issuer: 'https://keyless.example.com' }),
      ...hostileTokens({ ...victim, issuer: 'https://keyless.example.com' }).slice(0, 60),
    ];
    expect(await accepted('keyless', attempts)).toEqual([]);
    expect(await statusOf('keyless', bearer(token(victim.rsa, { iss: issuer })))).toBe(200);
    expect(await statusOf('keyless')).toBe(200);
  });

  test('2026-003: an address beside us is not asked, and whoever wrote it learns which setting opens it', async () => {
    const said = await mesh.admin('/debug/diagnosticsz');
    expect(said).toContain('127.0.0.1 is loopback, and so is not asked; allow it with --jwks-allowed-cidrs');
  });
});
