import fc from 'fast-check';
import { expect, it } from 'vitest';
import { type AddressCandidate, AutoAddresses } from './auto-addresses.ts';

it('gives every host an address of its own in the block, always the same', () => {
  const addresses = new AutoAddresses();
  const come = Array.from({ length: 5000 }, (_, index) => ({ host: `host-${index}.example.com`, createdAt: 0 }));
  expect(addresses.apply([], come).size).toBe(5000);
  const given = come.map(({ host }) => addresses.get(host) ?? '');
  expect(new Set(given).size).toBe(5000);
  expect(given.every((address) => /^240\.240\.\d+\.(?!0$|255$)\d+$/.test(address))).toBe(true);
  expect(addresses.get('host-7.example.com')).toBe('240.240.114.181');
});

/** Found by trying: these share their place with each other. */
function colliding(): readonly string[] {
  const bySlot = new Map<string, string[]>();
  for (let index = 0; ; index++) {
    const alone = new AutoAddresses();
    const host = `h${index}`;
    alone.apply([], [{ host, createdAt: 0 }]);
    const slot = alone.get(host) ?? '';
    const hosts = bySlot.get(slot) ?? [];
    bySlot.set(slot, [...hosts, host]);
    if (hosts.length === 2) return [...hosts, host];
  }
}

it('gives the place to the oldest where hosts meet, whoever came first', () => {
  const [a = '', b = '', c = ''] = colliding();
  const addresses = new AutoAddresses();
  addresses.apply([], [{ host: a, createdAt: 3 }]);
  const place = addresses.get(a);
  expect(addresses.apply([], [{ host: b, createdAt: 2 }])).toEqual(new Set([a, b]));
  expect(addresses.get(b)).toBe(place);
  addresses.apply([], [{ host: c, createdAt: 1 }]);
  expect(addresses.get(c)).toBe(place);
  expect(addresses.apply([{ host: c, createdAt: 1 }], [])).toEqual(new Set([a, b, c]));
  expect(addresses.get(b)).toBe(place);
});

it('depends on the hosts there are, not on their history', () => {
  const hosts = [...colliding(), 'x', 'y', 'z'];
  const candidate = fc.record({ host: fc.constantFrom(...hosts), createdAt: fc.nat(2) });
  fc.assert(
    fc.property(fc.array(fc.uniqueArray(candidate, { selector: ({ host }) => host }), { maxLength: 6 }), (history) => {
      const addresses = new AutoAddresses();
      let now: readonly AddressCandidate[] = [];
      for (const next of history) {
        addresses.apply(now, next);
        now = next;
      }
      const scratch = new AutoAddresses();
      for (const one of now.toReversed()) scratch.apply([], [one]);
      for (const host of hosts) expect(addresses.get(host)).toBe(scratch.get(host));
    }),
  );
});
