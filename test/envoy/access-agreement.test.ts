// The evaluator of access policies and Envoy's RBAC filters give one answer, for random policies and random requests.
import { generateKeyPairSync } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import type { AuthorizationPolicySpec } from '../../src/apis/security/security.ts';
import { type AccessVerdict, evaluateAccess } from '../../src/pilot/authorize/evaluate.ts';
import { selectAccess } from '../../src/pilot/security/access.ts';
import { meshSecurity } from '../../src/pilot/security/testing/mesh-security.ts';
import type { AccessPlan } from '../../src/pilot/translate/access/plan.ts';
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
import { Random } from '../support/random.ts';
import {
  claims,
  issuers,
  type RandomRequest,
  randomPolicy,
  randomRequest,
  recordOf,
  trustDomains,
} from '../support/random-access.ts';

const seed = Number(process.env['XEBEC_SEED'] ?? 1);
const SETS = 400;
const REQUESTS = Number(process.env['XEBEC_REQUESTS'] ?? 40);

const folder = mkdtempSync(join(tmpdir(), 'xebec-access-'));
const people = new TestIdentities();
const keys = generateKeyPairSync('ec', { namedCurve: 'P-256' });
const privateKey = keys.privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
const jwks = JSON.stringify({ keys: [{ ...keys.publicKey.export({ format: 'jwk' }), kid: 'test', alg: 'ES256' }] });
const tokens = claims.map((claim) => (claim === undefined ? undefined : signToken(privateKey, claim)));

type PolicySet = {
  readonly index: number;
  readonly specs: readonly AuthorizationPolicySpec[];
  readonly plan: AccessPlan;
};

let envoy: AccessEnvoy | undefined;
let ports: Ports = { http: 0, tcp: 0 };
let sets: readonly PolicySet[] = [];

beforeAll(async () => {
  const random = new Random(seed);
  ports = await freePorts();
  sets = Array.from({ length: SETS }, (_, index) => {
    const here = { address: addressOfGuarded(index), ports: [ports.http, ports.tcp] };
    const specs = Array.from({ length: 1 + random.below(random.chance(0.5) ? 1 : 3) }, () =>
      randomPolicy(random, here),
    );
    const policies = specs.map((spec, at) => object('AuthorizationPolicy', `shop/p${index}-${at}`, spec));
    const security = meshSecurity({ AuthorizationPolicy: policies, trustDomains });
    const subject = { kind: 'sidecar', namespace: 'shop', labels: {}, targets: [] } as const;
    return { index, specs, plan: selectAccess(security, subject) };
  });
  envoy = new AccessEnvoy({ folder, guarded: sets, ports, tokens: { issuers, jwks } }, people);
  await envoy.start();
});

afterAll(async () => {
  await envoy?.stop();
  rmSync(folder, { recursive: true, force: true });
});

class Clients {
  readonly #open = new Map<string, RawHttp>();

  async isThrough(request: RandomRequest, index: number): Promise<boolean> {
    const identity = request.identity === undefined ? undefined : people.of(request.identity);
    const where = { address: addressOfGuarded(index), from: request.from, identity, sni: request.sni };
    if (request.isTcp) return await echoes({ ...where, port: ports.tcp });
    const key = JSON.stringify([request.identity, request.sni, request.from]);
    const client = this.#open.get(key) ?? new RawHttp({ ...where, port: ports.http });
    this.#open.set(key, client);
    const token = tokens[request.claims];
    const response = await client.send([
      `${request.method} ${request.path} HTTP/1.1`,
      `host: ${request.host}`,
      ...request.roles.map((role) => `x-role: ${role}`),
      ...(request.remote === undefined ? [] : [`x-forwarded-for: ${request.remote}`]),
      ...(token === undefined ? [] : [`authorization: Bearer ${token}`]),
    ]);
    if (response.status !== 200 && response.status !== 403) throw new Error(`${response.status} ${response.body}`);
    return response.status === 200;
  }

  close(): void {
    for (const client of this.#open.values()) client.close();
  }
}

type Mismatch = { readonly request: RandomRequest; readonly verdict: AccessVerdict; readonly policies: unknown };

async function compareSet({ index, specs, plan }: PolicySet): Promise<readonly Mismatch[]> {
  const random = new Random(seed * 1000 + index);
  const clients = new Clients();
  const mismatches: Mismatch[] = [];
  try {
    for (let count = 0; count < REQUESTS; count += 1) {
      const request = randomRequest(random);
      const verdict = evaluateAccess(plan, recordOf(request, { address: addressOfGuarded(index), ports }));
      const isThrough = await clients.isThrough(request, index);
      tally[isThrough ? 'through' : 'refused'] += 1;
      if (isThrough !== (verdict.decision === 'allow')) mismatches.push({ request, verdict, policies: specs });
    }
  } finally {
    clients.close();
  }
  return mismatches;
}

const tally = { through: 0, refused: 0 };

test(`the evaluator agrees with Envoy (seed ${seed}, ${SETS} sets of policies, ${REQUESTS} requests for each)`, async () => {
  const found: Mismatch[] = [];
  const waiting = [...sets];
  const work = async (): Promise<void> => {
    for (let next = waiting.shift(); next !== undefined; next = waiting.shift())
      found.push(...(await compareSet(next)));
  };
  await Promise.all(Array.from({ length: 8 }, work));
  // The shortest says most.
  const shortest = found.map((one) => JSON.stringify(one)).sort((a, b) => a.length - b.length);
  expect(shortest.slice(0, 3), `${found.length} of ${SETS * REQUESTS} disagree; the shortest`).toEqual([]);
  // Neither answer is so seldom that agreement says nothing.
  expect(Math.min(tally.through, tally.refused)).toBeGreaterThan((SETS * REQUESTS) / 10);
});
