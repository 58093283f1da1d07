import { describe, expect, it } from 'vitest';
import type { AuthorizationPolicySpec } from '../../apis/security/security.ts';
import type { AuthorizerPlace } from '../../model/mesh-security.ts';
import { object } from '../../testing/builders.ts';
import { selectAccess } from '../security/access.ts';
import { meshSecurity } from '../security/testing/mesh-security.ts';
import { type AccessVerdict, evaluateAccess } from './evaluate.ts';
import type { AccessRequest, HttpRequest } from './request.ts';

const dryRun = { annotations: { 'istio.io/dry-run': 'true' } };

function request(more: Partial<AccessRequest> = {}, http: Partial<HttpRequest> = {}): AccessRequest {
  return {
    peer: 'spiffe://cluster.local/ns/shop/sa/cart',
    sourceIp: '10.1.0.1',
    remoteIp: '10.1.0.1',
    destinationIp: '10.1.0.2',
    destinationPort: 8080,
    sni: undefined,
    http: {
      method: 'GET',
      path: '/',
      host: 'shop',
      headers: new Map(),
      claims: undefined,
      metadata: new Map(),
      ...http,
    },
    ...more,
  };
}

type Named = { readonly [name: string]: AuthorizationPolicySpec };

function ask(policies: Named, asked = request(), more: Parameters<typeof meshSecurity>[0] = {}): AccessVerdict {
  const objects = Object.entries(policies).map(([name, spec]) =>
    object('AuthorizationPolicy', `shop/${name}`, spec, name.startsWith('try') ? dryRun : {}),
  );
  const security = meshSecurity({ AuthorizationPolicy: objects, ...more });
  return evaluateAccess(selectAccess(security, { kind: 'sidecar', namespace: 'shop', labels: {}, targets: [] }), asked);
}

const gets = { rules: [{ to: [{ operation: { methods: ['GET'] } }] }] };
const puts = { rules: [{ to: [{ operation: { methods: ['PUT'] } }] }] };

function by(name: string) {
  const policy = { kind: 'AuthorizationPolicy', namespace: 'shop', name };
  return { policy, rule: `ns[shop]-policy[${name}]-rule[0]`, path: 'spec.rules[0]' };
}

describe('the answer to a request', () => {
  it('says who decided, and why', () => {
    expect(ask({})).toMatchObject({ decision: 'allow', reason: { kind: 'open' } });
    expect(ask({ in: gets })).toMatchObject({ decision: 'allow', reason: { kind: 'allowed', by: by('in') } });
    expect(ask({ out: { action: 'DENY', ...gets }, in: gets })).toMatchObject({
      decision: 'deny',
      reason: { kind: 'refused', by: by('out') },
    });
    expect(ask({ out: { action: 'DENY', ...puts } })).toMatchObject({
      decision: 'allow',
      reason: { kind: 'not-refused' },
    });
    const nobody = ask({ in: puts, more: { rules: [] } });
    expect(nobody.decision).toBe('deny');
    expect(nobody.reason).toEqual({ kind: 'not-allowed', policies: [by('in').policy, by('more').policy] });
  });

  it('says what is audited and what policies would do that are only tried', () => {
    const verdict = ask({
      watch: { action: 'AUDIT', ...gets },
      'try-out': { action: 'DENY', ...gets },
      'try-in': puts,
    });
    expect(verdict).toMatchObject({
      decision: 'allow',
      reason: { kind: 'not-refused' },
      audited: by('watch'),
      dryRun: { denied: by('try-out'), allowed: 'no' },
    });
    expect(ask({ 'try-in': gets }).dryRun).toEqual({ denied: undefined, allowed: 'yes' });
    expect(ask({ in: gets }).dryRun).toEqual({ denied: undefined, allowed: 'unsaid' });
  });

  it('says which authorizers are asked, and refuses where one cannot be', () => {
    const custom: AuthorizationPolicySpec = { action: 'CUSTOM', provider: { name: 'opa' }, ...gets };
    const extensionProviders = [{ name: 'opa', envoyExtAuthzHttp: { service: 'opa.example', port: 80 } }];
    const place: AuthorizerPlace = { kind: 'somewhere', hostname: 'opa.example', port: 80, protocol: 'HTTP' };
    const mesh = { extensionProviders, authorizers: new Map([['opa', place]]) };
    expect(ask({ custom }, request(), mesh)).toMatchObject({
      decision: 'allow',
      asks: [{ provider: 'opa', by: by('custom') }],
    });
    expect(ask({ custom }, request({}, { method: 'PUT' }), mesh)).toMatchObject({ decision: 'allow', asks: [] });
    expect(ask({ custom })).toMatchObject({
      decision: 'deny',
      reason: { kind: 'refused', by: by('custom') },
      asks: [],
    });
    // What of a rule is about HTTP falls away for TCP, where this one has nobody to ask.
    expect(ask({ custom }, request({ http: undefined }), mesh)).toMatchObject({ decision: 'deny', asks: [] });
  });

  it('knows what TCP has not', () => {
    const connection = request({ http: undefined });
    expect(ask({ in: gets }, connection).decision).toBe('deny');
    expect(ask({ out: { action: 'DENY', ...puts } }, connection).decision).toBe('deny');
    const ports = { rules: [{ to: [{ operation: { ports: ['8080'] } }] }] };
    expect(ask({ in: ports }, connection).decision).toBe('allow');
  });

  it('takes what other filters found out', () => {
    const when = [{ key: 'experimental.envoy.filters.http.x[tables]', values: ['[users]'] }];
    const metadata = new Map([['envoy.filters.http.x', { tables: ['orders', 'users'] }]]);
    expect(ask({ in: { rules: [{ when }] } }, request({}, { metadata })).decision).toBe('allow');
    expect(ask({ in: { rules: [{ when }] } }).decision).toBe('deny');
  });
});
