import { expect, it } from 'vitest';
import type { ConfigObject } from '../../model/object.ts';
import { service } from '../../testing/builders.ts';
import { configSnapshot } from '../../testing/config.ts';
import { HostIndex } from './host-index.ts';

const local = (name: string): string => `${name}.default.svc.cluster.local`;
const external = (name: string, externalName: string): ConfigObject<'Service'> =>
  service(name, { type: 'ExternalName', clusterIPs: [], externalName, ports: [80] });

it('takes an ExternalName for what it leads to, if that is known', () => {
  const web = service('web', { ports: [9080] });
  const objects = [web, external('a', local('b')), external('b', `${local('web')}.`), external('c', 'x.com')];
  const index = new HostIndex(configSnapshot([...objects, external('d', local('d'))]), 'cluster.local');
  const found = ['web', 'a', 'b', 'c', 'd'].map((name) => index.find(local(name)).map(({ hostname }) => hostname));
  expect(found).toEqual([[local('web')], [local('web')], [local('web')], [local('c')], [local('d')]]);
  expect([...(index.find(local('a'))[0]?.ports ?? [])]).toEqual([9080]);
});
