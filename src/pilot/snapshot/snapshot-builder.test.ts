import { expect, it } from 'vitest';
import type { ConfigObject } from '../../model/object.ts';
import {
  delegate,
  destinationRule,
  endpointSlice,
  namespace,
  object,
  pod,
  routeTo,
  service,
  sidecar,
  virtualService,
} from '../../testing/builders.ts';
import { type ConfigOptions, configSnapshot, meshConfig, nextConfig } from '../../testing/config.ts';
import { type BuiltSnapshot, MeshSnapshotBuilder } from './snapshot-builder.ts';

const options = { domainSuffix: 'cluster.local', clusterId: 'Kubernetes' };

function build(objects: readonly ConfigObject[], config?: ConfigOptions): BuiltSnapshot {
  return new MeshSnapshotBuilder(options).build(configSnapshot(objects, config));
}

it('sees nothing of namespaces that are not discovered', () => {
  const mesh = meshConfig({ discoverySelectors: [{ matchLabels: { mesh: 'on' } }] });
  const objects = ['in', 'out'].flatMap((name) => [
    service(`${name}/a`),
    virtualService(`${name}/a`),
    destinationRule(`${name}/a`),
    sidecar(`${name}/a`),
    pod(`${name}/a`),
  ]);
  const { snapshot } = build([...objects, namespace('in', { mesh: 'on' }), namespace('out')], { mesh });
  expect(snapshot.services.map((found) => found.namespace)).toEqual(['in']);
  expect(snapshot.virtualServices.map(({ object }) => object.meta.namespace)).toEqual(['in']);
  expect([...snapshot.destinationRules.keys()]).toEqual(['in']);
  expect(snapshot.config.objects.Sidecar.map(({ meta }) => meta.namespace)).toEqual(['in']);
  expect(snapshot.config.objects.Namespace).toHaveLength(2);
});

it('keeps what protects a namespace that it no longer looks at', () => {
  const mesh = meshConfig({ discoverySelectors: [{ matchLabels: { mesh: 'on' } }] });
  const policies = [
    object('AuthorizationPolicy', 'out/none', {}),
    object('PeerAuthentication', 'out/strict', { mtls: { mode: 'STRICT' } }),
    object('RequestAuthentication', 'out/tokens', {}),
    object('Policy', 'out/default', {}),
    object('ServiceRole', 'out/viewer', { rules: [] }),
    object('ServiceRoleBinding', 'out/viewers', { subjects: [] }),
    object('RbacConfig', 'out/default', { mode: 'ON' }),
  ];
  const { security } = build([...policies, namespace('out')], { mesh }).snapshot;
  expect(policies.filter((policy) => !Object.values(security).some((of) => isListed(of, policy)))).toEqual([]);
});

function isListed(list: unknown, item: ConfigObject): boolean {
  return Array.isArray(list) && list.includes(item);
}

it('is the same object when nothing changed', () => {
  const config = configSnapshot([service('a'), virtualService('a', { http: [{ delegate: { name: 'none' } }] })]);
  const builder = new MeshSnapshotBuilder(options);
  const first = builder.build(config);
  const second = builder.build(config);
  expect(second.snapshot).toBe(first.snapshot);
  expect(second.diagnostics).toBe(first.diagnostics);
  expect(second.diagnostics).toHaveLength(1);
});

it('changes only what an endpoint change is about', () => {
  const objects = [
    service('a'),
    service('b'),
    endpointSlice('a'),
    endpointSlice('b'),
    virtualService('a'),
    destinationRule('a'),
  ];
  const builder = new MeshSnapshotBuilder(options);
  const config = configSnapshot(objects);
  const before = builder.build(config).snapshot;
  const after = builder.build(
    nextConfig(config, { upserts: [endpointSlice('a', { endpoints: ['10.1.0.1', '10.1.0.2'] })] }),
  ).snapshot;
  const { endpoints, config: _, ...rest } = after;
  const parts = new Map<string, unknown>(Object.entries(before));
  for (const [name, part] of Object.entries(rest)) expect(part, name).toBe(parts.get(name));
  const [a, b] = before.services;
  expect(endpoints.get(b!.key)).toBe(before.endpoints.get(b!.key));
  expect(endpoints.get(a!.key)?.get(80)).not.toBe(before.endpoints.get(a!.key)?.get(80));
  expect(endpoints.get(a!.key)?.get(80)?.[0]).toBe(before.endpoints.get(a!.key)?.get(80)?.[0]);
});

it('changes only the VirtualService that changed, and those that delegate to it', () => {
  const root = virtualService('root', { http: [{ delegate: { name: 'leaf' } }] });
  const leaf = delegate('leaf', { http: [routeTo('a')] });
  const config = configSnapshot([root, leaf, virtualService('other'), virtualService('third')]);
  const builder = new MeshSnapshotBuilder(options);
  const before = builder.build(config).snapshot.virtualServices;
  const after = builder.build(
    nextConfig(config, {
      upserts: [delegate('leaf', { http: [routeTo('b')] }), virtualService('third', { hosts: ['x'] })],
    }),
  ).snapshot.virtualServices;
  expect(after.map(({ object }) => object.meta.name)).toEqual(['other', 'root', 'third']);
  expect(after.map((model, index) => model === before[index])).toEqual([true, false, false]);
});

it('changes only the rule of the host that changed', () => {
  const config = configSnapshot([destinationRule('a'), destinationRule('b'), destinationRule('far/c')]);
  const builder = new MeshSnapshotBuilder(options);
  const before = builder.build(config).snapshot.destinationRules;
  const upserts = [destinationRule('a', { subsets: [{ name: 'v1' }] })];
  const after = builder.build(nextConfig(config, { upserts })).snapshot.destinationRules;
  expect(after.get('far')).toBe(before.get('far'));
  expect(after.get('default')?.map((rule, index) => rule === before.get('default')?.[index])).toEqual([false, true]);
});

it('takes a new default of the mesh into account everywhere', () => {
  const config = configSnapshot([service('a'), virtualService('a'), destinationRule('a')]);
  const builder = new MeshSnapshotBuilder(options);
  builder.build(config);
  const mesh = meshConfig({
    defaultServiceExportTo: ['.'],
    defaultVirtualServiceExportTo: ['.'],
    defaultDestinationRuleExportTo: ['.'],
  });
  const { snapshot } = builder.build(nextConfig(config, { mesh }));
  const home = { kind: 'namespaces', namespaces: new Set(['default']) };
  expect(snapshot.services[0]?.visibility).toEqual(home);
  expect(snapshot.virtualServices[0]?.visibility).toEqual(home);
  expect(snapshot.destinationRules.get('default')?.[0]?.visibility).toEqual(home);
  const again = builder.build(
    nextConfig(config, { mesh: meshConfig({ ...mesh, accessLogFile: '/dev/stdout' }) }),
  ).snapshot;
  expect(again.services).toBe(snapshot.services);
});
