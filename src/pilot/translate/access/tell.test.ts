import { describe, expect, it } from 'vitest';
import { renderPath } from '../../../apis/issue.ts';
import type { AuthorizationPolicySpec } from '../../../apis/security/security.ts';
import type { Diagnostic } from '../../../model/diagnostic.ts';
import { object } from '../../../testing/builders.ts';
import { selectAccess } from '../../security/access.ts';
import { meshSecurity } from '../../security/testing/mesh-security.ts';
import type { SecuritySite } from '../security.ts';
import { buildHttpAccess } from './http.ts';
import { buildTcpAccess } from './tcp.ts';

const inbound: SecuritySite = { direction: 'inbound', port: 8080, member: undefined, isMutualTls: true };

function planOf(spec: AuthorizationPolicySpec, more: Parameters<typeof meshSecurity>[0] = {}) {
  const AuthorizationPolicy = [object('AuthorizationPolicy', 'shop/guard', spec)];
  const subject = { kind: 'sidecar', namespace: 'shop', labels: {}, targets: [] } as const;
  return selectAccess(meshSecurity({ AuthorizationPolicy, ...more }), subject);
}

function http(...[spec, more]: Parameters<typeof planOf>): (site?: Partial<SecuritySite>) => readonly string[] {
  return (site) => {
    const { custom, rules } = buildHttpAccess(planOf(spec, more), { ...inbound, ...site });
    return told([...custom.diagnostics, ...rules.diagnostics]);
  };
}

function tcp(spec: AuthorizationPolicySpec): (site?: Partial<SecuritySite>) => readonly string[] {
  return (site) => told(buildTcpAccess(planOf(spec), { ...inbound, ...site }).diagnostics);
}

function told(diagnostics: readonly Diagnostic[]): readonly string[] {
  return diagnostics.map(({ code, level, path }) => `${level} ${code} ${renderPath(path)}`);
}

const methods: AuthorizationPolicySpec = { rules: [{ to: [{ operation: { methods: ['GET'] } }] }] };

describe('what owners of policies hear', () => {
  it('a rule that asks for HTTP on TCP', () => {
    const place = 'spec.rules[0].to[0].operation.methods';
    expect(tcp(methods)()).toEqual([`warning XEB2801 ${place}`]);
    expect(tcp({ ...methods, action: 'DENY' })()).toEqual([`warning XEB2801 ${place}`]);
    expect(tcp({ ...methods, action: 'AUDIT' })()).toEqual([]);
    expect(http(methods)()).toEqual([]);
  });

  it('nothing of ports that the rule is not about, or that nobody declared', () => {
    const ports = { rules: [{ to: [{ operation: { methods: ['GET'], ports: ['80'] } }] }] };
    expect(tcp(ports)()).toEqual([]);
    expect(tcp(ports)({ port: 80 })).toHaveLength(1);
    expect(
      tcp({ rules: [{ ...methods.rules?.[0], when: [{ key: 'destination.port', notValues: ['8080'] }] }] })(),
    ).toEqual([]);
    expect(tcp(methods)({ port: undefined })).toEqual([]);
  });

  it('identities asked where there are none (2021-004)', () => {
    const deny: AuthorizationPolicySpec = { action: 'DENY', rules: [{ from: [{ source: { namespaces: ['a'] } }] }] };
    expect(http(deny)({ isMutualTls: false })).toEqual(['warning XEB2802 spec.rules[0].from[0].source.namespaces']);
    expect(tcp(deny)({ isMutualTls: false })).toEqual(['warning XEB2802 spec.rules[0].from[0].source.namespaces']);
    expect(http(deny)()).toEqual([]);
    const safe: AuthorizationPolicySpec = { action: 'DENY', rules: [{ from: [{ source: { notNamespaces: ['a'] } }] }] };
    expect(http(safe)({ isMutualTls: false })).toEqual([]);
    expect(http({ ...deny, action: 'ALLOW' })({ isMutualTls: false })).toEqual([]);
  });

  it('a provider that cannot be asked', () => {
    const custom: AuthorizationPolicySpec = { action: 'CUSTOM', provider: { name: 'opa' }, rules: [{}] };
    expect(http(custom)()).toEqual(['warning XEB2803 spec.provider.name']);
    const extensionProviders = [{ name: 'opa', envoyExtAuthzHttp: { service: 'opa.example', port: 80 } }];
    expect(http(custom, { extensionProviders })()).toEqual(['warning XEB2803 spec.provider.name']);
    const place = { kind: 'somewhere', hostname: 'opa.example', port: 80, protocol: 'HTTP' } as const;
    expect(http(custom, { extensionProviders, authorizers: new Map([['opa', place]]) })()).toEqual([]);
  });

  it('paths that are compared as they come', () => {
    const paths: AuthorizationPolicySpec = { action: 'DENY', rules: [{ to: [{ operation: { paths: ['/a'] } }] }] };
    expect(http(paths, { hasRawPaths: true })()).toEqual(['warning XEB2804 spec.rules[0].to[0].operation.paths']);
    expect(http(paths)()).toEqual([]);
  });

  it('a condition that nobody knows lets nobody in and keeps everybody out (2022-001)', () => {
    const when = [{ key: 'request.mood', values: ['good'] }];
    const bad = 'warning XEB2805 spec.rules[0].when[0].key';
    expect(http({ rules: [{ when }] })()).toEqual([bad]);
    const { rules } = planOf({ rules: [{ when }] }).policies[0] ?? {};
    expect(rules?.[0]?.conditions).toMatchObject([{ about: 'destination-port', values: [] }]);
    expect(http({ action: 'DENY', rules: [{ when }] })()).toEqual([bad]);
    expect(planOf({ action: 'DENY', rules: [{ when }] }).policies[0]?.rules[0]?.conditions).toEqual([]);
  });
});
