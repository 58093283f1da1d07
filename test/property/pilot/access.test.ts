// S10: a request that proves less never gets further. (That the evaluator is right is tested with a real Envoy.)
import { describe, expect, it } from 'vitest';
import type { AuthorizationPolicySpec } from '../../../src/apis/security/security.ts';
import { evaluateAccess } from '../../../src/pilot/authorize/evaluate.ts';
import type { AccessRequest } from '../../../src/pilot/authorize/request.ts';
import { selectAccess } from '../../../src/pilot/security/access.ts';
import { meshSecurity } from '../../../src/pilot/security/testing/mesh-security.ts';
import { object } from '../../../src/testing/builders.ts';
import { Random } from '../../support/random.ts';
import { randomPolicy, randomRequest, recordOf, trustDomains } from '../../support/random-access.ts';

const seed = Number(process.env['XEBEC_SEED'] ?? 1) || 1;
const SETS = 500;
const REQUESTS = 200;
const here = { address: '127.1.0.1', ports: [8080] };
const arrival = { address: here.address, ports: { http: 8080, tcp: 8080 } };

/** Without `*` among what is not meant: that asks for nobody. */
function lettingIn(random: Random): AuthorizationPolicySpec {
  for (;;) {
    const spec = randomPolicy(random, here);
    if (spec.action === 'ALLOW' && !/"not[A-Za-z]*":\[[^\]]*"\*"/.test(JSON.stringify(spec))) return spec;
  }
}

describe('proof that is missing', () => {
  it('opens nothing that ALLOW policies keep shut', () => {
    const random = new Random(seed);
    const opened: unknown[] = [];
    let refused = 0;
    for (let set = 0; set < SETS; set += 1) {
      const specs = [lettingIn(random), lettingIn(random)];
      const AuthorizationPolicy = specs.map((spec, at) => object('AuthorizationPolicy', `shop/p${at}`, spec));
      const security = meshSecurity({ AuthorizationPolicy, trustDomains });
      const plan = selectAccess(security, { kind: 'sidecar', namespace: 'shop', labels: {}, targets: [] });
      for (let count = 0; count < REQUESTS; count += 1) {
        const whole = recordOf({ ...randomRequest(random), isTcp: false }, arrival);
        if (evaluateAccess(plan, whole).decision === 'allow') continue;
        refused += 1;
        const less: readonly AccessRequest[] = [
          { ...whole, peer: undefined },
          { ...whole, http: whole.http && { ...whole.http, claims: undefined } },
          { ...whole, peer: undefined, http: whole.http && { ...whole.http, claims: undefined } },
        ];
        const wider = less.find((one) => evaluateAccess(plan, one).decision === 'allow');
        if (wider !== undefined) opened.push({ specs, whole, wider });
      }
    }
    expect(opened.map((one) => JSON.stringify(one)).sort((a, b) => a.length - b.length)[0]).toBeUndefined();
    expect(refused).toBeGreaterThan((SETS * REQUESTS) / 10);
  });
});
