import { describe, expect, it } from 'vitest';
import type { AuthorizationPolicySpec } from '../../apis/security/security.ts';
import type { AuthorizerPlace } from '../../model/mesh-security.ts';
import type { Service, ServiceTarget } from '../../model/service.ts';
import { clusterObject, object } from '../../testing/builders.ts';
import { selectAccess } from './access.ts';
import type { Subject } from './subject.ts';
import { meshSecurity } from './testing/mesh-security.ts';

const everything: AuthorizationPolicySpec = { rules: [{}] };

function policy(name: string, spec: AuthorizationPolicySpec = everything) {
  return object('AuthorizationPolicy', name, spec);
}

function subject(more: Partial<Subject> = {}): Subject {
  return { kind: 'sidecar', namespace: 'shop', labels: { app: 'cart', version: 'v1' }, targets: [], ...more };
}

function target(name: string, targetPort: number): ServiceTarget {
  const hostname = `${name}.shop.svc.cluster.local`;
  const origin = { kind: 'Service', namespace: 'shop', name };
  const service = { name, hostname, namespace: 'shop', aliases: [], origin } as unknown as Service;
  return { service, port: { port: 80 } as ServiceTarget['port'], targetPort };
}

function namesOf(security: Parameters<typeof selectAccess>[0], of: Subject): readonly string[] {
  return selectAccess(security, of).policies.map(
    ({ object: { kind, namespace, name } }) => `${kind} ${namespace}/${name}`,
  );
}

describe('which AuthorizationPolicies apply', () => {
  it('are those of the own and the root namespace whose selector selects', () => {
    const AuthorizationPolicy = [
      policy('shop/all'),
      policy('shop/cart', { ...everything, selector: { matchLabels: { app: 'cart' } } }),
      policy('shop/v2', { ...everything, selector: { matchLabels: { app: 'cart', version: 'v2' } } }),
      policy('istio-system/mesh'),
      policy('istio-system/carts', { ...everything, selector: { matchLabels: { app: 'cart' } } }),
      policy('other/all'),
    ];
    const named = ['shop/all', 'shop/cart', 'istio-system/mesh', 'istio-system/carts'];
    expect(namesOf(meshSecurity({ AuthorizationPolicy }), subject())).toEqual(
      named.map((name) => `AuthorizationPolicy ${name}`),
    );
  });

  it('come as CUSTOM, AUDIT, DENY, ALLOW, whatever is older', () => {
    const AuthorizationPolicy = [
      policy('shop/a', { action: 'ALLOW' }),
      policy('shop/b', { action: 'DENY', rules: [{}] }),
      policy('shop/c', { action: 'AUDIT', rules: [{}] }),
      policy('shop/d', { action: 'CUSTOM', provider: { name: 'x' }, rules: [{}] }),
      policy('shop/e', { action: 'DENY', rules: [{}] }),
    ];
    const { policies } = selectAccess(meshSecurity({ AuthorizationPolicy }), subject());
    expect(policies.map(({ object: { name } }) => name)).toEqual(['d', 'c', 'b', 'e', 'a']);
  });

  it('may be tied to a gateway or a service of their namespace', () => {
    const gateway = { group: 'gateway.networking.k8s.io', kind: 'Gateway', name: 'edge' };
    const AuthorizationPolicy = [
      policy('shop/of-gateway', { ...everything, targetRefs: [gateway] }),
      policy('shop/of-service', { ...everything, targetRefs: [{ kind: 'Service', name: 'cart' }] }),
      policy('istio-system/of-gateway', { ...everything, targetRefs: [gateway] }),
      policy('shop/of-class', { ...everything, targetRefs: [{ ...gateway, kind: 'GatewayClass' }] }),
    ];
    const security = meshSecurity({ AuthorizationPolicy });
    expect(namesOf(security, subject())).toEqual([]);
    const edge = subject({ kind: 'router', labels: { 'gateway.networking.k8s.io/gateway-name': 'edge' } });
    expect(namesOf(security, edge)).toEqual(['AuthorizationPolicy shop/of-gateway']);
    const cart = subject({ targets: [target('cart', 8080)] });
    expect(namesOf(security, cart)).toEqual(['AuthorizationPolicy shop/of-service']);
  });

  it('are the same object for equal subjects, and for a mesh that moved elsewhere', () => {
    const AuthorizationPolicy = [policy('shop/all'), policy('other/all')];
    const security = meshSecurity({ AuthorizationPolicy });
    const plan = selectAccess(security, subject());
    expect(selectAccess(security, subject({ labels: { app: 'front' } }))).toBe(plan);
    const moved = { ...security, AuthorizationPolicy: [...AuthorizationPolicy, policy('other/more')] };
    expect(selectAccess(moved, subject())).toBe(plan);
    const changed = { ...security, AuthorizationPolicy: [policy('shop/all')] };
    expect(selectAccess(changed, subject())).not.toBe(plan);
    expect(selectAccess(security, subject({ namespace: 'open' }))).toBe(
      selectAccess(changed, subject({ namespace: 'b' })),
    );
  });

  it('are read again when their authorizer moves', () => {
    const AuthorizationPolicy = [policy('shop/ask', { action: 'CUSTOM', provider: { name: 'opa' }, rules: [{}] })];
    const extensionProviders = [{ name: 'opa', envoyExtAuthzGrpc: { service: 'opa.example', port: 9000 } }];
    const before = meshSecurity({ AuthorizationPolicy, extensionProviders });
    const place: AuthorizerPlace = { kind: 'somewhere', hostname: 'opa.example', port: 9000, protocol: 'GRPC' };
    const after = { ...before, authorizers: new Map([['opa', place]]) };
    expect(selectAccess(before, subject()).policies[0]?.authorizer?.place.kind).toBe('nowhere');
    expect(selectAccess(after, subject()).policies[0]?.authorizer?.place).toEqual(place);
  });
});

describe('the classic API', () => {
  const viewer = object('ServiceRole', 'shop/viewer', {
    rules: [{ services: ['cart.shop.svc.cluster.local'], methods: ['GET'] }],
  });
  const binding = object('ServiceRoleBinding', 'shop/everybody', {
    subjects: [{ user: '*' }],
    roleRef: { kind: 'ServiceRole', name: 'viewer' },
  });
  const on = clusterObject('ClusterRbacConfig', 'default', { mode: 'ON' });
  const roles = { ServiceRole: [viewer], ServiceRoleBinding: [binding] };
  const cart = subject({ targets: [target('cart', 8080)] });
  const both = subject({ targets: [target('cart', 8080), target('stock', 9090)] });

  it('is off until a configuration switches it on', () => {
    expect(namesOf(meshSecurity(roles), cart)).toEqual([]);
    const off = clusterObject('ClusterRbacConfig', 'default', {});
    expect(namesOf(meshSecurity({ ...roles, ClusterRbacConfig: [off] }), cart)).toEqual([]);
  });

  it('is for all services, for some, or for all but some', () => {
    const named = { services: ['*.shop.svc.cluster.local'], namespaces: [] };
    const modes = [
      { spec: { mode: 'ON' }, isOn: true },
      { spec: { mode: 'ON_WITH_INCLUSION', inclusion: named }, isOn: true },
      { spec: { mode: 'ON_WITH_INCLUSION', inclusion: { namespaces: ['other'] } }, isOn: false },
      { spec: { mode: 'ON_WITH_EXCLUSION', exclusion: named }, isOn: false },
      { spec: { mode: 'ON_WITH_EXCLUSION', exclusion: { namespaces: ['other'] } }, isOn: true },
    ] as const;
    for (const { spec, isOn } of modes) {
      const config = clusterObject('ClusterRbacConfig', 'default', structuredClone(spec) as object);
      const found = namesOf(meshSecurity({ ...roles, ClusterRbacConfig: [config] }), cart);
      expect([spec, found.length > 0]).toEqual([spec, isOn]);
    }
  });

  it('prefers ClusterRbacConfig, and is not looked at beside an AuthorizationPolicy', () => {
    const RbacConfig = [object('RbacConfig', 'istio-system/default', { mode: 'OFF' })];
    const security = meshSecurity({ ...roles, ClusterRbacConfig: [on], RbacConfig });
    expect(namesOf(security, cart)).toEqual(['ServiceRoleBinding shop/everybody', 'ClusterRbacConfig /default']);
    const beside = { ...security, AuthorizationPolicy: [policy('shop/all')] };
    expect(namesOf(beside, cart)).toEqual(['AuthorizationPolicy shop/all']);
  });

  it('stays in force beside policies that only watch', () => {
    const security = meshSecurity({ ...roles, ClusterRbacConfig: [on] });
    const dryRun = object('AuthorizationPolicy', 'shop/tried', everything, {
      annotations: { 'istio.io/dry-run': 'true' },
    });
    for (const watching of [policy('shop/seen', { ...everything, action: 'AUDIT' }), dryRun]) {
      const beside = namesOf({ ...security, AuthorizationPolicy: [watching] }, cart);
      expect(beside).toContain('ServiceRoleBinding shop/everybody');
      expect(beside).toContain('ClusterRbacConfig /default');
      expect(beside).toContain(`AuthorizationPolicy shop/${watching.meta.name}`);
    }
    const decided = { ...security, AuthorizationPolicy: [policy('shop/all'), dryRun] };
    expect(namesOf(decided, cart)).toEqual(['AuthorizationPolicy shop/all', 'AuthorizationPolicy shop/tried']);
  });

  it('gives roles for the ports of their services alone', () => {
    const { policies } = selectAccess(meshSecurity({ ...roles, ClusterRbacConfig: [on] }), both);
    expect(policies[0]?.rules[0]?.operations[0]?.[0]).toMatchObject({ about: 'destination-port', values: [8080] });
    expect(policies[0]?.rules[0]?.name).toBe('ns[shop]-binding[everybody]-role[viewer]-rule[0]');
    expect(
      namesOf(meshSecurity({ ...roles, ClusterRbacConfig: [on] }), subject({ targets: [target('stock', 9090)] })),
    ).toEqual(['ClusterRbacConfig /default']);
  });

  it('leaves ports of services open that it is not on for', () => {
    const inclusion = { services: ['cart.shop.svc.cluster.local'] };
    const config = clusterObject('ClusterRbacConfig', 'default', { mode: 'ON_WITH_INCLUSION', inclusion });
    const { policies } = selectAccess(meshSecurity({ ...roles, ClusterRbacConfig: [config] }), both);
    expect(policies.at(-1)?.rules[0]?.operations[0]?.[0]).toMatchObject({ about: 'destination-port', values: [9090] });
  });

  it('compares what a workload is before any request', () => {
    const withLabel = (version: string) =>
      object('ServiceRole', 'shop/viewer', {
        rules: [{ services: ['*'], constraints: [{ key: 'destination.labels[version]', values: [version] }] }],
      });
    const select = (version: string) =>
      namesOf(meshSecurity({ ...roles, ServiceRole: [withLabel(version)], ClusterRbacConfig: [on] }), cart);
    expect(select('v1')).toContain('ServiceRoleBinding shop/everybody');
    expect(select('v2')).not.toContain('ServiceRoleBinding shop/everybody');
    const byAccount = object('ServiceRole', 'shop/viewer', {
      rules: [{ services: ['*'], constraints: [{ key: 'destination.user', values: ['*'] }] }],
    });
    expect(namesOf(meshSecurity({ ...roles, ServiceRole: [byAccount], ClusterRbacConfig: [on] }), cart)).toEqual([
      'ClusterRbacConfig /default',
    ]);
  });

  it('is the same object for equal subjects', () => {
    const security = meshSecurity({ ...roles, ClusterRbacConfig: [on] });
    expect(selectAccess(security, subject({ targets: [target('cart', 8080)] }))).toBe(selectAccess(security, cart));
    expect(selectAccess({ ...security }, cart)).toBe(selectAccess(security, cart));
    expect(selectAccess(security, both)).not.toBe(selectAccess(security, subject()));
  });

  it('only tries what is PERMISSIVE', () => {
    const tried = object('ServiceRoleBinding', 'shop/tried', { ...binding.spec, mode: 'PERMISSIVE' });
    const security = meshSecurity({ ...roles, ServiceRoleBinding: [tried], ClusterRbacConfig: [on] });
    expect(selectAccess(security, cart).policies.map(({ isDryRun }) => isDryRun)).toEqual([true, false]);
    const config = clusterObject('ClusterRbacConfig', 'default', { mode: 'ON', enforcementMode: 'PERMISSIVE' });
    const all = selectAccess({ ...security, ClusterRbacConfig: [config] }, cart);
    expect(all.policies.map(({ isDryRun }) => isDryRun)).toEqual([true, true]);
  });
});
