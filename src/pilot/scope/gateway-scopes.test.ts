import { describe, expect, it } from 'vitest';
import type { ConfigObject } from '../../model/object.ts';
import { gateway, service, sidecar, virtualService } from '../../testing/builders.ts';
import { configSnapshot, nextConfig } from '../../testing/config.ts';
import { MeshSnapshotBuilder } from '../snapshot/snapshot-builder.ts';
import type { GatewayScope } from './scope.ts';
import { Scopes } from './scopes.ts';

const options = { domainSuffix: 'cluster.local', clusterId: 'Kubernetes' };
const proxy = { namespace: 'edge', labels: { istio: 'ingressgateway', extra: 'x' } };

function scopeOf(objects: readonly ConfigObject[], scopes: Scopes = new Scopes()): GatewayScope {
  return scopes.gatewayScopeFor(new MeshSnapshotBuilder(options).build(configSnapshot(objects)).snapshot, proxy);
}

const names = ({ gateways }: GatewayScope): readonly string[] => gateways.map(({ object }) => object.meta.name);

it('has the Gateways that select the pod in any namespace, oldest first', () => {
  const objects = [
    gateway('a/young', {}, { createdAt: 2 }),
    gateway('b/old', {}, { createdAt: 1 }),
    gateway('edge/other', { selector: { istio: 'egressgateway' } }),
    gateway('edge/all', { selector: {} }, { createdAt: 3 }),
  ];
  expect(names(scopeOf(objects))).toEqual(['old', 'young', 'all']);
  expect(names(scopeOf(objects, new Scopes({ scopeGatewaysToNamespace: true })))).toEqual(['all']);
});

it('reads the namespace in front of a host', () => {
  const servers = [
    { port: { number: 80 }, hosts: ['a.Example.com', '*/b.com', './c.com', 'shop/*.d.com', '*'] },
    { port: { number: 81 }, hosts: ['*/*'] },
  ];
  expect(scopeOf([gateway('a/gw', { servers })]).gateways[0]?.hosts).toEqual([
    [
      { namespace: undefined, host: 'a.example.com' },
      { namespace: undefined, host: 'b.com' },
      { namespace: 'a', host: 'c.com' },
      { namespace: 'shop', host: '*.d.com' },
      { namespace: undefined, host: '*' },
    ],
    [{ namespace: undefined, host: '*' }],
  ]);
});

it('has the VirtualServices bound to each Gateway that the pod’s namespace sees', () => {
  const objects = [
    gateway('edge/gw'),
    virtualService('edge/here', { gateways: ['gw'] }),
    virtualService('a/there', { gateways: ['edge/gw', 'mesh'] }),
    virtualService('a/private', { gateways: ['edge/gw'], exportTo: ['.'] }),
    virtualService('a/shared', { gateways: ['edge/gw'], exportTo: ['edge'] }),
    virtualService('a/other', { gateways: ['gw'] }),
    virtualService('a/mesh'),
  ];
  expect(scopeOf(objects).gateways[0]?.virtualServices.map(({ object }) => object.meta.name)).toEqual([
    'here',
    'shared',
    'there',
  ]);
});

it('does not mind Sidecars', () => {
  const { scope } = scopeOf([service('a/x'), sidecar('edge/s', { egress: [{ hosts: ['~/*'] }] })]);
  expect(scope.sidecar).toBeUndefined();
  expect(scope.services).toHaveLength(1);
});

describe('from one snapshot to the next', () => {
  const base = [
    gateway('edge/gw'),
    gateway('edge/gw2'),
    virtualService('a/x', { gateways: ['edge/gw'] }),
    virtualService('a/y', { gateways: ['edge/gw2'] }),
  ];

  it('is the same object while nothing in it changes, for all pods with equal labels', () => {
    const builder = new MeshSnapshotBuilder(options);
    const scopes = new Scopes();
    const config = configSnapshot(base);
    const before = scopes.gatewayScopeFor(builder.build(config).snapshot, proxy);
    const elsewhere = nextConfig(config, {
      upserts: [virtualService('a/z', { gateways: ['b/none'] }), gateway('b/none', { selector: { no: 'pod' } })],
    });
    const next = builder.build(elsewhere).snapshot;
    expect(scopes.gatewayScopeFor(next, { ...proxy, labels: { ...proxy.labels } })).toBe(before);
    const last = builder.build(
      nextConfig(elsewhere, { upserts: [virtualService('a/y', { gateways: ['edge/gw2'], hosts: ['q'] })] }),
    ).snapshot;
    const after = scopes.gatewayScopeFor(last, proxy);
    expect(after).not.toBe(before);
    expect(after.scope).toBe(before.scope);
    expect(after.gateways.map((one, index) => one === before.gateways[index])).toEqual([true, false]);
  });
});
