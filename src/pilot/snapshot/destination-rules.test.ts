import { expect, it } from 'vitest';
import type { MeshDestinationRule } from '../../model/mesh-snapshot.ts';
import type { ConfigObject } from '../../model/object.ts';
import { destinationRule } from '../../testing/builders.ts';
import { configSnapshot } from '../../testing/config.ts';
import { type BuiltSnapshot, MeshSnapshotBuilder } from './snapshot-builder.ts';

function build(objects: readonly ConfigObject[]): BuiltSnapshot {
  return new MeshSnapshotBuilder({ domainSuffix: 'cluster.local', clusterId: 'Kubernetes' }).build(
    configSnapshot(objects),
  );
}

function rules(objects: readonly ConfigObject[], namespace = 'default'): readonly MeshDestinationRule[] {
  return build(objects).snapshot.destinationRules.get(namespace) ?? [];
}

const tls = (mode: 'DISABLE' | 'SIMPLE'): { readonly tls: { readonly mode: 'DISABLE' | 'SIMPLE' } } => ({
  tls: { mode },
});

it('merges the rules of one host: the oldest policy, and the subsets of all', () => {
  const objects = [
    destinationRule('first', { host: 'reviews', subsets: [{ name: 'v1' }] }, { createdAt: 1 }),
    destinationRule(
      'second',
      {
        host: 'Reviews.default.svc.cluster.local',
        trafficPolicy: tls('SIMPLE'),
        subsets: [{ name: 'v2' }, { name: 'v1' }],
      },
      { createdAt: 2 },
    ),
    destinationRule('third', { host: 'reviews', trafficPolicy: tls('DISABLE') }, { createdAt: 3 }),
  ];
  const { diagnostics } = build(objects);
  const ref = (name: string): object => ({ kind: 'DestinationRule', namespace: 'default', name });
  expect(rules(objects)).toEqual([
    {
      host: 'reviews.default.svc.cluster.local',
      namespace: 'default',
      trafficPolicy: { spec: tls('SIMPLE'), object: ref('second'), path: 'spec.trafficPolicy' },
      subsets: [
        { spec: { name: 'v1' }, object: ref('first'), path: 'spec.subsets[0]' },
        { spec: { name: 'v2' }, object: ref('second'), path: 'spec.subsets[0]' },
      ],
      workloadSelector: undefined,
      visibility: { kind: 'public' },
      origins: [ref('first'), ref('second'), ref('third')],
    },
  ]);
  expect(diagnostics).toMatchObject([
    { code: 'XEB0303', object: { name: 'second' }, path: ['spec', 'subsets', 1, 'name'] },
    { code: 'XEB2003', object: { name: 'third' }, path: ['spec', 'trafficPolicy'] },
  ]);
});

it('puts the most specific host first, and rules for chosen workloads before the one for all', () => {
  const selector = (app: string): object => ({ workloadSelector: { matchLabels: { app } } });
  const objects = [
    destinationRule('a', { host: '*.com' }),
    destinationRule('b', { host: '*.example.com' }),
    destinationRule('c', { host: 'a.example.com' }),
    destinationRule('d', { host: 'a.example.com', ...selector('young') }, { createdAt: 9e12 }),
    destinationRule('e', { host: 'a.example.com', ...selector('old') }, { createdAt: 1 }),
    destinationRule('f', { host: '*' }),
    destinationRule('g', { host: 'a.example.com', ...selector('old') }, { createdAt: 2 }),
  ];
  expect(rules(objects).map(({ host, origins }) => `${host} ${origins.map(({ name }) => name).join('+')}`)).toEqual([
    'a.example.com e+g',
    'a.example.com d',
    'a.example.com c',
    '*.example.com b',
    '*.com a',
    '* f',
  ]);
});

it('merges for each namespace what that namespace sees', () => {
  const subset = (name: string, exportTo: readonly string[], createdAt: number): ConfigObject =>
    destinationRule(name, { host: 'a.com', subsets: [{ name }], exportTo }, { createdAt });
  const objects = [
    subset('public', ['*'], 1),
    subset('home', ['.'], 2),
    subset('front', ['front', 'side'], 3),
    subset('side', ['side'], 4),
  ];
  const seen = rules(objects).map(({ subsets, visibility }) => [
    visibility.kind === 'public' ? 'public' : [...visibility.namespaces].join(),
    subsets.map(({ spec }) => spec.name).join(),
  ]);
  expect(seen).toEqual([
    ['default', 'public,home'],
    ['front', 'public,front'],
    ['side', 'public,front,side'],
    ['public', 'public'],
  ]);
  expect(build(objects).diagnostics).toEqual([]);
});

it('is seen by nobody who is not named', () => {
  expect(rules([destinationRule('a', { exportTo: ['~'] })])).toEqual([]);
  expect(rules([destinationRule('a', { exportTo: ['front'] })])).toMatchObject([
    { visibility: { namespaces: new Set(['front']) } },
  ]);
});
