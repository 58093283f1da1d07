import { expect, it } from 'vitest';
import { pod, service, virtualService } from './builders.ts';
import { configSnapshot, nextConfig } from './config.ts';

it('keeps the lists an edit does not touch, and orders by age, namespace and name', () => {
  const before = configSnapshot([service('b'), service('shop/a'), service('a'), service('z', {}, { createdAt: 1 })]);
  expect(before.objects.Service.map(({ key }) => key)).toEqual([
    'Service/default/z',
    'Service/default/a',
    'Service/default/b',
    'Service/shop/a',
  ]);
  const after = nextConfig(before, { upserts: [virtualService('a')], deletes: [pod('none')] });
  expect(after.objects.Service).toBe(before.objects.Service);
  expect(after.objects.VirtualService).toHaveLength(1);
  expect(nextConfig(after, { deletes: after.objects.VirtualService }).objects.VirtualService).toEqual([]);
});

it('freezes what it builds', () => {
  expect(Object.isFrozen(virtualService('a').spec.http?.[0]?.route)).toBe(true);
});
