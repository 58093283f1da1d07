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

it('suggests what is spelt alike, not what merely ends alike', () => {
  const objects = ['shop-v1', 'kubernetes', 'reviews'].map((name) => service(name, { ports: [80] }));
  const index = new HostIndex(configSnapshot(objects), 'cluster.local');
  const hints = ['shop-v3', 'reveiws', 'productpage', 'ratings'].map((name) => index.hintFor(local(name)));
  const nothing = 'add a Service or ServiceEntry, correct the name, or repair what defines it';
  expect(hints).toEqual([`did you mean ${local('shop-v1')}?`, `did you mean ${local('reviews')}?`, nothing, nothing]);
  expect(index.hintFor('reviews.shop.svc.cluster.local')).toBe(`did you mean ${local('reviews')}?`);
  expect(index.hintFor('shop-v2.defualt.svc.cluster.local')).toBe(`did you mean ${local('shop-v1')}?`);
});
