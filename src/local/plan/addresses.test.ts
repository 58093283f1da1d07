import { describe, expect, test } from 'vitest';
import { DNS_ADDRESS, PodAddresses, ServiceAddresses } from './addresses.ts';

describe('addresses of services', () => {
  test('follow from the name, whatever else there is and in whatever order', () => {
    const first = new ServiceAddresses();
    const second = new ServiceAddresses();
    const keys = ['Service/default/a', 'Service/default/b', 'Service/shop/a'];
    const forward = keys.map((key) => first.get(key));
    const backward = keys.toReversed().map((key) => second.get(key));
    expect(backward.toReversed()).toEqual(forward);
    expect(new Set(forward).size).toBe(3);
    expect(forward.every((address) => /^10\.96\.\d+\.\d+$/.test(address))).toBe(true);
  });

  test('stay when asked again, and never meet', () => {
    const addresses = new ServiceAddresses();
    const given = Array.from({ length: 5000 }, (_, index) => addresses.get(`Service/default/s${index}`));
    expect(new Set(given).size).toBe(5000);
    expect(given).not.toContain(DNS_ADDRESS);
    expect(addresses.get('Service/default/s17')).toBe(given[17]);
  });

  test('an address a file asks for is nobody else’s', () => {
    const drawn = new ServiceAddresses().get('Service/default/a');
    const addresses = new ServiceAddresses();
    addresses.reserve('Service/default/fixed', drawn);
    expect(addresses.get('Service/default/fixed')).toBe(drawn);
    expect(addresses.get('Service/default/a')).not.toBe(drawn);
  });
});

describe('addresses of pods', () => {
  test('go up, and one given back is not taken again at once', () => {
    const addresses = new PodAddresses();
    expect([addresses.take(), addresses.take()]).toEqual(['10.244.0.2', '10.244.0.3']);
    addresses.giveBack('10.244.0.3');
    expect(addresses.take()).toBe('10.244.0.4');
  });

  test('skip what looks like a network or a broadcast', () => {
    const addresses = new PodAddresses();
    const taken = Array.from({ length: 600 }, () => addresses.take());
    expect(taken).toContain('10.244.1.1');
    expect(taken.some((address) => /\.(0|255)$/.test(address))).toBe(false);
  });

  test('come round again when all have been used', () => {
    const addresses = new PodAddresses();
    for (let round = 0; round < 70_000; round++) addresses.giveBack(addresses.take());
    expect(addresses.take()).toMatch(/^10\.244\.\d+\.\d+$/);
  });
});
