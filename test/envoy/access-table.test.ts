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
import { accessRows } from '../support/access-rows.ts';
import type { Call } from '../support/access-table.ts';
import { claims, identities, issuers, trustDomains } from '../support/random-access.ts';

const ports: Ports = await freePorts();

const rows = accessRows(ports);

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
  try {
    const { status, body } = await client.send(headOf(call));
    expect(status === 200 ? 'through' : body).toBe(status === 200 ? 'through' : 'RBAC: access denied');
    return status === 200;
  } finally {
    client.close();
  }
}

function headOf({ method = 'GET', path = '/', host = 'shop.example', headers = [], token }: Call): readonly string[] {
  const claim = token === undefined ? undefined : claims[token];
  const authorization = claim === undefined ? [] : [`authorization: Bearer ${signToken(privateKey, claim)}`];
  return [`${method} ${path} HTTP/1.1`, `host: ${host}`, ...headers, ...authorization];
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
