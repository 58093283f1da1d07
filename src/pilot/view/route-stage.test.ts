import { expect, test } from 'vitest';
import { virtualService } from '../../testing/builders.ts';
import { configSnapshot, meshConfig } from '../../testing/config.ts';
import { MeshSnapshotBuilder } from '../snapshot/snapshot-builder.ts';
import type { ProxyTraits } from '../translate/plan.ts';
import { routeDefaults } from '../translate/route/defaults.ts';
import { planVirtualHosts } from '../translate/route/plan.ts';
import { VirtualHostMemo } from './route-stage.ts';

const traits: ProxyTraits = {
  kind: 'sidecar',
  namespace: 'a',
  dnsDomain: 'a.svc.cluster.local',
  interception: 'REDIRECT',
  dnsCapture: false,
  http10: false,
  identityFolder: '',
  isProven: false,
  labels: {},
  idleTimeout: '',
};

/** The virtual hosts that virtual services make by themselves. */
function plansOf(...hosts: readonly string[]) {
  const objects = hosts.map((host) => virtualService(`a/${host}`, { hosts: [`${host}.example.com`] }));
  const builder = new MeshSnapshotBuilder({ domainSuffix: 'cluster.local', clusterId: 'Kubernetes' });
  const { virtualServices } = builder.build(configSnapshot(objects)).snapshot;
  return planVirtualHosts({ name: '80', port: 80, members: [], virtualServices, dialled: [], sniffed: false }, traits)
    .virtualHosts;
}

const context = { members: [], traits, defaults: routeDefaults(meshConfig()) };

test('virtual hosts are built once, and those that went are forgotten', () => {
  const memo = new VirtualHostMemo();
  const plans = plansOf('x', 'y');
  const [x, y] = memo.get('80', plans, context);
  expect(memo.get('80', plans, context)).toEqual([x, y]);
  expect(memo.get('80', plans, context)[1]).toBe(y);
  expect(memo.get('80', plans.slice(0, 1), context)[0]).toBe(x);
  const [sameX, otherY] = memo.get('80', plans, context);
  expect(sameX).toBe(x);
  expect(otherY).toEqual(y);
  expect(otherY).not.toBe(y);
});

test('routes of other names have virtual hosts of their own', () => {
  const memo = new VirtualHostMemo();
  const plans = plansOf('x');
  const [here] = memo.get('80', plans, context);
  const [there] = memo.get('81', plans, context);
  expect(there).not.toBe(here);
  memo.retain(new Set(['81']));
  expect(memo.get('81', plans, context)[0]).toBe(there);
  expect(memo.get('80', plans, context)[0]).not.toBe(here);
});
