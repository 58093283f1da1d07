import { describe, expect, it } from 'vitest';
import { securityKinds } from './kinds.ts';

const specs = {
  AuthorizationPolicy: {},
  PeerAuthentication: { mtls: { mode: 'STRICT' } },
  RequestAuthentication: { jwtRules: [{ issuer: 'https://a.com' }] },
  Policy: { peers: [{ mtls: null }] },
  MeshPolicy: { peers: [{ mtls: {} }] },
  ServiceRole: { rules: [{ services: ['*'] }] },
  ServiceRoleBinding: { subjects: [{ user: '*' }], role: 'a' },
  RbacConfig: { mode: 'ON' },
  ClusterRbacConfig: { mode: 'ON' },
} as const;

describe.each(Object.values(securityKinds))('$kind', ({ kind, scope, check }) => {
  const namespace = scope === 'cluster' ? '' : 'shop';

  it('is read, and in force', () => {
    const { spec, issues } = check({ spec: specs[kind] }, { name: 'default', namespace, annotations: {} });
    expect(spec).toEqual(specs[kind]);
    expect(issues.filter(({ code }) => code === 'XEB0122')).toEqual([]);
  });
});
